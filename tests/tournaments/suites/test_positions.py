"""Building suites: rebuilt from scratch they are the same, whatever the number of processes."""

import numpy as np
import pytest

from bttt.board import Board
from bttt.bricks import brick_set
from bttt.position import Position
from bttt.suites import Suite, load_suite
from bttt.symmetry import canonical_board
from tournaments.suites.command import RECIPES, SIZE, build
from tournaments.suites.positions import Mixture, collect

CHEAP = Mixture(players=("random", "minimax:depth=1"), node_limit=20_000)


def test_a_board_of_a_shipped_suite_is_rebuilt_bit_for_bit():
    suite = load_suite("bricks2")
    board = suite.boards[-1]
    mates = [each for each in suite.boards if canonical_board(each) == canonical_board(board)]
    records, _ = collect(mates, RECIPES["bricks2"][1], Mixture())
    numbers = [suite.boards.index(each) for each in mates]
    assert (suite.records.reshape(len(suite.boards), -1)[numbers] == records).all()


def test_suites_do_not_depend_on_the_number_of_processes():
    boards = brick_set("orbit:D4") + brick_set("orbit:A1")
    one, counts = build(boards, 3, CHEAP, 1)
    two, same_counts = build(boards, 3, CHEAP, 2)
    assert (one == two).all() and counts == same_counts
    assert [int(word) for word in one["bricks"][::3]] == [SIZE.playable ^ board.playable for board in boards]


def test_boards_of_an_orbit_share_games_and_no_position_comes_twice():
    boards = brick_set("orbit:B2")
    records, counts = collect(boards, 5, CHEAP)
    suite = Suite("test", SIZE, records.reshape(-1), {})
    assert suite.boards == boards
    assert (suite.plies.reshape(4, 5) % 2 == [0, 1, 0, 1, 0]).all()
    assert counts["taken"] == 20
    assert suite.plies.min() >= CHEAP.first_ply
    assert 0 < counts["taken"] <= counts["games"] * CHEAP.positions_a_game
    left_out = sum(counts[reason] for reason in ("enough", "repeated", "unproven", "lost", "idle"))
    assert counts["taken"] + left_out <= counts["games"] * CHEAP.positions_a_game


def test_another_seed_gives_other_positions():
    boards = brick_set("D4")
    one, _ = collect(boards, 4, CHEAP)
    other, _ = collect(boards, 4, Mixture(1, CHEAP.players, node_limit=CHEAP.node_limit))
    assert (one != other).any()


def test_labels_on_a_tiny_board_are_those_of_plain_negamax():
    board = Board(3, 3, 3, "A2")
    records, _ = collect([board], 4, Mixture(players=("random",), first_ply=2))
    suite = Suite("tiny", board.with_bricks(()), records.reshape(-1), {})
    for number, position in enumerate(suite.positions()):
        for cell in position.legal_cells():
            expected = -negamax(position.play(cell))
            assert suite.values_after(np.full(len(suite), cell))[number] == expected


def negamax(position: Position) -> int:
    if position.outcome:
        return 0 if position.outcome.winner is None else -1
    return max(-negamax(position.play(cell)) for cell in position.legal_cells())


def test_too_few_positions_are_told():
    with pytest.raises(ValueError, match="ask for fewer"):
        collect([Board(2, 2, 3)], 1, Mixture(players=("random",), first_ply=0))
