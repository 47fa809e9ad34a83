"""`Board` describes an environment completely: size, win length and bricks. It also names the cells.

A cell is an index `row * cols + col`. Its name is the row letter and the column number, starting with "A1"
in the top left corner. For bit arithmetic a cell is also a bit of a 64-bit word with `cols + 1` bits per
row: the spare bit at the end of each row is never set, so no shift wraps into the next row.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import SupportsIndex

from bttt.runs import require_at_least

WORD_BITS = 64
MIN_WIN_LENGTH = 3
Cell = SupportsIndex | str
"""A cell given by a caller: an index, or a name such as "D4"."""


def row_name(row: int) -> str:
    """Returns the letters of a row: A to Z, then AA, AB and so on."""
    letters = ""
    row += 1
    while row:
        row, letter = divmod(row - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


@dataclass(frozen=True)
class Board:
    """A board's size, the length of a winning line, and its bricks.

    Attributes:
        rows: Number of rows.
        cols: Number of columns; `rows * (cols + 1)` may not exceed 64.
        win_length: Stones in a row that win, at least 3. More than rows and columns is allowed: all games are
            then drawn, as on boards whose bricks break every line. Commands and environments warn.
        bricks: Blocked cells. Given as indices, names, or one string such as "D4,E5"; stored as sorted
            indices.

    Raises:
        ValueError: A value is out of range, a brick is off the board or given twice, or no cell is free.
    """

    rows: int = 7
    cols: int = 7
    win_length: int = 4
    bricks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("rows", "cols", "win_length"):
            value = getattr(self, name)
            try:
                object.__setattr__(self, name, operator.index(value))
            except TypeError:
                raise ValueError(f"{name} must be a whole number, got {value!r}") from None
        if self.rows < 1 or self.cols < 1 or self.rows * (self.cols + 1) > WORD_BITS:
            raise ValueError(
                f"board {self.rows}x{self.cols} does not fit: rows and cols must be at least 1 and "
                f"rows * (cols + 1) at most {WORD_BITS}, got {self.rows * (self.cols + 1)}"
            )
        require_at_least(MIN_WIN_LENGTH, win_length=self.win_length)
        object.__setattr__(self, "bricks", self._brick_indices(self.bricks))

    def _brick_indices(self, bricks: str | Iterable[Cell]) -> tuple[int, ...]:
        if isinstance(bricks, str):
            bricks = [name for name in bricks.split(",") if name.strip()]
        elif not isinstance(bricks, Iterable):
            raise ValueError(f"bricks must be cells, for example ('D4', 32) or 'D4,E5', got {bricks!r}")
        cells: list[int] = []
        for brick in bricks:
            cell = self.cell(brick)
            if cell in cells:
                raise ValueError(f"brick {self.cell_name(cell)} is given twice")
            cells.append(cell)
        if len(cells) == self.cells:
            raise ValueError(f"{len(cells)} bricks leave no free cell on a {self.size_text} board")
        return tuple(sorted(cells))

    @classmethod
    def parse(cls, text: str) -> Board:
        """Returns the board described by a text such as "7x7x4:D4,E5" or "3x3x3"; the inverse of `str`."""
        size = re.fullmatch(r"\s*(\d+)x(\d+)x(\d+)\s*(?::(.*))?", text)
        if size is None:
            form = 'ROWSxCOLSxWIN or ROWSxCOLSxWIN:BRICKS, for example "7x7x4" or "7x7x4:D4,E5"'
            raise ValueError(f"board {text!r} does not have the form {form}")
        rows, cols, win_length = (int(number) for number in size.groups()[:3])
        # The constructor takes all forms of bricks, and the field holds the one that it makes of them.
        return cls(rows, cols, win_length, size.group(4) or "")  # type: ignore[arg-type]

    def __str__(self) -> str:
        size = f"{self.rows}x{self.cols}x{self.win_length}"
        return f"{size}:{self.brick_names}" if self.bricks else size

    @property
    def size_text(self) -> str:
        """Rows and columns as text, for example "7x7"."""
        return f"{self.rows}x{self.cols}"

    @property
    def size_warning(self) -> str:
        """A warning if no winning line fits on a board of this size, otherwise empty."""
        if self.win_length <= max(self.rows, self.cols):
            return ""
        return f"no line of {self.win_length} fits on {self.with_bricks(())}: all games are drawn"

    @property
    def brick_names(self) -> str:
        """The bricks' names joined by commas, for example "D4,E5"; empty without bricks."""
        return ",".join(map(self.cell_name, self.bricks))

    def with_bricks(self, bricks: str | Iterable[Cell]) -> Board:
        """Returns a board of this size and win length with these bricks instead."""
        # As in parse: the constructor takes all forms of bricks.
        return Board(self.rows, self.cols, self.win_length, bricks)  # type: ignore[arg-type]

    @property
    def cells(self) -> int:
        """Number of cells, bricks included."""
        return self.rows * self.cols

    def cell_name(self, cell: int) -> str:
        """Returns the name of a cell index, for example "D4" for 24 on 7x7."""
        row, col = divmod(cell, self.cols)
        return f"{row_name(row)}{col + 1}"

    def cell(self, cell: Cell) -> int:
        """Returns the index of a cell given by index or name.

        Raises:
            ValueError: The cell is not on the board.
        """
        if isinstance(cell, str):
            index = self._index_by_name.get(cell.strip().upper())
        else:
            try:
                index = operator.index(cell)
            except TypeError:
                index = None
        if index is None or not 0 <= index < self.cells:
            last = self.cells - 1
            allowed = f"A1 to {self.cell_name(last)}" if isinstance(cell, str) else f"0 to {last}"
            raise ValueError(f"cell {cell!r} is not on the {self.size_text} board: cells are {allowed}")
        return index

    @cached_property
    def _index_by_name(self) -> dict[str, int]:
        return {self.cell_name(cell): cell for cell in range(self.cells)}

    @property
    def stride(self) -> int:
        """Bits per row in a word: the number of columns plus one spare bit."""
        return self.cols + 1

    def bit(self, cell: int) -> int:
        """Returns the word that has only this cell's bit set."""
        return 1 << (cell + cell // self.cols)

    @cached_property
    def playable(self) -> int:
        """The word of all cells without a brick."""
        bricks = set(self.bricks)
        return sum(self.bit(cell) for cell in range(self.cells) if cell not in bricks)

    def word_cells(self, word: int) -> tuple[int, ...]:
        """Returns the cells of a word's set bits, in ascending order."""
        found = []
        stride = self.stride
        while word:
            low = word & -word
            bit = low.bit_length() - 1
            found.append(bit - bit // stride)
            word ^= low
        return tuple(found)

    @cached_property
    def windows(self) -> tuple[int, ...]:
        """The words of all possible winning lines, none with a brick (88 on a 7x7 board without bricks)."""
        directions = ((0, 1), (1, 0), (1, 1), (1, -1))
        words = []
        for row in range(self.rows):
            for col in range(self.cols):
                for down, right in directions:
                    end_row = row + down * (self.win_length - 1)
                    end_col = col + right * (self.win_length - 1)
                    if end_row < self.rows and 0 <= end_col < self.cols:
                        step = down * self.cols + right
                        start = row * self.cols + col
                        words.append(sum(self.bit(start + step * i) for i in range(self.win_length)))
        return tuple(word for word in words if word & ~self.playable == 0)
