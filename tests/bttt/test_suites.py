"""The bundled suites match their descriptions; the solver labels a sample again."""

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import bttt
from bttt.board import Board
from bttt.position import Position
from bttt.solver.exact import Solver
from bttt.suites import SUITES, load_suite, read_suite, write_suite
from bttt.symmetry import symmetries

FOLDER = Path(bttt.__file__).parent / "suite_data"
SAMPLE = {"single": 60, "bricks2": 20, "bricks4": 20, "drawn": 20}


def mirror_free(position):
    """One string for all mirror images of a position, computed from cell codes instead of words."""
    grid = position.cells.reshape(position.board.rows, position.board.cols)
    turned = [np.rot90(each, turns) for each in (grid, grid.T) for turns in range(4)]
    return min(each.tobytes() for each in turned)


@pytest.fixture(params=SUITES)
def suite(request):
    return load_suite(request.param)


def test_positions_could_have_been_played_and_are_not_over(suite):
    for position in suite.positions():
        checked = Position.from_cells(position.board, position.cells)  # raises if no game leads there
        assert checked == position and not checked.outcome


def test_some_legal_cell_keeps_the_value_and_some_throws_it_away(suite):
    for position, record, value, keeping in zip(
        suite.positions(), suite.records, suite.values, suite.keeping.tolist(), strict=True
    ):
        wins, draws = int(record["wins"]), int(record["draws"])
        assert wins & draws == 0 and (wins | draws) & ~position.free == 0
        assert keeping == (wins if value == 1 else draws)
        assert 0 != keeping != position.free


def test_labels_are_the_solvers(suite):
    solver = Solver(16)
    places = sorted(random.Random(4).sample(range(len(suite)), SAMPLE[suite.name]))
    chosen = suite.take(np.array(places))
    proven = 0
    for number, position in enumerate(chosen.positions()):
        for cell, verdict in solver.classify(position, 300_000, plies=False).items():
            if verdict.value is not None:  # a mirror image may take longer than the labelled position
                proven += 1
                assert chosen.values_after(np.full(len(chosen), cell))[number] == verdict.value
    assert proven > 0.8 * sum(len(position.legal_cells()) for position in chosen.positions())


def test_no_two_positions_are_mirror_images(suite):
    assert len({mirror_free(position) for position in suite.positions()}) == len(suite)


def test_each_board_has_as_many_positions_and_players_move_in_turn(suite):
    counts = Counter(suite.board_numbers.tolist())
    assert len(counts) == len(suite.boards) and len(set(counts.values())) == 1
    assert (np.diff(suite.board_numbers) >= 0).all()
    assert (suite.plies.reshape(len(suite.boards), -1) % 2 == np.arange(counts[0]) % 2).all()
    assert all(
        position.to_move == ply % 2 for position, ply in zip(suite.positions(), suite.plies, strict=True)
    )


def test_single_has_200_positions_of_each_brick_cell():
    suite = load_suite("single")
    assert suite.boards == tuple(Board(bricks=[cell]) for cell in range(49))
    assert len(suite) == 49 * 200


@pytest.mark.parametrize(("name", "bricks"), [("bricks2", 2), ("bricks4", 4), ("drawn", 12)])
def test_others_have_400_positions_with_more_bricks(name, bricks):
    suite = load_suite(name)
    assert len(suite) == 400
    assert {len(board.bricks) for board in suite.boards} == {bricks}


def test_all_files_are_smaller_than_two_megabytes():
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert {path.stem for path in files} == set(SUITES)
    assert sum(path.stat().st_size for path in files) < 2_000_000


def test_the_description_counts_what_is_there(suite):
    made = suite.made
    assert made["positions"] == len(suite) == made["won"] + made["drawn"]
    assert made["won"] == sum(suite.values.tolist())
    assert made["first to move"] == sum(position.to_move == 0 for position in suite.positions())
    assert {int(ply): count for ply, count in made["by ply"].items()} == Counter(suite.plies.tolist())


def test_values_after_agree_with_the_words():
    suite = load_suite("single").take(np.array([0, 7, 9000]))
    for number, (position, record) in enumerate(zip(suite.positions(), suite.records, strict=True)):
        board = position.board
        for cell in position.legal_cells():
            expected = 1 if cell in board.word_cells(int(record["wins"])) else -1
            expected = 0 if cell in board.word_cells(int(record["draws"])) else expected
            assert suite.values_after(np.full((2, 3), cell))[1, number] == expected


def test_first_of_each_board():
    suite = load_suite("bricks2")
    places = suite.first_of_each_board(3)
    assert places.tolist() == [8 * board + number for board in range(50) for number in range(3)]
    assert suite.first_of_each_board(10**9).tolist() == list(range(400))
    assert suite.take(places).boards == suite.boards
    part = suite.take(np.array([9, 17]))
    assert part.boards == suite.boards[1:3] and part.board_numbers.tolist() == [0, 1]


def test_written_is_what_is_read_and_corruption_is_reported(tmp_path):
    suite = load_suite("bricks4")
    write_suite("bricks4", suite.size, suite.records, {"seed": 3}, tmp_path)
    again = read_suite("bricks4", tmp_path)
    assert (again.records == suite.records).all() and again.made["seed"] == 3
    assert again.made["sha256"] == suite.made["sha256"]
    path = tmp_path / "bricks4.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(ValueError, match="corrupt"):
        read_suite("bricks4", tmp_path)
    made = json.loads((tmp_path / "bricks4.json").read_text())
    (tmp_path / "bricks4.json").write_text(json.dumps({**made, "version": 99}))
    with pytest.raises(ValueError, match="version 99"):
        read_suite("bricks4", tmp_path)


def test_an_unknown_suite_is_told():
    with pytest.raises(ValueError, match=r"unknown suite 'singel' .*'single'.*; suites are single"):
        load_suite("singel")


def test_loading_a_suite_loads_no_kernels():
    code = (
        "import sys; from bttt.suites import load_suite; load_suite('single').positions(); "
        "print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_symmetries_used_here_are_those_of_the_board():
    position = load_suite("bricks4").positions()[0]
    images = {mirror_free(each.position(position)) for each in symmetries(7, 7)}
    assert len(images) == 1
