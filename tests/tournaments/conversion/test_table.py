"""Tables of conversion, by hand-made games."""

import pytest
from records import record
from scipy.stats import binomtest

from bttt import Board
from tournaments.conversion.table import Conversion, conversion_rows, conversion_text, win_share
from tournaments.standings.crosstable import Tally

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
        ["a", "5", "3", "1", "1", "60.0", "23.1", "to", "88.2", "5", "0"],
        ["b", "2", "2", "0", "0", "100.0", "20.7", "to", "100.0", "1", "0"],
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


def test_copies_do_not_shrink_the_interval_of_the_share_won():
    once, copied = Tally(wins=30, losses=19, distinct=49), Tally(wins=300, losses=190, distinct=49)
    assert win_share(copied) == win_share(once)


@pytest.mark.parametrize(("wins", "games"), [(0, 1), (0, 49), (3, 10), (45, 49), (49, 49)])
def test_the_interval_is_wilson_s(wins, games):
    expected = binomtest(wins, games).proportion_ci(method="wilson")
    assert win_share(Tally(wins=wins, losses=games - wins, distinct=games)) == pytest.approx(
        (wins / games, expected.low, expected.high), abs=1e-9
    )
