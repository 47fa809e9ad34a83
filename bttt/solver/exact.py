"""The exact solver: who wins, in how many plies, and with which moves.

Every reported value is proven. If a search reaches its node limit, the result says that nothing is proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bttt.board import WORD_BITS, Board
from bttt.position import Outcome, Position
from bttt.processes import spread
from bttt.runs import require_at_least
from bttt.solver import proof_numbers, shortest_win
from bttt.solver.proof_moves import LIMIT, NOT_FOUND, Memory
from bttt.solver.threats import NODES, STAMP, LineRules
from bttt.symmetry import symmetries

DEFAULT_TABLE_MB = 256
FAILED_ENTRIES = 2**18
FIRST_NODES = 100
NO_LIMIT = 2**62
MOST_STAMP = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """The proven value of a position or a move.

    Attributes:
        value: 1 won, 0 drawn, -1 lost, for the player concerned; None if nothing is proven.
        plies: Plies to the end of the game if the winner hurries and the loser delays; the number of free
            cells for a draw; None if not proven.
    """

    value: int | None
    plies: int | None = None


def before_move(value: int | None, plies: int | None) -> Verdict:
    """Returns the verdict on a move, given the opponent's value and plies after it."""
    return Verdict(None if value is None else -value, None if plies is None else plies + 1)


@dataclass(frozen=True, slots=True)
class Solution:
    """A solved position, for the player to move.

    Attributes:
        value: 1 won, 0 drawn, -1 lost; None if the search reached its limit before a proof.
        plies: Plies to the end of the game if the winner hurries and the loser delays; the number of free
            cells for a draw, 0 for a finished game; None if not proven or not requested.
        cells: The cells proven to keep the value, ascending; empty if the value is not proven or the cells
            were not requested.
        unproven: The cells for which it is not proven whether they keep the value.
        nodes: Positions searched.
    """

    value: int | None
    plies: int | None
    cells: tuple[int, ...]
    unproven: tuple[int, ...]
    nodes: int


