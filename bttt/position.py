"""`Position`: the stones on a board, and the rules of the game.

The first player ("O") and the second player ("X") take turns placing stones on free cells. `win_length`
stones in a row win; a full board is a draw. Positions are immutable and cheap: two words of stones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from bttt.board import WORD_BITS, Board, Cell

FIRST, SECOND = 0, 1
SYMBOLS = ".OX#"
"""Symbols by cell code: 0 empty, 1 first player's stone, 2 second player's stone, 3 brick."""


class Outcome(IntEnum):
    """Outcome of a game, or UNFINISHED; kernels use the same numbers."""

    UNFINISHED = 0
    FIRST_WINS = 1
    SECOND_WINS = 2
    DRAW = 3

    @property
    def winner(self) -> int | None:
        """The winner's seat, FIRST or SECOND; None for a draw or an unfinished game."""
        return {Outcome.FIRST_WINS: FIRST, Outcome.SECOND_WINS: SECOND}.get(self)


OUTCOME_TEXT = {
    Outcome.UNFINISHED: "unfinished",
    Outcome.FIRST_WINS: "first wins",
    Outcome.SECOND_WINS: "second wins",
    Outcome.DRAW: "draw",
}


def has_line(stones: int, stride: int, win_length: int) -> bool:
    """Returns whether a word of stones holds `win_length` in a row."""
    for shift in (1, stride, stride - 1, stride + 1):
        starts, length = stones, 1
        while length < win_length and starts:
            step = min(length, win_length - length)
            starts &= starts >> (step * shift)
            length += step
        if starts:
            return True
    return False


def word_planes(board: Board, *words: int) -> np.ndarray:
    """Returns words as planes, `[words, rows, cols] int8`: 1 where a cell's bit is set."""
    bits = np.unpackbits(np.array(words, "<u8").view(np.uint8), bitorder="little").view(np.int8)
    rows = bits.reshape(-1, WORD_BITS)[:, : board.rows * board.stride]
    return rows.reshape(-1, board.rows, board.stride)[:, :, : board.cols]


