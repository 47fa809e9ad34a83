"""The symmetries of a board, and the orbits of cells under them.

A square board has eight symmetries. Any other board has four: the identity, the two flips, and both flips
together. Two cells are in the same orbit if a symmetry maps one to the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from bttt.board import Board
from bttt.position import Position


@dataclass(frozen=True)
class Symmetry:
    """One symmetry of a `rows` x `cols` board.

    Attributes:
        name: Name of the transformation: "identity", "flip rows", ..., "transpose", ...
        rows: Rows of the board.
        cols: Columns of the board.
        image: For each cell, the cell that it is mapped to.
    """

    name: str
    rows: int
    cols: int
    image: tuple[int, ...]

    def cell(self, cell: int) -> int:
        """Returns the cell that `cell` is mapped to."""
        return self.image[cell]

    def board(self, board: Board) -> Board:
        """Returns the board with its bricks moved."""
        self._check(board)
        return board.with_bricks(self.image[brick] for brick in board.bricks)

    def position(self, position: Position) -> Position:
        """Returns the position with its bricks, stones and last move moved."""
        last_move = position.last_move
        return Position.from_cells(
            self.board(position.board),
            self.policy(position.cells),
            last_move=None if last_move is None else self.image[last_move],
        )

    def policy(self, values: np.ndarray) -> np.ndarray:
        """Returns `values` `[..., cells]` (a policy, a mask, a board) with each entry moved."""
        values = np.asarray(values)
        if values.shape[-1:] != (len(self.image),):
            raise ValueError(f"the last axis must have {len(self.image)} cells, got shape {values.shape}")
        return values[..., self._source]

    @cached_property
    def _source(self) -> np.ndarray:
        return np.argsort(self.image)

    def _check(self, board: Board) -> None:
        if (board.rows, board.cols) != (self.rows, self.cols):
            raise ValueError(
                f"a symmetry of {self.rows}x{self.cols} boards cannot transform a {board.size_text} board"
            )


@lru_cache(maxsize=64)
def symmetries(rows: int, cols: int) -> tuple[Symmetry, ...]:
    """Returns the symmetries of a `rows` x `cols` board, the identity first."""
    cells = np.arange(rows * cols).reshape(rows, cols)
    grids = {
        "identity": cells,
        "flip rows": cells[::-1],
        "flip columns": cells[:, ::-1],
        "half turn": cells[::-1, ::-1],
    }
    if rows == cols:
        grids |= {
            "transpose": cells.T,
            "quarter turn": cells.T[::-1],
            "three-quarter turn": cells.T[:, ::-1],
            "antitranspose": cells.T[::-1, ::-1],
        }
    # grid[x] is the cell found at x after the transformation, so its inverse maps each cell to its image.
    return tuple(
        Symmetry(name, rows, cols, tuple(int(cell) for cell in np.argsort(grid.ravel())))
        for name, grid in grids.items()
    )


@lru_cache(maxsize=64)
def orbits(rows: int, cols: int) -> tuple[tuple[int, ...], ...]:
    """Returns the orbits of cells, each ascending, ordered by their first cells (10 on 7x7)."""
    found = {
        tuple(sorted({symmetry.cell(cell) for symmetry in symmetries(rows, cols)}))
        for cell in range(rows * cols)
    }
    return tuple(sorted(found))


def move_orbits(position: Position) -> tuple[tuple[int, ...], ...]:
    """Returns the legal cells grouped by the symmetries that leave the position unchanged.

    Each group is ascending, and the groups are ordered by their first cells. The moves of one group lead to
    mirror images of one position.
    """
    board = position.board
    own = [
        symmetry for symmetry in symmetries(board.rows, board.cols) if symmetry.position(position) == position
    ]
    found = {tuple(sorted({symmetry.cell(cell) for symmetry in own})) for cell in position.legal_cells()}
    return tuple(sorted(found))


@lru_cache(maxsize=4096)
def canonical_board(board: Board) -> Board:
    """Returns the mirror image of `board` with the smallest tuple of bricks: one board for each orbit."""
    images = (symmetry.board(board) for symmetry in symmetries(board.rows, board.cols))
    return min(images, key=lambda image: image.bricks)
