import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from oracle import SIZES, Oracle, boards

from bttt.board import Board, row_name


def test_default_is_the_paper_board():
    board = Board()
    assert (board.rows, board.cols, board.win_length, board.bricks) == (7, 7, 4, ())
    assert board.cells == 49
    assert len(board.windows) == 88
    assert board.cell("D4") == 24
    assert board.cell("E5") == 32


@pytest.mark.parametrize(
    "bricks", ["D4,E5", "e5, d4", ["E5", "D4"], (24, 32), np.array([32, 24]), ["D4", 32]]
)
def test_bricks_may_be_names_or_indices_in_any_order(bricks):
    board = Board(bricks=bricks)
    assert board.bricks == (24, 32)
    assert all(type(brick) is int for brick in board.bricks)
    assert board == Board(bricks=("D4", "E5"))
    assert hash(board) == hash(Board(bricks=("D4", "E5")))
    assert board != Board(bricks=("D4",))


@given(boards())
def test_text_round_trip(board):
    assert Board.parse(str(board)) == board


@pytest.mark.parametrize(
    ("text", "board"),
    [
        ("7x7x4:D4,E5", Board(7, 7, 4, ("D4", "E5"))),
        ("3x3x3", Board(3, 3, 3)),
        (" 3X3x3 ", None),
        (" 8x7x5 : h7 ", Board(8, 7, 5, ("H7",))),
        ("32x1x3:AF1", Board(32, 1, 3, (31,))),
        ("7x7x4:", Board()),
    ],
)
def test_parse(text, board):
    if board is None:
        with pytest.raises(ValueError, match="does not have the form"):
            Board.parse(text)
    else:
        assert Board.parse(text) == board


@given(boards())
def test_text_does_not_depend_on_how_the_bricks_were_given(board):
    names = [board.cell_name(brick).lower() for brick in reversed(board.bricks)]
    assert str(board.with_bricks(names)) == str(board) == str(board.with_bricks(",".join(names)))


@given(boards())
def test_cell_names_and_indices_are_inverse(board):
    names = [board.cell_name(cell) for cell in range(board.cells)]
    assert len(set(names)) == board.cells
    assert names[0] == "A1"
    assert [board.cell(name) for name in names] == list(range(board.cells))
    assert [board.cell(np.int64(cell)) for cell in range(board.cells)] == list(range(board.cells))


def test_rows_after_z_go_on_with_two_letters():
    assert [row_name(row) for row in (0, 25, 26, 27, 51, 52)] == ["A", "Z", "AA", "AB", "AZ", "BA"]
    board = Board(32, 1, 3)
    assert board.cell("Z1") == 25
    assert board.cell("aa1") == 26
    assert board.cell_name(31) == "AF1"


@given(boards())
def test_words_are_those_of_the_cells(board):
    free = [cell for cell in range(board.cells) if cell not in board.bricks]
    assert board.word_cells(board.playable) == tuple(free)
    assert sum(board.bit(cell) for cell in free) == board.playable
    assert board.playable < 2**64
    spare = sum(1 << (board.stride * row + board.cols) for row in range(board.rows))
    assert board.playable & spare == 0


@given(boards())
def test_windows_equal_the_lines_looked_up_cell_by_cell(board):
    lines = [{row * board.cols + col for row, col in line} for line in Oracle.of(board).lines]
    open_lines = [line for line in lines if not line & set(board.bricks)]
    assert sorted(map(board.word_cells, board.windows)) == sorted(tuple(sorted(line)) for line in open_lines)


@pytest.mark.parametrize(("rows", "cols"), [(8, 8), (9, 7), (1, 64), (33, 1), (0, 7), (7, 0), (-1, -1)])
def test_a_size_that_does_not_fit_is_refused_with_the_limit(rows, cols):
    assert (rows, cols) not in SIZES
    with pytest.raises(ValueError, match=re.escape(f"{rows}x{cols}") + ".*at most 64"):
        Board(rows, cols)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": 7.0}, "rows must be a whole number, got 7.0"),
        ({"cols": "7"}, "cols must be a whole number, got '7'"),
        ({"win_length": None}, "win_length must be a whole number, got None"),
        ({"win_length": 2}, "win_length must be at least 3, got 2"),
        ({"bricks": "H1"}, "cell 'H1' is not on the 7x7 board: cells are A1 to G7"),
        ({"bricks": "24"}, "cell '24' is not on the 7x7 board: cells are A1 to G7"),
        ({"bricks": ["D0"]}, "cell 'D0' is not on the 7x7 board"),
        ({"bricks": [49]}, "cell 49 is not on the 7x7 board: cells are 0 to 48"),
        ({"bricks": [-1]}, "cell -1 is not on the 7x7 board"),
        ({"bricks": [1.0]}, "cell 1.0 is not on the 7x7 board"),
        ({"bricks": 24}, "bricks must be cells, for example ('D4', 32) or 'D4,E5', got 24"),
        ({"bricks": None}, "bricks must be cells, for example ('D4', 32) or 'D4,E5', got None"),
        ({"bricks": "D4,d4"}, "brick D4 is given twice"),
        ({"bricks": ["D4", 24]}, "brick D4 is given twice"),
        ({"rows": 1, "cols": 2, "bricks": (0, 1)}, "2 bricks leave no free cell on a 1x2 board"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Board(**arguments)


@pytest.mark.parametrize("text", ["", "7x7", "7x7x4;D4", "7x7x4x4", "-7x7x4", "7 x 7 x 4", "D4", "axbxc"])
def test_parse_names_the_text_and_the_form(text):
    with pytest.raises(ValueError, match=re.escape(repr(text)) + ".*ROWSxCOLSxWIN.*7x7x4:D4,E5"):
        Board.parse(text)


@given(boards())
def test_boards_survive_pickling(board):
    board.windows, board.playable  # noqa: B018 - cached values travel too
    assert pickle.loads(pickle.dumps(board)) == board


def test_boards_are_frozen():
    with pytest.raises(AttributeError):
        Board().rows = 8
