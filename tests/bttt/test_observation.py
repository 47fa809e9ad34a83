import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Oracle, games, position_of

import bttt
from bttt import FIRST, SECOND, Board, Position, observe


def planes_by_hand(game: Oracle, seat: int) -> list[list[list[int]]]:
    mine, theirs = ("O", "X") if seat == FIRST else ("X", "O")
    marked = [
        [[int(symbol == wanted) for symbol in row] for row in game.grid] for wanted in (mine, theirs, "#")
    ]
    return [*marked, [[seat for _ in row] for row in game.grid]]


@settings(max_examples=60)
@given(games(), st.sampled_from([FIRST, SECOND]))
def test_planes_agree_with_the_rules_written_out(game, seat):
    board, played = game
    planes = observe(position_of(board, played), seat)
    assert planes.shape == (4, board.rows, board.cols)
    assert planes.dtype == np.int8
    assert planes.tolist() == planes_by_hand(Oracle.of(board, played), seat)


@settings(max_examples=30)
@given(games())
def test_the_mask_is_that_of_the_legal_cells(game):
    board, played = game
    mask = position_of(board, played).legal_mask()
    assert mask.dtype == np.int8
    assert np.flatnonzero(mask).tolist() == Oracle.of(board, played).legal_cells()
    assert set(mask.tolist()) <= {0, 1}


def test_the_view_is_that_of_the_player_to_move():
    position = Position.start(Board(3, 3, 3, "C3"))
    assert observe(position)[3].sum() == 0
    position = position.play("A2")
    planes = observe(position)
    assert planes[0].sum() == 0
    assert planes[1, 0, 1] == 1
    assert planes[2].nonzero() == (2, 2)
    assert planes[3].all()


def test_a_finished_game_is_seen_by_who_did_not_end_it():
    position = Position.start(Board(3, 3, 3))
    for cell in ("A1", "B1", "A2", "B2", "A3"):
        position = position.play(cell)
    planes = observe(position)
    assert np.array_equal(planes, observe(position, SECOND))
    assert planes[1, 0].tolist() == [1, 1, 1]


def test_an_unknown_seat_is_refused():
    with pytest.raises(ValueError, match=r"seat must be 0 \(first\) or 1 \(second\), got 2"):
        observe(Position.start(), 2)


def test_the_package_exports_it():
    assert "observe" in bttt.__all__
