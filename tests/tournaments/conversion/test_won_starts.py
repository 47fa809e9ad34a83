"""Won starts, of empty boards and of a suite made by hand; and the games from them."""

import numpy as np
from brute_force import BruteForce, random_position
from oracle import position_of

from agents import make_agent
from bttt import Board, Position
from bttt.suites import SUITES_RECORD, Suite
from tournaments.conversion.won_starts import cells_to, conversion_schedule, empty_starts, suite_starts
from tournaments.play.conditions import Conditions
from tournaments.play.runner import play_games

SIZE = Board(4, 4, 3)
BOARDS = tuple(SIZE.with_bricks(bricks) for bricks in ("A1", "B2", "C4,D4"))


def make_suite(count=8):
    """A suite of random positions: `count` won or drawn ones on each of BOARDS."""
    rng = np.random.default_rng(0)
    rows = []
    for board in BOARDS:
        oracle, found = BruteForce(board), 0
        while found < count:
            position = random_position(board, int(rng.integers(4, 8)), rng)
            if oracle.verdict(position)[0] < 0:
                continue
            words = {1: 0, 0: 0, -1: 0}
            for cell, (value, _) in oracle.verdicts(position).items():
                words[value] |= board.bit(cell)
            bricks = SIZE.playable ^ board.playable
            rows.append((bricks, position.first, position.second, words[1], words[0]))
            found += 1
    return Suite("hand", SIZE, np.array(rows, SUITES_RECORD), {"version": 1})


def test_empty_starts_are_the_boards_won_from_the_start():
    boards = [Board(3, 4, 3), Board(3, 4, 3, "B2"), Board(3, 4, 3, "A1"), Board(3, 3, 3)]
    starts = empty_starts(boards)
    won = [board for board in boards if BruteForce(board).verdict(Position.start(board))[0] == 1]
    assert [(start.board, start.cells, start.winner) for start in starts] == [(board, (), 0) for board in won]
    assert 0 < len(won) < 4


def test_suite_starts_are_won_positions_of_the_boards_asked_for():
    suite = make_suite()
    starts = suite_starts(suite, BOARDS[:2], 3)
    assert [start.board for start in starts] == [BOARDS[0]] * 3 + [BOARDS[1]] * 3
    in_suite = suite.positions()
    for start in starts:
        position = position_of(start.board, start.cells)
        assert position in in_suite
        assert BruteForce(start.board).verdict(position)[0] == 1
        assert start.winner == position.to_move
    assert {start.winner for start in suite_starts(suite, BOARDS, 8)} == {0, 1}


def test_the_cells_of_a_position_lead_to_it():
    rng = np.random.default_rng(1)
    for stones in range(10):
        position = random_position(Board(5, 5, 4, "C3"), stones, rng)
        assert position_of(position.board, cells_to(position)) == position


def test_the_perfect_agent_wins_every_game_of_the_schedule_from_its_seat():
    starts = suite_starts(make_suite(), BOARDS, 4)
    games, seats = conversion_schedule(["perfect:table_mb=4", "random"], "perfect", starts, 2)
    agents = {name: make_agent(name) for name in ("perfect:table_mb=4", "random", "perfect")}
    records = sorted(play_games(games, agents, Conditions()), key=lambda record: record.index)
    assert len(records) == 2 * 2 * len(starts)
    for record, seat in zip(records, seats, strict=True):
        assert record.players[1 - seat] == "perfect"
        assert record.opening_plies == len(record.cells[: record.opening_plies]) > 0
        assert record.players[seat] == "random" or record.winner == seat
    assert any(record.winner != seat for record, seat in zip(records, seats, strict=True))