@dataclass(frozen=True, slots=True)
class Position:
    """The stones on a board; make one with `start`, `play`, `from_cells` or `parse`.

    Attributes:
        board: The board.
        first: Word of the first player's stones.
        second: Word of the second player's stones.
        outcome: The outcome, or UNFINISHED.
        last_move: Cell of the last stone; None at the start or if unknown. Comparisons of positions ignore
            it.
    """

    board: Board
    first: int = 0
    second: int = 0
    outcome: Outcome = Outcome.UNFINISHED
    last_move: int | None = field(default=None, compare=False)

    @classmethod
    def start(cls, board: Board | None = None) -> Position:
        """Returns the position without stones on `board` (default: 7x7, four in a row, no brick)."""
        return cls(board if board is not None else Board())

    @classmethod
    def from_cells(
        cls, board: Board, cells: Sequence[int] | np.ndarray, *, last_move: Cell | None = None
    ) -> Position:
        """Returns the position given by a code per cell, `[cells]`: 0 empty, 1 first, 2 second, 3 brick.

        Raises:
            ValueError: The codes do not fit the board, or no game leads to this position: the players did
                not alternate, or the game went on after a line.
        """
        if len(cells) != board.cells:
            raise ValueError(f"a {board.size_text} board has {board.cells} cells, got {len(cells)}")
        words = [0, 0]
        for cell, code in enumerate(cells):
            if code not in (0, 1, 2, 3):
                raise ValueError(f"cell {board.cell_name(cell)} has code {code}; codes are 0 to 3")
            if (code == 3) != (cell in board.bricks):
                raise ValueError(f"cell {board.cell_name(cell)} does not agree with the bricks of {board}")
            if code in (1, 2):
                words[int(code) - 1] |= board.bit(cell)
        return cls._checked(board, words[0], words[1], last_move)

    @classmethod
    def _checked(cls, board: Board, first: int, second: int, last_move: Cell | None) -> Position:
        counts = first.bit_count(), second.bit_count()
        if counts[0] - counts[1] not in (0, 1):
            raise ValueError(
                f"the first player has {counts[0]} stones and the second {counts[1]}: players alternate, so "
                "the first must have as many as the second, or one more"
            )
        mover, waiting = (first, second) if counts[0] > counts[1] else (second, first)
        if last_move is not None:
            last_move = board.cell(last_move)
            if not mover & board.bit(last_move):
                raise ValueError(
                    f"last move {board.cell_name(last_move)} is not a stone of the player who moved last"
                )
        won = has_line(mover, board.stride, board.win_length)
        lasts = board.word_cells(mover) if last_move is None else (last_move,)
        if has_line(waiting, board.stride, board.win_length) or (
            won and all(has_line(mover ^ board.bit(cell), board.stride, board.win_length) for cell in lasts)
        ):
            raise ValueError("the game was over before the last move: a winning line exists without it")
        if won:
            outcome = Outcome.FIRST_WINS if mover == first else Outcome.SECOND_WINS
        else:
            full = first | second == board.playable
            outcome = Outcome.DRAW if full else Outcome.UNFINISHED
        return cls(board, first, second, outcome, last_move)

    @classmethod
    def parse(cls, text: str) -> Position:
        """Returns the position described by a text, "3x3x3:A1 #O./.X./... B2"; the inverse of `str`."""
        parts = text.split()
        if len(parts) not in (2, 3):
            raise ValueError(
                f'position {text!r} does not have the form "BOARD ROWS [LAST]", for example '
                '"3x3x3:A1 #O./.X./... B2"'
            )
        board = Board.parse(parts[0])
        rows = parts[1].split("/")
        if [len(row) for row in rows] != [board.cols] * board.rows:
            raise ValueError(f"position {text!r} needs {board.rows} rows of {board.cols} cells joined by '/'")
        unknown = set(parts[1]) - set(SYMBOLS + "/")
        if unknown:
            raise ValueError(f"position has unknown symbols {sorted(unknown)}; allowed are {SYMBOLS!r}")
        cells = [SYMBOLS.index(symbol) for row in rows for symbol in row]
        return cls.from_cells(board, cells, last_move=parts[2] if len(parts) == 3 else None)

    def __str__(self) -> str:
        text = "".join(SYMBOLS[code] for code in self.cells)
        cols = self.board.cols
        rows = "/".join(text[start : start + cols] for start in range(0, len(text), cols))
        last = "" if self.last_move is None else f" {self.board.cell_name(self.last_move)}"
        return f"{self.board} {rows}{last}"

    def play(self, cell: Cell) -> Position:
        """Returns the position after the player to move takes `cell` (index or name).

        Raises:
            ValueError: The game is over, or the cell is off the board, blocked or taken.
        """
        board = self.board
        if self.outcome:
            raise ValueError(f"the game is over ({OUTCOME_TEXT[self.outcome]}): no move is possible")
        cell = board.cell(cell)
        bit = board.bit(cell)
        if not bit & self.free:
            what = "has a brick" if cell in board.bricks else "is taken"
            raise ValueError(
                f"cell {board.cell_name(cell)} {what}; free cells are "
                + ", ".join(map(board.cell_name, self.legal_cells()))
            )
        first, second = self.first, self.second
        if first.bit_count() == second.bit_count():
            mover = first = first | bit
            win = Outcome.FIRST_WINS
        else:
            mover = second = second | bit
            win = Outcome.SECOND_WINS
        if has_line(mover, board.stride, board.win_length):
            outcome = win
        else:
            full = first | second == board.playable
            outcome = Outcome.DRAW if full else Outcome.UNFINISHED
        return Position(board, first, second, outcome, cell)

    @property
    def to_move(self) -> int:
        """The player to move: 0 (FIRST) or 1 (SECOND)."""
        return self.plies & 1

    @property
    def plies(self) -> int:
        """Number of stones on the board."""
        return (self.first | self.second).bit_count()

    @property
    def mine(self) -> int:
        """Word of the stones of the player to move."""
        return self.second if self.to_move else self.first

    @property
    def theirs(self) -> int:
        """Word of the stones of the player who is not to move."""
        return self.first if self.to_move else self.second

    @property
    def free(self) -> int:
        """Word of the cells with neither brick nor stone."""
        return self.board.playable & ~(self.first | self.second)

    def legal_cells(self) -> tuple[int, ...]:
        """Returns the cells that may be played, ascending; empty once the game is over."""
        return () if self.outcome else self.board.word_cells(self.free)

    def legal_mask(self) -> np.ndarray:
        """Returns `[cells] int8`: 1 where a cell may be played; all 0 once the game is over."""
        return word_planes(self.board, 0 if self.outcome else self.free).reshape(-1)

    @property
    def cells(self) -> np.ndarray:
        """The codes of all cells, `[cells] int8`: 0 empty, 1 first, 2 second, 3 brick."""
        codes = np.zeros(self.board.cells, np.int8)
        codes[list(self.board.word_cells(self.first))] = 1
        codes[list(self.board.word_cells(self.second))] = 2
        codes[list(self.board.bricks)] = 3
        return codes

    def winning_line(self) -> tuple[int, ...]:
        """Returns the cells of the winner's line or lines, ascending; empty if nobody has won."""
        if self.outcome.winner is None:
            return ()
        stones = self.first if self.outcome.winner == FIRST else self.second
        line = 0
        for window in self.board.windows:
            if window & stones == window:
                line |= window
        return self.board.word_cells(line)

    def _repr_svg_(self) -> str:
        """Returns the picture shown in notebooks."""
        from bttt.drawing import svg  # here, since bttt.drawing imports this module

        return svg(self)
