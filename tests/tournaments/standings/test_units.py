"""Copies of games, units of evidence, and counts by unit."""

from dataclasses import replace

import numpy as np
import pytest
from records import random_round_robin, record

from bttt.board import Board
from bttt.position import Outcome
from tournaments.standings.ratings import fit_counts, fit_ratings
from tournaments.standings.units import count_matches, count_outcomes, distinct_games, unit_of

SMALL = Board(3, 3, 3)
WIN, OTHER_WIN, LOSS = "A1 B1 A2 B2 A3", "A1 C1 A2 C2 A3", "A1 B1 A2 B2 C3 B3"


def test_copies_have_the_same_players_seats_board_cells_and_outcome():
    original = record("a", "b", WIN, SMALL)
    copies = [replace(original, index=1, repeat=1), replace(original, seconds=(1.0,) * 5, index=2)]
    others = [
        record("b", "a", WIN, SMALL),
        record("a", "c", WIN, SMALL),
        record("a", "b", OTHER_WIN, SMALL),
        record("a", "b", WIN, SMALL.with_bricks("C3")),
        record("a", "b", "A1", SMALL, outcome=Outcome.FIRST_WINS, forfeit="illegal cell"),
        record("a", "b", "A1", SMALL, outcome=Outcome.DRAW),  # adjudicated
    ]
    assert distinct_games([original, *copies, *others]) == [original, *others]


def test_a_unit_is_both_seats_and_all_repeats_from_one_opening():
    game = record("b", "a", WIN, SMALL, opening_plies=2)
    same = [record("a", "b", "A1 B1 C3 C1 C2", SMALL, opening_plies=2, repeat=3, outcome=Outcome.DRAW)]
    others = [
        record("a", "b", OTHER_WIN, SMALL, opening_plies=2),
        record("a", "c", WIN, SMALL, opening_plies=2),
        record("a", "b", WIN, SMALL.with_bricks("C3"), opening_plies=2),
    ]
    assert {unit_of(each) for each in [game, *same]} == {("a", "b", SMALL, (0, 3))}
    assert len({unit_of(each) for each in [game, *others]}) == 4


def test_games_are_counted_by_seat_and_outcome():
    games = [
        record("a", "b", WIN, SMALL),
        record("a", "b", OTHER_WIN, SMALL),
        record("b", "a", WIN, SMALL),
        record("a", "c", LOSS, SMALL),
    ]
    counts = count_outcomes(["a", "b", "c"], games)
    assert counts[0, 1].tolist() == [2, 0, 0]
    assert counts[1, 0].tolist() == [1, 0, 0]
    assert counts[0, 2].tolist() == [0, 0, 1]
    assert counts.sum() == 4
    fit = fit_ratings(["a", "b", "c"], games)
    assert fit.elo == pytest.approx(fit_counts("abc", counts).elo)


def test_matches_hold_the_same_games_by_unit():
    boards = [Board.parse(f"3x3x3:{cell}") for cell in ("A1", "B2")]
    games = random_round_robin("abc", boards, opening_plies=1, repeats=3)
    matches, counts = count_matches("abc", games), count_outcomes("abc", games)
    assert sorted(matches) == [(0, 1), (0, 2), (1, 2)]
    for (one, other), units in matches.items():
        assert np.array_equal(units.sum(axis=0), [counts[one, other], counts[other, one]])
        mine = {unit_of(game) for game in games if set(game.players) == {"abc"[one], "abc"[other]}}
        assert len(units) == len(mine)


def test_a_game_of_an_unknown_player_is_named():
    for count in (count_matches, count_outcomes):
        with pytest.raises(ValueError, match="game 7: unknown player 'x'"):
            count(["a", "b"], [record("a", "x", "A1", index=7, outcome=Outcome.FIRST_WINS)])
