"""Value losses, counted by hand on a suite of six positions, and intervals against formulas written out."""

from math import isnan, sqrt
from statistics import stdev

import numpy as np
import pytest
from scipy.stats import t

from agents.agent import make_agent
from bttt.board import Board
from bttt.runs.intervals import ratio_interval, wilson
from bttt.suites import SUITES_RECORD, Suite, load_suite
from tournaments.evaluation.decisions import decide_suite
from tournaments.evaluation.table import loss_table
from tournaments.evaluation.value_losses import groups, loss_rates

SIZE = Board(3, 3, 3)


def word(cells):
    return sum(SIZE.bit(SIZE.cell(cell)) for cell in cells.split())


def tiny(*rows):
    return Suite("tiny", SIZE, np.array([tuple(map(word, row)) for row in rows], SUITES_RECORD), {})


# bricks, first, second, cells that win, cells that draw; made up, but for A1 and C3 (mirror images)
SUITE = tiny(
    ("A1", "B1", "C1", "B2", "A2"),  # won, 2 plies, quiet
    ("A1", "B1 B2", "C1", "B3", ""),  # won, 3 plies, second must block B3
    ("A1", "B1 B2", "C1 C2", "B3", ""),  # won, 4 plies, first wins at once by B3
    ("C3", "B1", "C1", "", "B2 A2"),  # drawn, 2 plies, quiet
    ("C3", "B1 B2", "B3 C1", "A1", ""),  # won, 4 plies, quiet: B3 stops the first's two
    ("B2", "A1", "", "A2", "A3"),  # won, 1 ply, second to move, quiet
)
CELLS = np.array(
    [
        [SIZE.cell(cell) for cell in ("B2", "C3", "B3", "C2", "A1", "A3")],
        [SIZE.cell(cell) for cell in ("A2", "B3", "B3", "B2", "A2", "A2")],
    ]
)
# first row:  keeps, win to loss, keeps, draw to loss, keeps, win to draw
# second row: win to draw, keeps, keeps, keeps, win to loss, keeps


def found(train=()):
    rates = loss_rates("me", SUITE, CELLS, train)
    return {(rate.kind, rate.group): rate for rate in rates}


def counts(rates, kind):
    return {
        group: (rate.positions, rate.decisions, rate.losing)
        for (own, group), rate in rates.items()
        if own == kind
    }


def test_counts_by_group_are_those_counted_by_hand():
    rates = found(train=[Board(3, 3, 3, "A1")])
    assert counts(rates, "all") == {"all": (6, 12, 5)}
    assert counts(rates, "board") == {"A1": (3, 6, 2), "C3": (2, 4, 2), "B2": (1, 2, 1)}
    assert counts(rates, "orbit") == {"A1": (5, 10, 4), "B2": (1, 2, 1)}
    assert counts(rates, "novelty") == {"seen": (3, 6, 2), "mirror": (2, 4, 2), "novel": (1, 2, 1)}
    assert counts(rates, "ply") == {"1": (1, 2, 1), "2": (2, 4, 2), "3": (1, 2, 1), "4": (2, 4, 1)}
    assert counts(rates, "side") == {"first": (4, 8, 3), "second": (2, 4, 2)}
    assert counts(rates, "value") == {"won": (5, 10, 4), "drawn": (1, 2, 1)}
    assert counts(rates, "task") == {"win": (1, 2, 0), "block": (1, 2, 1), "quiet": (4, 8, 4)}
    assert counts(rates, "thrown") == {
        "win to draw": (6, 12, 2),
        "win to loss": (6, 12, 2),
        "draw to loss": (6, 12, 1),
    }
    assert all(rate.rate == rate.losing / rate.decisions for rate in rates.values())
    known = [rate for rate in rates.values() if not isnan(rate.low)]
    assert all(0 <= rate.low <= rate.rate <= rate.high <= 1 for rate in known)


def test_without_training_boards_nothing_is_said_of_novelty():
    assert counts(found(), "novelty") == {}
    assert "novelty" not in groups(SUITE)


def test_where_boards_weigh_the_same_the_interval_is_students():
    suite = load_suite("bricks2").take(load_suite("bricks2").first_of_each_board(4))
    cells = decide_suite("random", make_agent("random"), suite, np.arange(len(suite)))
    losing = (suite.values_after(cells)[0] < suite.values).reshape(50, 4)
    by_board = losing.mean(axis=1).tolist()
    rate = loss_rates("random", suite, cells)[0]
    half = t.ppf(0.975, 49) * stdev(by_board) / sqrt(50)
    assert rate.rate == pytest.approx(np.mean(by_board))
    assert (rate.low, rate.high) == pytest.approx((rate.rate - half, rate.rate + half))


def test_two_boards_give_no_interval():
    lines = loss_table(loss_rates("me", SUITE, CELLS, [Board(3, 3, 3, "A1"), Board(3, 3, 3, "C3")]))
    assert " 40.00 (-) " in lines
    assert "\n(-): two boards give no interval" in lines
    low, high = ratio_interval(np.array([3, 5]), np.array([10, 10]), 20)
    assert isnan(low) and isnan(high)
    assert not any(map(isnan, ratio_interval(np.array([3, 5, 5]), np.array([10, 10, 10]), 30)))


def test_a_rate_on_one_board_says_what_its_interval_is_about():
    told = loss_table(loss_rates("me", SUITE, CELLS, [Board(3, 3, 3, "A1")]))
    assert "\none board (seen" in told and "interval over its positions\n" in told
    assert "one board" not in loss_table(loss_rates("me", SUITE, CELLS)).replace("(all)", "")
    single = SUITE.take(np.flatnonzero(SUITE.board_numbers == 0))
    cells = CELLS[:, SUITE.board_numbers == 0]
    assert "\none board (all): interval over its positions" in loss_table(loss_rates("me", single, cells))


def test_one_board_alone_has_wilsons_interval_over_positions():
    rate = found()["board", "A1"]
    assert (rate.low, rate.high) == pytest.approx(wilson(1 / 3, 3))
    # 7 of 10 positions: (0.7 + z*z/20 +- z sqrt(0.021 + z*z/400)) / (1 + z*z/10) with z = 1.96
    assert wilson(0.7, 10) == pytest.approx((0.396781, 0.892208), abs=1e-5)


def test_perfect_throws_nothing_away_and_random_plays_as_the_labels_say():
    suite = load_suite("single")
    places = suite.first_of_each_board(2)
    part = suite.take(places)
    perfect = decide_suite("perfect", make_agent("perfect"), part, places)
    assert {rate.losing for rate in loss_rates("perfect", part, perfect)} == {0}
    high = loss_rates("perfect", part, perfect)[0].high
    assert 0 < high < 0.05  # no point: 98 decisions prove no rate of 0
    random = decide_suite("random", make_agent("random"), suite, np.arange(len(suite)))
    expected = 1 - suite.made["mean share of cells that keep the value"]
    assert loss_rates("random", suite, random)[0].rate == pytest.approx(expected, abs=0.02)


def test_table_has_a_line_an_agent_with_what_was_counted():
    lines = loss_table(loss_rates("me", SUITE, CELLS, [Board(3, 3, 3, "A1")])).splitlines()
    assert lines[0].split()[-4:] == ["all", "seen", "mirror", "novel"]
    assert lines[1].startswith("me") and " 41.67 (" in lines[1] and " 33.33 (" in lines[1]
    assert lines[2].startswith("one board (seen, ")
    assert lines[5].split() == ["me", "37.50", "50.00", "0.00", "50.00", "50.00", "16.67", "16.67", "8.33"]
