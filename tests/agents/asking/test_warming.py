"""Warming up: on boards of the games, and without the agent's budget."""

import time

import numpy as np
import pytest

from agents import make_agent
from agents.asking import warm_up
from agents.asking.warming import last_choice
from bttt import Board, brick_sets

SMALL = Board.parse("3x3x3")


@pytest.mark.parametrize(
    "spec",
    [
        "minimax:depth=30",
        "minimax:seconds=60",
        "mcts:iterations=1000000000",
        "mcts:rollouts=1000000000,iterations=1000000000",
        "mcts:seconds=60,leaf=heuristic",
        "perfect:limit=none",
        "alphazero:d4,simulations=1000000",
    ],
)
def test_no_budget_is_spent(spec):
    agent = make_agent(spec)
    boards = [SMALL, Board(bricks="D4"), *brick_sets("all")]
    warm_up(agent, boards)  # it may compile
    begun = time.process_time()
    warm_up(agent, boards)
    assert time.process_time() - begun < 5


def test_a_decision_after_warming_up_is_the_same():
    for spec in ("minimax:depth=2", "mcts:iterations=50", "perfect", "alphazero:d4,simulations=8"):
        one, other = make_agent(spec), make_agent(spec)
        warm_up(one, [Board(bricks="D4")])
        position = last_choice(SMALL) if spec == "perfect" else last_choice(Board(bricks="D4"))
        decided = [agent.decide([position], np.random.default_rng(0))[0].cell for agent in (one, other)]
        assert decided[0] == decided[1]


def test_a_user_s_agent_decides_where_every_move_ends_the_game_on_each_size():
    seen = []

    class Users:
        batched = True

        def decide(self, positions, rng):
            seen.extend(positions)
            raise RuntimeError("ignored")

    warm_up(Users(), [SMALL, Board(bricks="D4"), Board(bricks="E5")])
    assert [position.board.with_bricks(()) for position in seen] == [SMALL, Board()]
    for position in seen:
        assert not position.outcome
        assert all(position.play(cell).outcome for cell in position.legal_cells())
