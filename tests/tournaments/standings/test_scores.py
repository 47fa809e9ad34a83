"""Intervals of scores: over units, so copies change nothing."""

from dataclasses import replace
from math import isnan, sqrt

import pytest
from records import record
from scipy.special import stdtrit

from bttt.board import Board
from bttt.runs.intervals import wilson
from tournaments.standings.scores import score_intervals

WIN, LOSS = "A1 B1 A2 B2 A3", "A1 B1 A2 B2 C3 B3"
BOARDS = [Board.parse(f"4x4x3:{cell}") for cell in ("D1", "D2", "D3", "D4")]


def games(*points):
    """Returns a pair of games on each board, with these points of player a in the first and second seat."""
    pairs = [
        (record("a", "b", (LOSS, WIN)[first], board), record("b", "a", (WIN, LOSS)[second], board))
        for board, (first, second) in zip(BOARDS, points, strict=False)
    ]
    return [game for pair in pairs for game in pair]


def interval(played):
    sides = ((game, game.first_score if game.first == "a" else 1 - game.first_score) for game in played)
    return score_intervals(("a", game, points) for game, points in sides)["a"]


def test_the_interval_is_student_s_over_pairs():
    low, high = interval(games((1, 1), (1, 0), (0, 0), (1, 1)))
    residuals = [0.75, -0.25, -1.25, 0.75]  # of points, at a score of 5/8
    half = stdtrit(3, 0.975) * sqrt(4 / 3 * sum(each**2 for each in residuals)) / 8
    assert (low, high) == (pytest.approx(max(0, 5 / 8 - half)), pytest.approx(min(1, 5 / 8 + half)))


def test_pairs_that_split_have_the_interval_of_as_many_trials_as_pairs():
    assert interval(games((1, 0), (0, 1), (1, 0), (0, 1))) == pytest.approx(wilson(0.5, 4))


def test_copies_change_nothing():
    once = games((1, 1), (1, 0), (0, 0), (1, 1))
    assert interval([replace(game, repeat=n) for n in range(10) for game in once]) == pytest.approx(
        interval(once)
    )


def test_two_units_give_no_interval_and_three_do():
    assert all(map(isnan, interval(games((1, 1), (0, 0)))))
    assert not any(map(isnan, interval(games((1, 1), (0, 0), (1, 0)))))
