"""The rules once more, slow and obvious, and hypothesis strategies for boards and games.

Nothing here touches the words of `bttt`: a game is a list of rows of symbols, and every line is looked
up cell by cell. What the fast code says is compared with this.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
from hypothesis import strategies as st

from bttt.board import Board
from bttt.position import Outcome, Position

DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
SIZES = tuple((rows, cols) for rows in range(1, 33) for cols in range(1, 64) if rows * (cols + 1) <= 64)
"""Every size that a Board takes."""


class Oracle:
    """A game in progress: `grid[row][col]` is ".", "O", "X" or "#"."""

    def __init__(self, rows: int, cols: int, win_length: int, bricks: tuple[int, ...] = ()):
        self.win_length = win_length
        self.grid = [["."] * cols for _ in range(rows)]
        for brick in bricks:
            self.grid[brick // cols][brick % cols] = "#"
        self.played: list[int] = []
        self.lines = self._lines()

    @classmethod
    def of(cls, board: Board, played: list[int] | tuple[int, ...] = ()) -> Oracle:
        game = cls(board.rows, board.cols, board.win_length, board.bricks)
        for cell in played:
            game.play(cell)
        return game

    def play(self, cell: int) -> None:
        assert cell in self.legal_cells()
        cols = len(self.grid[0])
        self.grid[cell // cols][cell % cols] = "OX"[len(self.played) % 2]
        self.played.append(cell)

    def symbols(self) -> list[str]:
        return [symbol for row in self.grid for symbol in row]

    def _lines(self) -> list[list[tuple[int, int]]]:
        """All `win_length` places in a row, bricks or not."""
        rows, cols = len(self.grid), len(self.grid[0])
        found = []
        for row in range(rows):
            for col in range(cols):
                for down, right in DIRECTIONS:
                    line = [(row + down * i, col + right * i) for i in range(self.win_length)]
                    if all(0 <= r < rows and 0 <= c < cols for r, c in line):
                        found.append(line)
        return found

    def winning_cells(self, symbol: str) -> set[int]:
        """The free cells that would complete a line of `symbol`."""
        cols = len(self.grid[0])
        found = set()
        for line in self.lines:
            texts = [self.grid[r][c] for r, c in line]
            if texts.count(symbol) == self.win_length - 1 and "." in texts:
                row, col = line[texts.index(".")]
                found.add(row * cols + col)
        return found

    def line_cells(self, symbol: str) -> set[int]:
        """The cells of all complete lines of `symbol`."""
        cols = len(self.grid[0])
        won = [line for line in self.lines if all(self.grid[r][c] == symbol for r, c in line)]
        return {r * cols + c for line in won for r, c in line}

    def outcome(self) -> Outcome:
        if self.line_cells("O"):
            return Outcome.FIRST_WINS
        if self.line_cells("X"):
            return Outcome.SECOND_WINS
        return Outcome.UNFINISHED if "." in self.symbols() else Outcome.DRAW

    def legal_cells(self) -> list[int]:
        if self.outcome() != Outcome.UNFINISHED:
            return []
        return [cell for cell, symbol in enumerate(self.symbols()) if symbol == "."]

    def random_outcome(self, rng: np.random.Generator) -> Outcome:
        """Plays uniform random cells to the end, and returns how that ends."""
        while cells := self.legal_cells():
            self.play(cells[rng.integers(len(cells))])
        return self.outcome()


@cache
def random_play_chances(board: Board, played: tuple[int, ...] = ()) -> dict[Outcome, Fraction]:
    """The exact chance of each outcome under uniform random play; for tiny boards."""
    known: dict[str, dict[Outcome, Fraction]] = {}

    def chances(cells: tuple[int, ...]) -> dict[Outcome, Fraction]:
        game = Oracle.of(board, cells)
        key = "".join(game.symbols())
        if key not in known:
            known[key] = {game.outcome(): Fraction(1)}
            if legal := game.legal_cells():
                known[key] = dict.fromkeys(Outcome, Fraction(0))
                for cell in legal:
                    for outcome, chance in chances((*cells, cell)).items():
                        known[key][outcome] += chance / len(legal)
        return known[key]

    return chances(played)


@st.composite
def boards(draw: st.DrawFn, max_bricks: int = 8) -> Board:
    """Boards of every size, thin and full to the last bit too, with bricks and unreachable win lengths."""
    square = st.integers(3, 7).map(lambda side: (side, side))
    usual = st.sampled_from([(7, 7), (8, 7), (7, 8), (4, 6), (6, 4), (3, 5)])
    thin = st.sampled_from([(1, 1), (1, 63), (32, 1), (21, 2), (2, 31), (1, 5), (5, 1)])
    rows, cols = draw(st.one_of(square, usual, thin, st.sampled_from(SIZES)))
    win_length = draw(st.sampled_from([3, 3, 4, 4, 5, max(rows, cols, 3), max(rows, cols, 3) + 1]))
    cells = rows * cols
    bricks = draw(st.lists(st.integers(0, cells - 1), unique=True, max_size=min(max_bricks, cells - 1)))
    return Board(rows, cols, win_length, tuple(bricks))


@st.composite
def games(draw: st.DrawFn, max_bricks: int = 8) -> tuple[Board, tuple[int, ...]]:
    """A board and the cells of a random legal game on it, stopped anywhere from the start to the end."""
    board = draw(boards(max_bricks))
    free = [cell for cell in range(board.cells) if cell not in board.bricks]
    seed = draw(st.integers(0, 2**32 - 1))
    wanted = len(free) if draw(st.booleans()) else draw(st.integers(0, len(free)))
    game = Oracle.of(board)
    for cell in np.random.default_rng(seed).permutation(free)[:wanted].tolist():
        if game.outcome() != Outcome.UNFINISHED:
            break
        game.play(cell)
    return board, tuple(game.played)


def position_of(board: Board, played: tuple[int, ...]) -> Position:
    """The position after `played`."""
    position = Position.start(board)
    for cell in played:
        position = position.play(cell)
    return position


def positions(max_bricks: int = 8) -> st.SearchStrategy[Position]:
    """Random positions reached by legal play, finished ones included."""
    return games(max_bricks).map(lambda game: position_of(*game))
