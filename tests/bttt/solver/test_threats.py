from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from brute_force import completing_cells

from bttt.board import Board
from bttt.solver.threats import ANSWERS, LINES, MOST_PLIES, LineRules, near_lines, win_by_threats, zone_of_win

BOARDS = [
    Board.parse(text)
    for text in (
        "4x4x3",
        "5x5x4",
        "5x5x4:C3",
        "7x7x4",
        "7x7x4:D4,B2",
        "6x6x5:C3",
        "8x7x4",
        "3x15x4",
        "2x31x4",
        "1x63x3",
    )
]


@dataclass(frozen=True)
class Stones:
    """Stones of two sides, in any numbers, on a board without a line; `mine` is to move."""

    board: Board
    mine: int
    theirs: int

    @cached_property
    def free(self) -> int:
        return self.board.playable & ~(self.mine | self.theirs)

    @property
    def rules(self) -> LineRules:
        board = self.board
        return LineRules(np.uint64(board.playable), np.int64(board.stride), np.int64(board.win_length))

    def near(self, stones: int, missing: int) -> int:
        """The free cells of the lines of which all but `missing` cells are `stones`, and those are free."""
        word = 0
        for window in self.board.windows:
            left = window & ~stones
            if left & ~self.free == 0 and left.bit_count() == missing:
                word |= left
        return word

    @cached_property
    def completing(self) -> tuple[int, ...]:
        """The words of the cells that complete a line of the side to move."""
        return self._words(completing_cells(self.board, self.mine, self.free))

    def _words(self, cells: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(self.board.bit(cell) for cell in cells)

    def wins_by_threats(self, plies: int) -> bool:
        """Whether threats alone win within `plies`, by the rules of the game and nothing else."""
        if self.completing:
            return plies >= 1
        if plies < 3:
            return False
        urgent = self._words(completing_cells(self.board, self.theirs, self.free))
        for move in urgent or self._words(self.board.word_cells(self.near(self.mine, 2))):
            after = Stones(self.board, self.mine | move, self.theirs)
            if len(urgent) > 1 or not after.completing:
                continue
            answer = after.completing[0]
            if len(after.completing) > 1:
                return True
            if Stones(self.board, after.mine, self.theirs | answer).wins_by_threats(plies - 2):
                return True
        return False


def random_stones(board: Board, rng: np.random.Generator) -> Stones:
    """Random stones of a useful number, without a line of either side."""
    cells = board.word_cells(board.playable)
    while True:
        codes = rng.choice(
            3, len(cells), p=rng.choice([(0.6, 0.25, 0.15), (0.4, 0.3, 0.3), (0.8, 0.15, 0.05)])
        )
        mine, theirs = (
            sum(board.bit(cell) for cell, code in zip(cells, codes, strict=True) if code == side)
            for side in (1, 2)
        )
        if not any(window & stones == window for window in board.windows for stones in (mine, theirs)):
            return Stones(board, mine, theirs)


def search(stones: Stones, plies: int = MOST_PLIES) -> tuple[int, np.ndarray]:
    """The result of `win_by_threats` and the zone, with a small table of failures that soon is full."""
    zone = np.zeros(2, np.uint64)
    failed, nodes = np.zeros((64, 3), np.uint64), np.zeros(3, np.int64)
    words = np.uint64(stones.mine), np.uint64(stones.theirs)
    return win_by_threats(*words, np.int64(plies), zone, failed, nodes, stones.rules), zone


@pytest.mark.parametrize("board", BOARDS, ids=str)
def test_near_lines_are_those_of_the_windows(board):
    rng = np.random.default_rng(1)
    for _ in range(100):
        stones = random_stones(board, rng)
        completing, threatening = near_lines(np.uint64(stones.mine), np.uint64(stones.free), stones.rules)
        assert int(completing) == stones.near(stones.mine, 1), stones
        assert int(threatening) == stones.near(stones.mine, 2), stones


@pytest.mark.parametrize("board", BOARDS, ids=str)
def test_wins_by_threats_are_all_found_and_none_is_invented(board):
    rng = np.random.default_rng(2)
    quick = long = 0
    for _ in range(300):
        stones = random_stones(board, rng)
        for plies in (1, 3, 5, 7):
            found, zone = search(stones, plies)
            if stones.wins_by_threats(plies):
                assert found % 2 == 1
                assert found <= plies and stones.wins_by_threats(found), stones
                quick += plies == 3 and found == 3
                long += plies == 7 and found > 3
            else:
                assert (found, zone.tolist()) == (0, [0, 0]), stones
    assert quick + long >= 5


@pytest.mark.parametrize("board", BOARDS, ids=str)
def test_a_stone_outside_the_zone_leaves_the_win(board):
    rng = np.random.default_rng(3)
    outside = 0
    for _ in range(500):
        stones = random_stones(board, rng)
        attacker, defender = stones.mine, stones.theirs
        found, zone = search(stones, 7)
        if found == 0 or completing_cells(board, defender, stones.free):
            continue
        assert int(zone[ANSWERS]) & ~int(zone[LINES]) == 0
        spoiling = int(zone_of_win(np.uint64(attacker), np.uint64(defender), zone, stones.rules))
        for cell in board.word_cells(stones.free & ~spoiling):
            assert Stones(board, attacker, defender | board.bit(cell)).wins_by_threats(found), (stones, cell)
            outside += 1
    assert outside > 50


def test_zone_of_an_open_three_to_be():
    # .OO.. in an empty row: D4 or D7 makes an open three, and X may spoil it on the row only.
    board = Board()
    attacker = board.bit(board.cell("D4")) | board.bit(board.cell("D5"))
    defender = board.bit(board.cell("A1")) | board.bit(board.cell("G1"))
    stones = Stones(board, attacker, defender)
    found, zone = search(stones)
    spoiling = int(zone_of_win(np.uint64(attacker), np.uint64(defender), zone, stones.rules))
    assert found == 3
    assert {board.cell_name(cell) for cell in board.word_cells(spoiling)} <= {"D2", "D3", "D6", "D7"}


def test_a_counter_threat_is_in_the_zone():
    # O wins on row A by A4 and A5, were it X's last chance not to make four on column 1 first.
    board = Board(5, 6, 4)
    attacker = sum(map(board.bit, map(board.cell, ("A3", "A4"))))
    defender = sum(map(board.bit, map(board.cell, ("C1", "D1"))))
    stones = Stones(board, attacker, defender)
    found, zone = search(stones)
    spoiling = board.word_cells(
        int(zone_of_win(np.uint64(attacker), np.uint64(defender), zone, stones.rules))
    )
    assert found == 3
    assert {"B1", "E1"} <= {board.cell_name(cell) for cell in spoiling}


@pytest.mark.parametrize("board", BOARDS[:4], ids=str)
def test_remembered_failures_change_nothing(board):
    rng = np.random.default_rng(4)
    failed, nodes = np.zeros((2**12, 3), np.uint64), np.zeros(3, np.int64)
    for _ in range(200):
        stones = random_stones(board, rng)
        for plies in (5, 3, 9, 7, MOST_PLIES):
            zone = np.zeros(2, np.uint64)
            words = np.uint64(stones.mine), np.uint64(stones.theirs)
            found = win_by_threats(*words, np.int64(plies), zone, failed, nodes, stones.rules)
            assert found == search(stones, plies)[0]
