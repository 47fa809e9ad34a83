"""Games as text: a line by hand, round trips, and lines that are refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import random_round_robin, record

from bttt import Board, Outcome
from tournaments.records.text import FIELDS, HEADER, game_line, games_text, parse_games

LINE = "5\t3x3x3:C3\ta b\tmcts:c=1,iterations=9\t2\t1-0\tline\tA1 B1 / A2 B2 A3"


def told(game):
    """What a line holds of a game."""
    plies = len(game.cells)
    return replace(game, seconds=(0.0,) * plies, values=(None,) * plies, nodes=(None,) * plies)


def test_a_line_by_hand():
    board = Board.parse("3x3x3:C3")
    game = record("a b", "mcts:c=1,iterations=9", "A1 B1 A2 B2 A3", board, index=5, repeat=2, opening_plies=2)
    assert game_line(game) == LINE
    assert parse_games([f"{LINE}\r\n"]) == [told(game)]
    assert HEADER.split("	")[1:] == list(FIELDS)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), plies=st.integers(0, 3))
def test_games_come_back(seed, plies):
    boards = [Board.parse(text) for text in ("3x3x3", "4x5x3:B2", "4x4x4:A1,D4")]
    games = random_round_robin(["a", "good:x=1"], boards, seed=seed, opening_plies=plies)
    cut = [replace(game, cells=game.cells[:4], outcome=Outcome.SECOND_WINS) for game in games[:1]]
    lost = [replace(game, forfeit="raised X: 1; 2", index=77) for game in cut]
    text = games_text([*games, *cut, *lost])
    found = parse_games(text.splitlines())
    assert [game_line(game) for game in found] == text.splitlines()[1:]
    assert found[: len(games)] == [told(game) for game in games]
    assert found[-2].adjudicated and found[-1].forfeit == "raised X: 1; 2"


def test_a_game_lost_before_its_first_move_and_hostile_names():
    game = record("a\tb\n", "x", "", Board(3, 3, 3), outcome=Outcome.SECOND_WINS, forfeit="took\n2 s")
    (found,) = parse_games([game_line(game)])
    assert (found.first, found.forfeit, found.cells) == ("a\\tb\\n", "took\\n2 s", ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("A3", "A2"), "A2"),
        (("A3", "C3"), "C3"),
        (("A3", "C1"), "do not fit the moves"),
        (("1-0", "0-1"), "do not fit the moves"),
        (("1-0", "2-0"), "result must be one of 1-0, 0-1, 1/2-1/2, got '2-0'"),
        (("line", "adjudicated"), "do not fit the moves"),
        (("\tA1", " A1"), "expected 8 fields"),
        (("5\t", "five\t"), "must be whole numbers"),
        (("3x3x3", "3x3"), "3x3"),
        (("A3", "A3 C1"), ""),
    ],
)
def test_a_wrong_line_is_named(change, message):
    with pytest.raises(ValueError, match="line 3: ") as caught:
        parse_games([HEADER, "", LINE.replace(*change)])
    assert message in str(caught.value)
