"""Exact values and distances by looking at every position: the oracle of the solver; and positions for it.

Nothing is pruned and no symmetry is used: a position is two words of stones, its lines are looked up in
`Board.windows`, and what is known of it is kept in one dictionary a board.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bttt.board import Board
from bttt.position import Position

WIN = 100
"""Score of a win, less the plies to it; more than any game has."""
Words = tuple[int, int]
"""The stones of the player to move, and the others."""


class BruteForce:
    """The values of all positions of one board that follow from those asked for."""

    def __init__(self, board: Board):
        self.board = board
        self._lines_by_bit = {
            board.bit(cell): [window for window in board.windows if window & board.bit(cell)]
            for cell in range(board.cells)
        }
        self._scores: dict[Words, int] = {}

    def verdict(self, position: Position) -> tuple[int, int]:
        """Value for the player to move, and plies to the end: shortest win, longest loss, all free cells."""
        if position.outcome:
            return (-1 if position.outcome.winner is not None else 0), 0
        return self._as_verdict(self._score(position.mine, position.theirs), position.free.bit_count())

    def verdict_of(self, mine: int, theirs: int) -> tuple[int, int]:
        """Value for the player to move and plies to the end of a position given as words, ended ones too."""
        if any(line & theirs == line for line in self.board.windows):
            return -1, 0
        free = self.board.playable & ~(mine | theirs)
        return self._as_verdict(self._score(mine, theirs), free.bit_count())

    def verdicts(self, position: Position) -> dict[int, tuple[int, int]]:
        """For each legal cell, value and plies of playing it, for the player who plays it."""
        found = {}
        for cell in position.legal_cells():
            score = self._score_after(position.mine, position.theirs, self.board.bit(cell))
            found[cell] = self._as_verdict(score, position.free.bit_count())
        return found

    @staticmethod
    def _as_verdict(score: int, free: int) -> tuple[int, int]:
        return (0, free) if score == 0 else (1, WIN - score) if score > 0 else (-1, WIN + score)

    def _score(self, mine: int, theirs: int) -> int:
        """WIN less the plies to a win, the negative for a loss, 0 for a draw; nobody has won."""
        found = self._scores.get((mine, theirs))
        if found is None:
            free = self.board.playable & ~(mine | theirs)
            found = max((self._score_after(mine, theirs, bit) for bit in _bits(free)), default=0)
            self._scores[mine, theirs] = found
        return found

    def _score_after(self, mine: int, theirs: int, bit: int) -> int:
        mine |= bit
        if any(line & mine == line for line in self._lines_by_bit[bit]):
            return WIN - 1
        score = -self._score(theirs, mine)
        return score - (score > 0) + (score < 0)


def _bits(word: int) -> Iterator[int]:
    while word:
        low = word & -word
        yield low
        word ^= low


def random_board(rows: int, cols: int, win_length: int, bricks: int, rng: np.random.Generator) -> Board:
    """A board with that many bricks anywhere."""
    return Board(rows, cols, win_length, rng.choice(rows * cols, bricks, replace=False).tolist())


def random_position(board: Board, stones: int, rng: np.random.Generator) -> Position:
    """An unfinished position after `stones` uniform random plies."""
    cells = board.word_cells(board.playable)
    while True:
        position = Position.start(board)
        for cell in rng.permutation(cells)[:stones].tolist():
            position = position.play(cell)
            if position.outcome:
                break
        else:
            return position


def careful_position(board: Board, stones: int, rng: np.random.Generator) -> Position:
    """A position after `stones` random plies of players who block; the one to move cannot win at once.

    Uniform random games are over, or nearly, after a few plies; these are harder to judge.
    """
    while True:
        position = Position.start(board)
        while position.plies < stones and not position.outcome:
            threats = completing_cells(board, position.theirs, position.free)
            position = position.play(int(rng.choice(threats or position.legal_cells())))
            if completing_cells(board, position.mine, position.free):
                break
        else:
            if not position.outcome:
                return position


def completing_cells(board: Board, stones: int, free: int) -> tuple[int, ...]:
    """The free cells that complete a line of `stones`."""
    missing = (window & ~stones for window in board.windows)
    cells = {word for word in missing if word & free == word and word.bit_count() == 1}
    return tuple(sorted(board.word_cells(sum(cells))))
