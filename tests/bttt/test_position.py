import pickle
import re
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from oracle import SIZES, Oracle, games, position_of, positions

from bttt.board import Board
from bttt.position import FIRST, SECOND, Outcome, Position

OUTCOMES = {
    "unfinished": Outcome.UNFINISHED,
    "first": Outcome.FIRST_WINS,
    "second": Outcome.SECOND_WINS,
    "draw": Outcome.DRAW,
}


def play_all(board: str, cells: str) -> Position:
    position = Position.start(Board.parse(board))
    for cell in cells.split():
        position = position.play(cell)
    return position


def assert_play_equals_the_oracle(board: Board, cells: tuple[int, ...]) -> None:
    """Plays `cells` on both, and compares all properties of the position before and after each move."""
    oracle, position = Oracle.of(board), Position.start(board)
    for ply, cell in enumerate((*cells, None)):
        symbols = "".join(oracle.symbols())
        assert "".join(".OX#"[code] for code in position.cells) == symbols
        assert position.outcome == oracle.outcome()
        assert list(position.legal_cells()) == oracle.legal_cells()
        assert position.winning_line() == tuple(sorted(oracle.line_cells("O") | oracle.line_cells("X")))
        assert position.plies == ply
        assert position.to_move == ply % 2
        assert position.last_move == (cells[ply - 1] if ply else None)
        if cell is not None:
            oracle.play(cell)
            position = position.play(cell)


@given(games())
def test_play_equals_the_oracle_at_every_ply(game):
    assert_play_equals_the_oracle(*game)


@pytest.mark.parametrize("win_length", [3, 4])
def test_play_equals_the_oracle_in_a_full_game_on_every_size(win_length):
    rng = np.random.default_rng(win_length)
    endings = Counter()
    for rows, cols in SIZES:
        board = Board(rows, cols, win_length)
        oracle = Oracle.of(board)
        endings[oracle.random_outcome(rng)] += 1
        assert_play_equals_the_oracle(board, tuple(oracle.played))
    assert min(endings[outcome] for outcome in list(Outcome)[1:]) > 20


@given(positions())
def test_every_cell_is_free_a_stone_or_a_brick(position):
    stones = position.board.word_cells(position.first | position.second)
    free = position.board.word_cells(position.free)
    assert sorted(stones + free + position.board.bricks) == list(range(position.board.cells))
    assert position.first & position.second == 0
    counts = Counter(position.cells.tolist())
    assert (counts[1], counts[2]) == (position.plies - position.plies // 2, position.plies // 2)


@given(positions())
def test_mask_and_cells_are_typed_and_agree(position):
    mask, cells = position.legal_mask(), position.cells
    assert mask.dtype == cells.dtype == np.int8
    assert mask.shape == cells.shape == (position.board.cells,)
    assert tuple(np.flatnonzero(mask)) == position.legal_cells()
    if not position.outcome:
        assert np.array_equal(mask == 1, cells == 0)
    else:
        assert not mask.any()


@given(positions())
def test_mine_and_theirs_follow_the_player_to_move(position):
    words = (position.first, position.second)
    assert (position.mine, position.theirs) == (words if position.to_move == FIRST else words[::-1])


@given(positions())
def test_text_and_cells_round_trip(position):
    for copy in (
        Position.parse(str(position)),
        Position.from_cells(position.board, position.cells, last_move=position.last_move),
        pickle.loads(pickle.dumps(position)),
    ):
        assert copy == position
        assert hash(copy) == hash(position)
        assert copy.outcome is position.outcome
        assert copy.last_move == position.last_move
        assert str(copy) == str(position)


@given(positions())
def test_playing_leaves_the_position_as_it_was(position):
    before = str(position)
    for cell in position.legal_cells():
        position.play(cell)
    assert str(position) == before


def test_text_form():
    position = play_all("3x3x3:A1", "A2 B2")
    assert str(position) == "3x3x3:A1 #O./.X./... B2"
    assert Position.parse("3x3x3:A1 #O./.X./...").last_move is None


def test_last_move_does_not_count_in_comparisons():
    one, other = play_all("3x3x3", "A1 B2 C3"), play_all("3x3x3", "C3 B2 A1")
    assert one.last_move != other.last_move
    assert one == other
    assert len({one, other}) == 1


@pytest.mark.parametrize(
    ("board", "cells", "outcome", "line"),
    [
        ("7x7x4", "A1 B1 A2 B2 A3 B3", "unfinished", ""),
        ("7x7x4", "A1 B1 A2 B2 A3 B3 A4", "first", "A1 A2 A3 A4"),
        ("7x7x4", "A7 B1 B7 B2 C7 B3 D7", "first", "A7 B7 C7 D7"),
        ("7x7x4", "A1 A2 B2 A3 C3 A4 D4", "first", "A1 B2 C3 D4"),
        ("7x7x4", "A1 G1 A2 F2 A3 E3 G7 D4", "second", "D4 E3 F2 G1"),
        ("7x7x4", "A6 G1 A7 G2 B1 G3 B2", "unfinished", ""),  # the end of a row and the start of the next
        ("7x7x4:A3", "A1 B1 A2 B2 A4 B4 A5", "unfinished", ""),  # the brick belongs to neither player
        ("7x7x4", "A1 B1 A2 B2 A3 B3 A5 B5 A4", "first", "A1 A2 A3 A4 A5"),  # five in a row contain two fours
        ("7x7x4", "A1 G1 A2 G2 A3 G3 B4 F1 C4 F2 D4 F3 A4", "first", "A1 A2 A3 A4 B4 C4 D4"),
        ("3x3x3", "A1 A2 A3 B1 B3 B2 C1 C3 C2", "draw", ""),
        ("1x2x3", "A1 A2", "draw", ""),
        ("4x1x3", "A1 D1 B1 C1", "draw", ""),
        ("3x1x3:B1", "A1 C1", "draw", ""),
    ],
)
def test_games_worked_out_by_hand(board, cells, outcome, line):
    position = play_all(board, cells)
    assert position.outcome == OUTCOMES[outcome]
    assert " ".join(map(position.board.cell_name, position.winning_line())) == line


def test_both_seats_have_a_number():
    position = Position.start()
    assert (position.to_move, position.play(0).to_move) == (FIRST, SECOND) == (0, 1)


@pytest.mark.parametrize("board", ["3x3x3", "3x3x3:B2", "2x4x3"])
def test_from_cells_takes_exactly_the_positions_that_games_lead_to(board):
    board = Board.parse(board)
    reached = set()

    def explore(position):
        if position not in reached:
            reached.add(position)
            for cell in position.legal_cells():
                explore(position.play(cell))

    explore(Position.start(board))
    accepted = set()
    choices = [(3,) if cell in board.bricks else (0, 1, 2) for cell in range(board.cells)]
    for codes in product(*choices):
        try:
            accepted.add(Position.from_cells(board, codes))
        except ValueError:
            continue
    assert accepted == reached
    assert {position: position.outcome for position in accepted} == {p: p.outcome for p in reached}
    if str(board) == "3x3x3":
        assert len(reached) == 5478  # well known for tic-tac-toe


@settings(max_examples=40)
@given(games())
def test_a_last_move_is_taken_exactly_where_it_could_have_been_the_last(game):
    board, cells = game
    position = position_of(board, cells)
    mover = position.theirs
    for cell in range(board.cells):
        earlier = Oracle.of(board)
        for row, line in enumerate(earlier.grid):
            line[:] = [".OX#"[code] for code in position.cells[row * board.cols : (row + 1) * board.cols]]
        earlier.grid[cell // board.cols][cell % board.cols] = "."
        possible = bool(mover & board.bit(cell)) and earlier.outcome() == Outcome.UNFINISHED
        try:
            copy = Position.from_cells(board, position.cells, last_move=cell)
        except ValueError:
            assert not possible
        else:
            assert possible
            assert copy.last_move == cell


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("A1", "cell A1 has a brick; free cells are A3, B1, B3, C1, C2, C3"),
        ("b2", "cell B2 is taken; free cells are A3"),
        (1, "cell A2 is taken; free cells are A3"),
        ("D4", "cell 'D4' is not on the 3x3 board"),
        ("", "cell '' is not on the 3x3 board"),
        (9, "cell 9 is not on the 3x3 board: cells are 0 to 8"),
        (-1, "cell -1 is not on the 3x3 board"),
        (4.0, "cell 4.0 is not on the 3x3 board"),
        (None, "cell None is not on the 3x3 board"),
    ],
)
def test_illegal_moves_are_named(cell, message):
    position = Position.parse("3x3x3:A1 #O./.X./...")
    with pytest.raises(ValueError, match=re.escape(message)):
        position.play(cell)


