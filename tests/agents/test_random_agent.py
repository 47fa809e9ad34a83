import numpy as np
import pytest
from hypothesis import given
from oracle import position_of, positions

from agents import make_agent
from agents.random_agent import RandomAgent
from bttt.board import Board
from bttt.opponent import ask
from bttt.position import Position


@given(positions())
def test_plays_legal_cells(position):
    if position.outcome:
        with pytest.raises(ValueError, match="no move in a finished game"):
            RandomAgent().decide([position], np.random.default_rng(0))
    else:
        [decision] = RandomAgent().decide([position], np.random.default_rng(0))
        assert decision.cell in position.legal_cells()
        assert (decision.policy, decision.value, decision.nodes) == (None, None, None)


def test_every_legal_cell_is_as_likely():
    position = position_of(Board(3, 3, 3, "A1"), (1, 4))
    draws = RandomAgent().decide([position] * 6000, np.random.default_rng(1))
    cells, counts = np.unique([decision.cell for decision in draws], return_counts=True)
    assert tuple(cells) == position.legal_cells()
    assert ((counts - 1000) ** 2 / 1000).sum() < 30  # chi-square with 5 degrees of freedom


def test_a_game_draws_from_its_own_generator_whatever_is_played_beside_it():
    starts = [Position.start(Board(bricks=bricks)) for bricks in ("D4", "E5", "A1")]

    def play(indices):
        rngs = [np.random.default_rng(index) for index in indices]
        here = [starts[index] for index in indices]
        for _ in range(5):
            decisions = ask(make_agent("random"), here, rngs)
            here = [position.play(decision.cell) for position, decision in zip(here, decisions, strict=True)]
        return {index: str(position) for index, position in zip(indices, here, strict=True)}

    together = play([0, 1, 2])
    assert together == play([2]) | play([1, 0])