class Solver:
    """Solves positions on any boards, one at a time. Not thread-safe; a pickled copy starts empty.

    No call depends on earlier calls: the same position gives the same result and the same number of nodes.
    """

    def __init__(self, table_mb: int = DEFAULT_TABLE_MB):
        if not 1 <= table_mb <= 2**20:
            raise ValueError(f"table_mb must be 1 to {2**20}, got {table_mb}")
        self.table_mb = table_mb
        # np.zeros reserves pages only when they are written, so an easy position needs little memory
        try:
            self._numbers = np.zeros(_entries(table_mb * 0.75, proof_numbers.ENTRY), proof_numbers.ENTRY)
            self._distances = np.zeros(_entries(table_mb * 0.25, shortest_win.ENTRY), shortest_win.ENTRY)
        except MemoryError:
            raise ValueError(f"table_mb={table_mb} exceeds the available memory: choose fewer MiB") from None
        self._failed = np.zeros((FAILED_ENTRIES, 3), np.uint64)
        self._counters = np.zeros(3, np.int64)
        self._history = np.zeros((2, WORD_BITS), np.int64)
        self._memory: Memory | None = None
        self._board: Board | None = None

    def __reduce__(self):
        return Solver, (self.table_mb,)

    def solve(
        self,
        position: Position,
        node_limit: int | None = None,
        *,
        plies: bool = True,
        cells: bool = True,
    ) -> Solution:
        """Returns the solution of a position.

        Args:
            position: The position.
            node_limit: Maximum positions searched; None for no limit.
            plies: Also find the plies to the end.
            cells: Also find which cells keep the value.
        """
        self._start(position.board, node_limit)
        value = self._value(position)
        distance = self._plies(position, value) if plies and value is not None else None
        keeping: list[int] = []
        unproven: list[int] = []
        if cells and value is not None:
            for cell in position.legal_cells():
                kept = self._keeps(position.play(cell), value)
                if kept:
                    keeping.append(cell)
                elif kept is None:
                    unproven.append(cell)
        elif cells:
            unproven = list(position.legal_cells())
        return Solution(value, distance, tuple(keeping), tuple(unproven), self._nodes)

    def classify(
        self, position: Position, node_limit: int | None = None, *, plies: bool = True
    ) -> dict[int, Verdict]:
        """Returns the verdict on each legal cell, for the player to move."""
        self._start(position.board, node_limit)
        verdicts = {}
        for cell in position.legal_cells():
            after = position.play(cell)
            value = self._value(after)
            distance = self._plies(after, value) if plies and value is not None else None
            verdicts[cell] = before_move(value, distance)
        return verdicts

    def best_cells(
        self, position: Position, node_limit: int | None = None
    ) -> tuple[tuple[int, ...], Solution]:
        """Returns the cells of best play, ascending, and the solution without `cells`.

        Best play keeps the value, wins as fast as possible and loses as slowly as possible. If the plies are
        not proven, the cells are those proven to keep the value. They are empty if nothing is proven.
        """
        self._start(position.board, node_limit)
        value = self._value(position)
        plies = None if value is None else self._plies(position, value)
        best = tuple(
            cell
            for cell in position.legal_cells()
            if value is not None and self._is_best(position.play(cell), value, plies)
        )
        return best, Solution(value, plies, (), (), self._nodes)

    def _is_best(self, after: Position, value: int, plies: int | None) -> bool:
        """Returns whether a move to `after` is proven best in a position with this value and plies."""
        if value == 0 or plies is None:
            return self._keeps(after, value) is True
        if value == 1:
            return self._wins(after, mover=False, plies=plies - 1) is True
        return self._wins(after, mover=True, plies=plies - 3) is False

    def _start(self, board: Board, node_limit: int | None) -> None:
        require_at_least(1, node_limit=node_limit)
        if board != self._board:
            self._set_board(board)
        if self._counters[STAMP] == MOST_STAMP:
            self._numbers[:] = 0
            self._distances[:] = 0
            self._failed[:] = 0
            self._counters[STAMP] = 0
        self._counters[STAMP] += 1
        self._counters[NODES] = 0
        self._counters[LIMIT] = NO_LIMIT if node_limit is None else min(node_limit, NO_LIMIT)
        self._history[:] = 0

    def _set_board(self, board: Board) -> None:
        self._board = board
        self._rules = LineRules(np.uint64(board.playable), np.int64(board.stride), np.int64(board.win_length))
        depths = WORD_BITS + 1
        scratch = {
            name: np.zeros((depths, WORD_BITS), np.int64) for name in ("scores", "cells", "phi", "delta")
        }
        self._memory = Memory(
            numbers=self._numbers,
            distances=self._distances,
            failed=self._failed,
            zones=np.zeros((depths, 2), np.uint64),
            history=self._history,
            windows=np.array(board.windows, np.uint64),
            images=_images(board),
            counters=self._counters,
            **scratch,
        )

    @property
    def _nodes(self) -> int:
        return int(self._counters[NODES])

    def _sides(self, position: Position, mover: bool) -> tuple[np.uint64, np.uint64, np.int64]:
        """Returns the words of the attacker and the defender, and whether the attacker is to move."""
        mine, theirs = np.uint64(position.mine), np.uint64(position.theirs)
        return (mine, theirs, np.int64(1)) if mover else (theirs, mine, np.int64(0))

    def _win_within(self, position: Position, plies: int, *, mover: bool) -> int:
        sides = self._sides(position, mover)
        return int(shortest_win.win_within(*sides, np.int64(plies), self._memory, self._rules))

    def _value(self, position: Position) -> int | None:
        """Returns the value for the player to move, or None if the search reached its limit.

        The searches for a win of either side take turns, since one proof may be much easier than the other.
        The node limit doubles each round.
        """
        if position.outcome:
            return 0 if position.outcome == Outcome.DRAW else -1
        limit = int(self._counters[LIMIT])
        undecided = [True, False]
        nodes = FIRST_NODES
        while undecided:
            for mover in tuple(undecided):
                self._counters[LIMIT] = min(limit, self._nodes + nodes)
                wins = proof_numbers.prove(*self._sides(position, mover), self._memory, self._rules)
                self._counters[LIMIT] = limit
                if wins == 1:
                    return 1 if mover else -1
                if wins == 0:
                    undecided.remove(mover)
                elif self._nodes >= limit:
                    return None
            nodes *= 2
        return 0

    def _plies(self, position: Position, value: int) -> int | None:
        """Returns the plies to the end of a position with known value, or None if the limit was reached."""
        if position.outcome:
            return 0
        if value == 0:
            return position.free.bit_count()
        plies = 1 if value == 1 else 2
        while True:
            found = self._win_within(position, plies, mover=value == 1)
            if found != NOT_FOUND:
                return None if found == shortest_win.STOPPED else found
            plies += 2

    def _keeps(self, after: Position, value: int) -> bool | None:
        """Returns whether a move to `after` keeps the `value` of the position before; None if not proven."""
        if value == -1:
            return True
        result = self._value(after)
        return None if result is None else -result >= value

    def _wins(self, position: Position, *, mover: bool, plies: int) -> bool | None:
        """Returns whether the mover (or the other side) wins within `plies`; None if not proven."""
        if position.outcome:
            return not mover and position.outcome != Outcome.DRAW
        if plies < 1:
            return False
        found = self._win_within(position, plies, mover=mover)
        return None if found == shortest_win.STOPPED else found > 0


