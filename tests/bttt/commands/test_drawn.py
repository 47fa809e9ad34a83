import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solve import exact_value

from bttt.board import Board
from bttt.bricks import DRAWN_FILE, brick_set
from bttt.commands.drawn import DrawnConfig, drawn_text, find_drawn, trial_layout, with_fewer_lines
from bttt.commands.random_layouts import random_layout
from bttt.position import Position
from bttt.symmetry import canonical_board

SIZE = Board(3, 4, 3)


def config(tmp_path, **changes):
    given = {"count": 5, "tries": 30, "table_mb": 1, "workers": 1, "out": tmp_path / "log", **changes}
    return DrawnConfig(**given)


@pytest.mark.parametrize("bricks", [4, 5, 6])
def test_what_is_found_is_drawn_by_brute_force_too(bricks, tmp_path):
    drawn = find_drawn(SIZE, bricks, config(tmp_path, count=100))
    assert drawn.found == len(drawn.boards) <= drawn.tried
    for board in drawn.boards:
        assert len(board.bricks) == bricks
        assert exact_value(Position.start(board)) == 0
    assert len(set(map(canonical_board, drawn.boards))) == len(drawn.boards)
    assert drawn.boards == tuple(map(canonical_board, drawn.boards))


def test_layouts_are_improved_only_where_too_few_are_found(tmp_path):
    plenty = find_drawn(SIZE, 5, config(tmp_path, count=2))
    assert not plenty.improved and len(plenty.boards) == 2
    size = Board(4, 4, 3)
    few = find_drawn(size, 4, config(tmp_path, count=100))
    assert few.improved
    assert set(few.boards) <= {
        canonical_board(trial_layout(size, 4, 0, number, improved=True)) for number in range(30)
    }


def test_what_is_not_proven_is_not_taken(tmp_path):
    assert find_drawn(Board(), 10, config(tmp_path, tries=3, nodes=1)).boards == ()


@settings(max_examples=30)
@given(st.integers(0, 10), st.integers(0, 10**6))
def test_improved_layouts_leave_no_more_lines_and_no_single_move_leaves_fewer(bricks, number):
    board = random_layout(Board(6, 6, 4), bricks, 0, number)
    better = with_fewer_lines(board)
    assert len(better.bricks) == bricks
    assert len(better.windows) <= len(board.windows)
    assert with_fewer_lines(better) == better


def test_the_best_cell_of_one_brick_is_in_the_middle():
    assert with_fewer_lines(Board(bricks="A1")) == Board(bricks="D4")


def test_the_text_says_how_each_number_was_found(tmp_path):
    settings = config(tmp_path, bricks=(5,), board="3x4x3")
    drawn = find_drawn(SIZE, 5, settings)
    lines = drawn_text(settings, [drawn]).splitlines()
    assert lines[4] == f"# 5 bricks: {drawn.found} of {drawn.tried} are proven draws, sampled uniformly"
    assert [Board.parse(line) for line in lines[5:]] == list(drawn.boards)


def test_the_stored_layouts_are_different_and_at_most_fifty_of_a_kind():
    boards = [Board.parse(line) for line in DRAWN_FILE.read_text().splitlines() if not line.startswith("#")]
    assert len(set(map(canonical_board, boards))) == len(boards)
    for bricks in {len(board.bricks) for board in boards}:
        assert 1 <= len(brick_set(f"drawn:{bricks}")) <= 50
