import csv
import io
from functools import cache

import pytest

from bttt.board import Board
from bttt.bricks import brick_set
from bttt.commands.starts import (
    SolvedStart,
    first_moves_csv,
    orbit_table,
    positions_to_solve,
    start_of,
    starts_csv,
)
from bttt.commands.starts_picture import draw_starts
from bttt.position import Position
from bttt.solver.exact import Solver, Verdict
from bttt.solver.log import LOG_FILE, SolveSettings, solve_logged

SIZE = Board(4, 4, 3)


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """All starts of 4x4x3 with one brick."""
    boards = brick_set("all", SIZE)
    search = SolveSettings(100_000, plies=True, table_mb=1, workers=1)
    log = solve_logged(tmp_path_factory.mktemp("log") / LOG_FILE, positions_to_solve(boards), search)
    return [start_of(board, log) for board in boards]


@cache
def verdict_after(position):
    after = Solver(1).solve(position, cells=False)
    return Verdict(-after.value, after.plies + 1)


def test_each_class_of_mirror_images_is_solved_once():
    tasks = positions_to_solve(brick_set("all"))
    starts = [position for position in tasks if not position.plies]
    assert len(starts) == 10
    assert len({str(position) for position in tasks}) == len(tasks) == 10 + 3 * 27 + 3 * 48 + 3 * 27 + 9
    centre = positions_to_solve([Board(bricks="D4")])
    assert len(centre) == 1 + 9


def test_mirrored_first_moves_are_worth_what_a_search_of_their_own_says(solved):
    for start in solved:
        position = Position.start(start.board)
        assert list(start.moves) == list(position.legal_cells())
        for cell, verdict in start.moves.items():
            assert verdict == verdict_after(position.play(cell)), (start.board, cell)


def test_a_start_is_worth_its_best_first_move(solved):
    for start in solved:
        best = max(verdict.value for verdict in start.moves.values())
        assert start.verdict.value == best == 1
        assert start.verdict.plies == min(move.plies for move in start.moves.values() if move.value == 1)


def test_the_tables_say_the_same_as_the_starts(solved):
    rows = list(csv.DictReader(io.StringIO(starts_csv(solved))))
    assert [row["brick"] for row in rows] == [start.board.brick_names for start in solved]
    corner = rows[0]
    assert (corner["orbit"], corner["value"], corner["plies"]) == ("0", "1", "5")
    assert corner["fastest_moves"] == "B2 B3 C2 C3"
    kinds = ("winning_moves", "drawing_moves", "losing_moves", "unproven_moves")
    assert [corner[kind] for kind in kinds] == ["13", "0", "2", "0"]
    moves = list(csv.DictReader(io.StringIO(first_moves_csv(solved))))
    assert len(moves) == 16 * 15
    assert moves[0] == {"brick": "A1", "move": "A2", "value": "-1", "plies": "8"}
    lines = orbit_table(solved).splitlines()
    assert len(lines) == 1 + 3
    assert " ".join(lines[1].split()) == "A1 and 3 mirrored W5 13 0 2 0 B2 B3 C2 C3"


def test_what_is_not_proven_stays_open(tmp_path):
    board = Board(bricks="D4")
    start = SolvedStart(
        board, Verdict(1), {0: Verdict(None), 1: Verdict(1), 2: Verdict(0, 48), 3: Verdict(-1, 14)}
    )
    assert start.counts() == {1: 1, 0: 1, -1: 1, None: 1}
    assert start.fastest() == ()
    assert starts_csv([start]).splitlines()[1] == "D4,9,1,,1,1,1,1,"
    assert first_moves_csv([start]).splitlines()[1:3] == ["D4,A1,,", "D4,A2,1,"]
    draw_starts({start.board: start.moves}, tmp_path / "open.png")
    assert (tmp_path / "open.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_fits_and_is_reproducible(solved, tmp_path):
    starts = {start.board: start.moves for start in solved}
    for name in ("a.png", "b.png"):
        draw_starts(starts, tmp_path / name)
    content = (tmp_path / "a.png").read_bytes()
    assert content == (tmp_path / "b.png").read_bytes()
    changed = {board: {cell: Verdict(0, 15) for cell in moves} for board, moves in starts.items()}
    draw_starts(changed, tmp_path / "c.png")
    assert content != (tmp_path / "c.png").read_bytes()
