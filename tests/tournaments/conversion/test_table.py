"""Tables of conversion, by hand-made games."""

from math import isnan

import numpy as np
import pytest
from records import record

from bttt import Board
from bttt.runs import ratio_interval, wilson
from tournaments.conversion.table import (
    NO_INTERVAL,
    ONE_BOARD,
    Conversion,
    conversion_rows,
    conversion_text,
    win_share,
)

BRICK = Board(3, 3, 3, "C3")
FIRST_WINS, SECOND_WINS, DRAW = "A1 B1 A2 B2 A3", "A1 B1 A2 B2 C1 B3", "B2 A1 A2 C2 B1 B3 A3 C1"


def conversions():
    pair = {"board": BRICK}
    return [
        Conversion(record("a", "perfect", FIRST_WINS, index=0, **pair), 0),
        Conversion(record("a", "perfect", SECOND_WINS, index=1, **pair), 0),
        Conversion(record("perfect", "a", SECOND_WINS, index=2, **pair), 1),
        Conversion(record("perfect", "a", DRAW, index=3, **pair), 1),
        Conversion(record("a", "perfect", FIRST_WINS, Board(3, 3, 3), index=4), 0),
        Conversion(record("b", "perfect", FIRST_WINS, index=5, **pair), 0),
        Conversion(record("b", "perfect", FIRST_WINS, index=6, **pair), 0),
    ]


def test_rows_count_from_the_agent_s_side():
    rows = conversion_rows(conversions(), {"seed": 7})
    names = ("agent", "board", "seat", "games", "won", "drawn", "lost", "distinct", "mean_plies", "seed")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("a", "3x3x3:C3", "first", 2, 1, 0, 1, 2, 5.5, 7),
        ("a", "3x3x3:C3", "second", 2, 1, 1, 0, 2, 7, 7),
        ("a", "3x3x3", "first", 1, 1, 0, 0, 1, 5, 7),
        ("b", "3x3x3:C3", "first", 2, 2, 0, 0, 1, 5, 7),
    ]


def test_text():
    assert [line.split() for line in conversion_text(conversions()).splitlines()] == [
        ["agent", "games", "won", "drawn", "lost", "won%", "95%", "interval", "unique", "forf"],
        ["a", "5", "3", "1", "1", "60.0", "-", "5", "0"],
        ["b", "2", "2", "0", "0", "100.0", "20.7", "to", "100.0", "1", "0"],
        NO_INTERVAL.split(),
        ONE_BOARD.split(),
        [],
        ["a:", "won-drawn-lost", "by", "brick"],
        ["1", "2", "3"],
        ["A", "-", "-", "-"],
        ["B", "-", "-", "-"],
        ["C", "-", "-", "2-1-1"],
        ["3x3x3", "1-0-0"],
        [],
        ["b:", "won-drawn-lost", "by", "brick"],
        ["1", "2", "3"],
        ["A", "-", "-", "-"],
        ["B", "-", "-", "-"],
        ["C", "-", "-", "2-0-0"],
    ]


def won(board, moves, *, index=0, **more):
    return Conversion(record("a", "perfect", moves, board, index=index, **more), 0)


CORNER = [Board(4, 4, 3, brick) for brick in ("D4", "D2", "D1", "D3")]
WON = ("A1 B2 A2 C4 A3", "A1 C4 A2 B2 A3")
LOST = ("D3 A1 C4 A2 B1 A3", "C4 A1 D3 A2 B1 A3")


def test_the_weight_of_a_game_is_one_over_its_copies():
    games = [won(BRICK, FIRST_WINS, index=index) for index in range(9)] + [won(BRICK, SECOND_WINS, index=9)]
    assert win_share(games) == pytest.approx((0.5, *wilson(0.5, 2)))
    (row,) = conversion_rows(games, {})
    assert (row["games"], row["won"], row["distinct"], row["won_share"]) == (10, 9, 2, 0.5)


def test_more_games_on_the_same_boards_do_not_shrink_the_interval():
    """All games are won, so the interval is Wilson's over the four boards: 1 / (1 + z*z/4) = 0.51 to 1."""
    few = [won(board, WON[0], index=index) for index, board in enumerate(CORNER)]
    more = [won(board, WON[1], index=4 + index) for index, board in enumerate(CORNER)]
    assert win_share(few) == win_share(few + more) == pytest.approx((1, 0.5101, 1), abs=1e-4)
    text = conversion_text(few + more).splitlines()
    assert text[1].split()[-5:] == ["51.0", "to", "100.0", "8", "0"] and text[2] == ""


def test_the_interval_is_the_spread_over_boards():
    games = []
    for board, wins, losses in zip(CORNER, (1, 0, 2), (2, 2, 0), strict=False):
        games += [won(board, moves) for moves in (*WON[:wins], *LOST[:losses])]
    expected = ratio_interval(np.array([1, 0, 2]), np.array([3, 2, 2]), 3)
    assert win_share(games) == pytest.approx((3 / 7, *expected))


def test_two_boards_have_no_interval_and_one_is_about_its_own_games():
    own = [won(BRICK, FIRST_WINS), won(BRICK, SECOND_WINS, index=1)]
    share, low, high = win_share([*own, won(Board(3, 3, 3), FIRST_WINS)])
    assert share == pytest.approx(2 / 3) and isnan(low) and isnan(high)
    text = conversion_text([*own, won(Board(3, 3, 3), FIRST_WINS, index=2)])
    assert "  66.7             -" in text and "\n-: two boards give no interval" in text
    assert "\none board: interval over its starts" in conversion_text(own)
    starts = [won(BRICK, FIRST_WINS, opening_plies=plies) for plies in (0, 2)]
    assert win_share(starts) == pytest.approx((1, *wilson(1, 2)))
    assert all(map(isnan, win_share([])))
