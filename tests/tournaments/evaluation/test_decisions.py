"""Decisions in a suite depend on nothing but the agent, the position, its place and the seed."""

from dataclasses import dataclass

import numpy as np
import pytest

from agents.agent import Decision, generators, make_agent
from bttt.suites import load_suite
from tournaments.evaluation.decisions import Question, decide_suite

SUITE = load_suite("bricks2")
PLACES = np.arange(40)
PART = SUITE.take(PLACES)
MCTS = "mcts:iterations=20"


def decide(places=PLACES, **options):
    return decide_suite(MCTS, make_agent(MCTS), SUITE.take(places), places, **options)


def test_cells_are_legal_and_one_a_repeat_and_position():
    cells = decide(repeats=2)
    assert cells.shape == (2, 40)
    for row in cells:
        for position, cell in zip(PART.positions(), row, strict=True):
            position.play(int(cell))
    assert (cells[0] != cells[1]).any()


def test_cells_depend_on_neither_batches_nor_workers_nor_the_positions_asked_beside():
    cells = decide(repeats=2)
    assert (decide(repeats=2, batch=7) == cells).all()
    assert (decide(repeats=2, batch=16, workers=2) == cells).all()
    assert (decide(PLACES[5::3])[0] == cells[0, 5::3]).all()


def test_another_seed_gives_other_cells():
    assert (decide(seed=1) != decide()).any()


def test_each_position_and_repeat_has_random_numbers_of_its_own():
    keys = [(repeat, place) for repeat in range(3) for place in range(20)]
    questions = [Question(PART.positions()[0], seed, key) for seed in (0, 1) for key in keys]
    assert len({question.generator().integers(2**60) for question in questions}) == 120


@dataclass(frozen=True)
class Counting:
    """Plays the first legal cell and remembers how many positions it was asked at once."""

    asked: list[int]
    batched = True

    def decide(self, positions, rng):
        generators(rng, positions)
        self.asked.append(len(positions))
        return [Decision(position.legal_cells()[0]) for position in positions]


def test_batched_agents_are_asked_in_batches():
    asked = []
    decide_suite("counting", Counting(asked), PART, PLACES, repeats=2, batch=32)
    assert asked == [32, 32, 16]


class Failing:
    """Raises in, or plays an illegal cell of, the position with this many stones."""

    batched = True

    def __init__(self, plies, cell=None):
        self.plies, self.cell = plies, cell

    def decide(self, positions, rng):
        cells = [self.cell if each.plies == self.plies else each.legal_cells()[-1] for each in positions]
        if self.cell is None and any(cell is None for cell in cells):
            raise RuntimeError("no idea")
        return [Decision(cell) for cell in cells]


@pytest.mark.parametrize(
    ("cell", "message"),
    [(None, r"raised RuntimeError: no idea \(.*:\d+\) in "), (99, "illegal cell")],
)
def test_an_agent_that_fails_is_named_with_the_position(cell, message):
    bad = next(position for position in PART.positions()[5:] if position.plies > 5)
    with pytest.raises(ValueError, match=message) as caught:
        decide_suite("bad", Failing(bad.plies, cell), PART, PLACES)
    first = next(position for position in PART.positions() if position.plies == bad.plies)
    assert "agent 'bad'" in str(caught.value) and str(first) in str(caught.value)
