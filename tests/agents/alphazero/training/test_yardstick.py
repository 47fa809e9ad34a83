"""The yardstick counts what the tournament's tools count for an agent with the same network."""

import numpy as np
import pytest
from fake_networks import hashed

from agents.agent import Decision
from agents.alphazero.configs import SearchConfig
from agents.alphazero.search.batched import Search, roots_of
from agents.alphazero.training.yardstick import Yardstick
from bttt.board import Board
from bttt.bricks import brick_set
from tournaments.evaluation.decisions import decide_suite
from tournaments.evaluation.value_losses import loss_rates


class Raw:
    """Plays the fake network's best free cell, asked one position at a time."""

    def __init__(self, bricks_plane):
        self.search = Search(hashed, SearchConfig(simulations=0), bricks_plane)

    def decide(self, positions, rng):
        return [Decision(int(self.search.run(roots_of([position])).cells[0])) for position in positions]


def small(yardstick, count=2):
    """Restricts a yardstick to a few positions of each board; returns its suite."""
    chosen = yardstick.suite.first_of_each_board(count)
    yardstick.suite = yardstick.suite.take(chosen)
    yardstick.novelty = yardstick.novelty[chosen]
    yardstick.roots = yardstick.roots.part(chosen)
    return yardstick.suite


@pytest.mark.parametrize("bricks_plane", [False, True])
def test_rates_are_those_of_the_tournaments(bricks_plane):
    train = brick_set("R3")
    yardstick = Yardstick(train, bricks_plane)
    suite = small(yardstick)
    cells = decide_suite("raw", Raw(bricks_plane), suite, np.arange(len(suite)))
    rates = {
        each.group: each.rate for each in loss_rates("raw", suite, cells, train) if each.kind == "novelty"
    }
    assert set(rates) == {"seen", "mirror", "novel"}
    assert yardstick.rates(hashed) == pytest.approx(rates)


def test_where_all_boards_are_seen_there_is_no_other_rate():
    yardstick = Yardstick(brick_set("all"), False)
    small(yardstick, 1)
    assert set(yardstick.rates(hashed)) == {"seen"}


def test_it_is_for_boards_of_the_suites_size():
    assert Yardstick.fits(Board(bricks=("D4", "E5")))
    assert not Yardstick.fits(Board(6, 6, 4))
    assert not Yardstick.fits(Board(7, 7, 5))
