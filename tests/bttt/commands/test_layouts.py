from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solve import exact_value

from bttt.board import Board
from bttt.commands.layouts import balance, draw_layouts, layouts_csv, layouts_table, tally
from bttt.commands.layouts_picture import draw_tallies
from bttt.commands.random_layouts import random_layout
from bttt.commands.tally import LayoutTally
from bttt.position import Position
from bttt.solver.log import LOG_FILE, SolveSettings, solve_logged
from bttt.symmetry import canonical_board

SMALL = Board(3, 4, 3)


def solved(tmp_path, boards, node_limit=100_000):
    search = SolveSettings(node_limit, plies=False, table_mb=1, workers=1)
    starts = [Position.start(canonical_board(board)) for board in boards]
    return solve_logged(tmp_path / LOG_FILE, starts, search)


@given(st.integers(0, 12), st.integers(0, 2**40), st.integers(0, 500))
def test_a_layout_depends_on_its_seed_size_bricks_and_number_alone(bricks, seed, number):
    board = random_layout(Board(), bricks, seed, number)
    assert len(board.bricks) == bricks and board.with_bricks(()) == Board()
    assert board == random_layout(Board(), bricks, seed, number)


def test_layouts_differ_by_each_of_these_and_more_of_them_begin_with_the_same():
    board = random_layout(Board(), 5, 0, 0)
    others = [
        random_layout(Board(), 5, 0, 1),
        random_layout(Board(), 5, 1, 0),
        random_layout(Board(), 6, 0, 0),
    ]
    assert board not in others
    assert random_layout(Board(7, 7, 5), 5, 0, 0).bricks != board.bricks
    assert draw_layouts(Board(), 5, 30, 0)[:10] == draw_layouts(Board(), 5, 10, 0)


def test_layouts_are_uniform():
    """Each of the 66 pairs within 5 standard deviations of its mean; chance of more: below 1 in 10,000."""
    boards = [random_layout(SMALL, 2, 7, number) for number in range(3300)]
    counts = [boards.count(SMALL.with_bricks(pair)) for pair in combinations(range(12), 2)]
    assert sum(counts) == 3300
    assert max(abs(count - 50) for count in counts) < 5 * 50**0.5


@pytest.mark.parametrize("bricks", [0, 1, 2, 11])
def test_few_layouts_are_all_counted(bricks):
    boards = draw_layouts(SMALL, bricks, comb(12, bricks), seed=3)
    assert len(set(boards)) == len(boards) == comb(12, bricks)


@pytest.mark.parametrize(("size", "bricks"), [(Board(3, 3, 3), 2), (SMALL, 6), (Board(4, 4, 3), 8)])
def test_the_tally_is_that_of_brute_force(size, bricks, tmp_path):
    boards = draw_layouts(size, bricks, 60, seed=0)
    values = [exact_value(Position.start(canonical_board(board))) for board in boards]
    counted = tally(size, bricks, boards, solved(tmp_path, boards))
    assert (counted.win, counted.draw, counted.loss) == tuple(map(values.count, (1, 0, -1)))
    assert counted.draw and (counted.win or size != Board(4, 4, 3))
    assert counted.loss == counted.unproven == 0
    assert counted.exhaustive == (len(boards) < 60)
    assert counted.different == len(set(map(canonical_board, boards)))
    low, high = counted.interval(counted.win)
    assert low == high or not counted.exhaustive
    assert low <= counted.win / len(boards) <= high


def test_a_limit_leaves_layouts_unproven_and_widens_the_interval(tmp_path):
    boards = draw_layouts(Board(), 10, 8, seed=0)
    counted = tally(Board(), 10, boards, solved(tmp_path, boards, node_limit=1))
    assert counted.unproven == 8 and not counted.exhaustive
    assert counted.interval(counted.win) == (0.0, 1.0)


def test_tables_and_the_line_on_balance(tmp_path):
    size = Board(5, 5, 4)
    tallies = [
        LayoutTally(size, 0, 1, 1, True, 1, 0, 0),
        LayoutTally(size, 1, 25, 6, True, 20, 5, 0),
        LayoutTally(size, 2, 100, 70, False, 40, 50, 0),
        LayoutTally(size, 3, 100, 90, False, 0, 95, 0),
    ]
    rows = layouts_csv(tallies).splitlines()
    assert rows[2] == "5x5x4,1,25,6,20,5,0,0,0.8000,0.8000,0.2000,0.2000"
    assert rows[3].startswith("5x5x4,2,100,70,40,50,0,10,0.3094,0.5")
    assert layouts_table(tallies).splitlines()[2].split() == [
        *("5x5x4", "1", "25", "6", "20", "5", "0", "0", "80-80%", "20-20%")
    ]
    expected = "5x5x4: most layouts are proven wins with 0-1 bricks; most are proven draws with 3"
    assert balance(tallies) == expected
    draw_tallies(tallies, tmp_path / "layouts.png")
    assert (tmp_path / "layouts.png").read_bytes().startswith(b"\x89PNG")
