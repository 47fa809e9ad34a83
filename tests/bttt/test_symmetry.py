import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import SIZES, boards, games, position_of

from bttt.board import Board
from bttt.position import Position
from bttt.symmetry import canonical_board, move_orbits, orbits, symmetries

sizes = st.sampled_from(SIZES)


@given(games())
def test_symmetry_commutes_with_play(game):
    board, cells = game
    for symmetry in symmetries(board.rows, board.cols):
        position = Position.start(board)
        image = symmetry.position(position)
        assert image == Position.start(symmetry.board(board))
        for cell in cells:
            position, image = position.play(cell), image.play(symmetry.cell(cell))
        assert symmetry.position(position) == image
        assert symmetry.position(position).last_move == image.last_move
        assert image.outcome == position.outcome
        assert image.legal_cells() == tuple(sorted(map(symmetry.cell, position.legal_cells())))
        assert image.winning_line() == tuple(sorted(map(symmetry.cell, position.winning_line())))


@given(games())
def test_policies_move_like_cells(game):
    board, cells = game
    policy = np.random.default_rng(0).random(board.cells)
    position = position_of(board, cells)
    for symmetry in symmetries(board.rows, board.cols):
        moved = symmetry.policy(policy)
        assert all(moved[symmetry.cell(cell)] == policy[cell] for cell in range(board.cells))
        image = symmetry.position(position)
        assert np.array_equal(symmetry.policy(position.cells), image.cells)
        assert np.array_equal(symmetry.policy(position.legal_mask()), image.legal_mask())
        batch = np.stack([policy, 2 * policy])
        assert np.array_equal(symmetry.policy(batch), np.stack([moved, 2 * moved]))
        assert symmetry.policy(policy.astype(np.float32)).dtype == np.float32


@given(sizes)
def test_symmetries_are_a_group(size):
    rows, cols = size
    group = symmetries(rows, cols)
    images = {symmetry.image for symmetry in group}
    assert group[0].image == tuple(range(rows * cols))
    assert len({symmetry.name for symmetry in group}) == len(group) == (8 if rows == cols else 4)
    for one in group:
        assert sorted(one.image) == list(range(rows * cols))
        assert any(all(other.cell(cell) == at for at, cell in enumerate(one.image)) for other in group)
        for other in group:
            assert tuple(other.cell(cell) for cell in one.image) in images


@given(sizes)
def test_symmetries_keep_neighbours_neighbours(size):
    rows, cols = size

    def distance(one, other):
        return abs(one // cols - other // cols) + abs(one % cols - other % cols)

    pairs = [(cell, other) for cell in range(rows * cols) for other in (cell + 1, cell + cols)]
    for symmetry in symmetries(rows, cols):
        for one, other in pairs:
            if other < rows * cols:
                assert distance(symmetry.cell(one), symmetry.cell(other)) == distance(one, other)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("identity", "A1 A3 C1 A2"),
        ("flip rows", "C1 C3 A1 C2"),
        ("flip columns", "A3 A1 C3 A2"),
        ("half turn", "C3 C1 A3 C2"),
        ("transpose", "A1 C1 A3 B1"),
        ("quarter turn", "C1 A1 C3 B1"),
        ("three-quarter turn", "A3 C3 A1 B3"),
        ("antitranspose", "C3 A3 C1 B3"),
    ],
)
def test_where_corners_and_the_top_edge_go(name, names):
    board = Board(3, 3, 3)
    [symmetry] = [symmetry for symmetry in symmetries(3, 3) if symmetry.name == name]
    moved = [board.cell_name(symmetry.cell(board.cell(cell))) for cell in ("A1", "A3", "C1", "A2")]
    assert " ".join(moved) == names


def test_flips_of_c3_include_e5():
    board = Board(bricks="C3")
    flips = [s for s in symmetries(7, 7) if s.name in ("identity", "flip rows", "flip columns", "half turn")]
    assert sorted(s.board(board).brick_names for s in flips) == ["C3", "C5", "E3", "E5"]


def test_orbits_of_the_paper_board():
    found = orbits(7, 7)
    assert [len(orbit) for orbit in found] == [4, 8, 8, 4, 4, 8, 4, 4, 4, 1]
    board = Board()
    assert [board.cell_name(cell) for cell in found[0]] == ["A1", "A7", "G1", "G7"]
    assert [board.cell_name(cell) for cell in found[-1]] == ["D4"]


@pytest.mark.parametrize(
    ("size", "count"), [((3, 3), 3), ((6, 6), 6), ((6, 7), 12), ((7, 6), 12), ((1, 5), 3), ((32, 1), 16)]
)
def test_number_of_orbits(size, count):
    assert len(orbits(*size)) == count


@given(sizes)
def test_orbits_part_the_cells_and_are_closed(size):
    found = orbits(*size)
    assert sorted(cell for orbit in found for cell in orbit) == list(range(size[0] * size[1]))
    assert list(found) == sorted(tuple(sorted(orbit)) for orbit in found)
    for orbit in found:
        for symmetry in symmetries(*size):
            assert {symmetry.cell(cell) for cell in orbit} == set(orbit)


@given(boards())
def test_canonical_board_is_one_of_the_images_and_the_same_for_all(board):
    images = [symmetry.board(board) for symmetry in symmetries(board.rows, board.cols)]
    assert canonical_board(board) in images
    assert {canonical_board(image) for image in images} == {canonical_board(board)}
    assert len(canonical_board(board).bricks) == len(board.bricks)


def test_canonical_boards_of_one_brick_are_the_orbits():
    assert len({canonical_board(Board(bricks=[cell])) for cell in range(49)}) == 10


def test_a_symmetry_of_another_size_is_refused():
    flip = symmetries(6, 7)[1]
    for move, value in ((flip.board, Board()), (flip.position, Position.start())):
        with pytest.raises(ValueError, match="a symmetry of 6x7 boards cannot transform a 7x7 board"):
            move(value)
    with pytest.raises(ValueError, match=re.escape("the last axis must have 42 cells, got shape (7, 6)")):
        flip.policy(np.zeros((7, 6)))


@pytest.mark.parametrize(
    ("board", "classes"), [("7x7x4", 10), ("7x7x4:D4", 9), ("7x7x4:A2", 48), ("3x4x3", 4)]
)
def test_classes_of_moves_lead_to_mirror_images(board, classes):
    position = Position.start(Board.parse(board))
    found = move_orbits(position)
    assert len(found) == classes
    assert sorted(cell for cells in found for cell in cells) == list(position.legal_cells())
    for cells in found:
        assert list(cells) == sorted(cells)
        images = [
            each.position(position.play(cells[0]))
            for each in symmetries(position.board.rows, position.board.cols)
        ]
        assert all(position.play(cell) in images for cell in cells)


def test_stones_break_the_symmetry_of_moves():
    position = Position.start(Board(3, 3, 3)).play("A1")
    assert move_orbits(position) == ((1, 3), (2, 6), (4,), (5, 7), (8,))
