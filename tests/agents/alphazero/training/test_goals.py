"""Goals of a training run: the games are those of the agents, and the run stops when all are won."""

from dataclasses import replace

import numpy as np
import pytest

from agents.agent import make_agent
from agents.alphazero.configs import LearnerConfig, SearchConfig, SelfPlayConfig
from agents.alphazero.network.checkpoint import load_checkpoint
from agents.alphazero.network.evaluators import make_evaluator
from agents.alphazero.training import goals
from agents.alphazero.training.config import TrainConfig
from agents.alphazero.training.goals import GOALS, Goal, GoalGames
from agents.alphazero.training.loop import train
from agents.alphazero.weights import find_network
from bttt.bricks import boards_of_size
from bttt.position import Position

BOARDS = boards_of_size("7x7x4", "orbit:2")


@pytest.mark.parametrize("name", ["minimax", "perfect-raw"])
@pytest.mark.parametrize("network", ["d4", "r3"])
def test_games_are_those_of_the_agents(network, name):
    made, _ = load_checkpoint(find_network(network))
    player = make_agent(f"alphazero:{network},simulations={GOALS[name].simulations},evaluator=torch")
    opponent = make_agent(GOALS[name].opponent)
    won = 0
    for board, seed in zip(BOARDS, np.random.SeedSequence(3).spawn(len(BOARDS)), strict=True):
        position, rng = Position.start(board), np.random.default_rng(seed)
        while not position.outcome:
            agent = player if position.plies % 2 == 0 else opponent
            position = position.play(agent.decide([position], rng)[0].cell)
        won += position.outcome == 1
    games = GoalGames(BOARDS, name, False, seed=3)
    evaluate = make_evaluator(made, "torch")
    assert games.won(evaluate) == won
    assert games.won(evaluate) == won  # the opponent's choices are the same


def test_a_board_that_the_first_player_does_not_win_is_refused():
    with pytest.raises(ValueError, match=r"until=perfect needs boards that the first player wins.* 3x3x3"):
        GoalGames(boards_of_size("3x3x3", "none"), "perfect", False, seed=0)


def test_a_run_stops_at_its_goal_and_is_finished(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(goals.GOALS, "minimax", Goal("random", 20))
    config = TrainConfig(
        board="4x4x3",
        iterations=20,
        until="minimax",
        evaluate_every=2,
        plies=2,
        search=SearchConfig(simulations=2),
        selfplay=SelfPlayConfig(games=2),
        learner=LearnerConfig(batch=8),
        out=tmp_path / "run",
    )
    folder = train(config)
    assert "2 iterations" in (told := capsys.readouterr().out)
    assert "reached the goal minimax" in told
    _, record = load_checkpoint(folder / "network.safetensors")
    assert (record["training"]["reached"], record["training"]["iteration"]) == ("minimax", 2)
    train(config)
    assert "2 finished iterations found" in capsys.readouterr().err
    train(replace(config, until=None, iterations=3))
    assert "3 iterations" in capsys.readouterr().out
    _, record = load_checkpoint(folder / "network.safetensors")  # without a goal the final one, as ever
    assert record["training"]["iteration"] == 3