def _entries(megabytes: float, entry: np.dtype) -> int:
    """Returns the number of entries that fit, rounded down to a power of two."""
    return 1 << int(np.log2(megabytes * 2**20 / entry.itemsize))


@lru_cache(maxsize=64)
def _images(board: Board) -> np.ndarray:
    """Returns `Memory.images` for the symmetries that map the board's bricks to themselves."""
    found = [each for each in symmetries(board.rows, board.cols) if each.board(board) == board]
    images = np.zeros((len(found), 8, 256), np.uint64)
    values = np.arange(256)
    for number, symmetry in enumerate(found):
        for cell in range(board.cells):
            byte, bit = divmod(board.bit(cell).bit_length() - 1, 8)
            images[number, byte, values >> bit & 1 == 1] |= np.uint64(board.bit(symmetry.cell(cell)))
    return images


@lru_cache(maxsize=1)
def _default_solver() -> Solver:
    return Solver()


def solve(
    position: Position, node_limit: int | None = None, *, plies: bool = True, cells: bool = True
) -> Solution:
    """Returns the solution of a position, as `Solver.solve`; one solver is kept and reused by later calls."""
    return _default_solver().solve(position, node_limit, plies=plies, cells=cells)


def classify(position: Position, node_limit: int | None = None, *, plies: bool = True) -> dict[int, Verdict]:
    """Returns the verdict on each legal cell, as `Solver.classify`; reuses the solver of `solve`."""
    return _default_solver().classify(position, node_limit, plies=plies)


def solve_many(
    positions: Sequence[Position],
    node_limit: int | None = None,
    *,
    plies: bool = True,
    cells: bool = True,
    table_mb: int = DEFAULT_TABLE_MB,
    workers: int = 1,
) -> Iterator[Solution]:
    """Yields the solutions of `positions`, in order; each worker process has its own table."""
    if workers == 1:
        solver = Solver(table_mb)
        for position in positions:
            yield solver.solve(position, node_limit, plies=plies, cells=cells)
        return
    calls = ((position, node_limit, plies, cells, table_mb) for position in positions)
    yield from spread(_solve_in_worker, calls, workers=workers, ordered=True)


def _solve_in_worker(
    position: Position, node_limit: int | None, plies: bool, cells: bool, table_mb: int
) -> Solution:
    return _worker_solver(table_mb).solve(position, node_limit, plies=plies, cells=cells)


@lru_cache(maxsize=1)
def _worker_solver(table_mb: int) -> Solver:
    """Returns the solver of this worker process."""
    return Solver(table_mb)