def test_no_move_after_the_end():
    position = play_all("7x7x4", "A1 B1 A2 B2 A3 B3 A4")
    with pytest.raises(ValueError, match=r"the game is over \(first wins\)"):
        position.play("G7")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "position '' does not have the form"),
        ("3x3x3", "position '3x3x3' does not have the form"),
        ("3x3x3 .../.../... A1 A2", "does not have the form"),
        ("3x3 .../.../...", "board '3x3' does not have the form"),
        ("3x3x3 .../...", "needs 3 rows of 3 cells"),
        ("3x3x3 .../..../...", "needs 3 rows of 3 cells"),
        ("3x3x3 .../.o./...", "unknown symbols ['o']; allowed are '.OX#'"),
        ("3x3x3 #../.../...", "cell A1 does not agree with the bricks of 3x3x3"),
        ("3x3x3:A1 .../.../...", "cell A1 does not agree with the bricks of 3x3x3:A1"),
        ("3x3x3 OO./.../...", "the first player has 2 stones and the second 0"),
        ("3x3x3 X../.../...", "the first player has 0 stones and the second 1"),
        ("3x3x3 OOO/XXX/...", "the game was over before the last move"),
        ("3x3x3 OOO/XX./X..", "the game was over before the last move"),
        ("3x3x3 OOO/XX./... D1", "cell 'D1' is not on the 3x3 board"),
        ("3x3x3 OOO/XX./... B1", "last move B1 is not a stone of the player who moved last"),
        ("3x3x3 OOO/XX./... C3", "last move C3 is not a stone of the player who moved last"),
        ("3x3x3 OOO/OXX/OXX A2", "the game was over before the last move"),  # only A1 makes both lines
        ("3x3x3 .../.../... A1", "last move A1 is not a stone of the player who moved last"),
    ],
)
def test_wrong_texts_are_named(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Position.parse(text)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([0] * 8, "a 3x3 board has 9 cells, got 8"),
        ([0] * 8 + [4], "cell C3 has code 4; codes are 0 to 3"),
        ([0] * 8 + [-1], "cell C3 has code -1; codes are 0 to 3"),
        ([1.5] + [0] * 8, "cell A1 has code 1.5; codes are 0 to 3"),
        (["O"] + [0] * 8, "cell A1 has code O; codes are 0 to 3"),
    ],
)
def test_wrong_codes_are_named(cells, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Position.from_cells(Board(3, 3, 3), cells)


def test_positions_are_frozen():
    with pytest.raises(AttributeError):
        Position.start().first = 1
