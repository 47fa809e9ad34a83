"""`SolverErrors` counts what the tournament's tools count for an agent with the same network."""

import numpy as np
import pytest
from fake_networks import hashed

from agents.agent import Decision
from agents.alphazero.configs import SearchConfig
from agents.alphazero.search.batched import Search, roots_of
from agents.alphazero.training.solver_errors import SolverErrors
from bttt.board import Board
from bttt.bricks import brick_set
from tournaments.evaluation.decisions import decide_suite
from tournaments.evaluation.value_losses import loss_rates


class Raw:
    """Plays the fake network's best free cell, called for one position at a time."""

    def __init__(self, bricks_plane):
        self.search = Search(hashed, SearchConfig(simulations=0), bricks_plane)

    def decide(self, positions, rng):
        return [Decision(int(self.search.run(roots_of([position])).cells[0])) for position in positions]


def small(errors, count=2):
    """Restricts the suite to a few positions of each board; returns its suite."""
    chosen = errors.suite.first_of_each_board(count)
    errors.suite = errors.suite.take(chosen)
    errors.novelty = errors.novelty[chosen]
    errors.roots = errors.roots.part(chosen)
    return errors.suite


@pytest.mark.parametrize("bricks_plane", [False, True])
def test_rates_are_those_of_the_tournaments(bricks_plane):
    train = brick_set("R3")
    errors = SolverErrors(train, bricks_plane)
    suite = small(errors)
    cells = decide_suite("raw", Raw(bricks_plane), suite, np.arange(len(suite)))
    rates = {
        each.group: each.rate for each in loss_rates("raw", suite, cells, train) if each.kind == "novelty"
    }
    assert set(rates) == {"seen", "mirror", "novel"}
    assert errors.rates(hashed) == pytest.approx(rates)


def test_where_all_boards_are_seen_there_is_no_other_rate():
    errors = SolverErrors(brick_set("all"), False)
    small(errors, 1)
    assert set(errors.rates(hashed)) == {"seen"}


def test_it_is_for_boards_of_the_suites_size():
    assert SolverErrors.fits(Board(bricks=("D4", "E5")))
    assert not SolverErrors.fits(Board(6, 6, 4))
    assert not SolverErrors.fits(Board(7, 7, 5))
