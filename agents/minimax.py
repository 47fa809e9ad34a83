"""The minimax agent: alpha-beta to a fixed depth, or for a fixed time.

As in the Brick Tic-Tac-Toe paper a found end of the game counts more than any heuristic, the expert heuristic
judges the positions at the depth limit, and equal best moves are drawn from. Deviation: there all wins are
worth the same; here a quicker win is worth more and a later loss less, so the agent does not dawdle.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from agents.agent import Decision, Rng, generators
from agents.alpha_beta import FOUND_END, NODES, AlphaBetaRules, Passes, empty_scratch, search_moves
from agents.heuristic import leaf_value
from bttt import Board, Position

MOST_PLIES = 63
"""No board has more cells."""
TABLE_ENTRIES = 2**18
"""Entries of the transposition table (40 bytes each); a power of two."""


class _Workspace:
    """Arrays that an agent uses again; no decision depends on an earlier one. A pickled copy is empty."""

    def __init__(self) -> None:
        self.passes = 0
        self.scratch = empty_scratch(TABLE_ENTRIES)

    def __reduce__(self) -> tuple[type[_Workspace], tuple[()]]:
        return _Workspace, ()


@dataclass(frozen=True)
class MinimaxAgent:
    """Alpha-beta search with the expert heuristic; draws among equal best moves. Not for several threads.

    A decision's policy is uniform over the best moves. Its value is 1 or -1 where a forced win or loss is
    found and else the best heuristic, put on the scale of `agents.heuristic.leaf_value`. The same
    generator gives the same decision, unless `seconds` is set.

    Attributes:
        depth: Plies to look ahead: 2 is the own move and the reply.
        seconds: Time for a decision; depths 1, 2, ... are searched until it is used and `depth` is ignored.
            The result is that of the last depth finished, and depth 1 is always finished.
    """

    depth: int = 2
    seconds: float | None = None
    _workspace: _Workspace = field(default_factory=_Workspace, init=False, repr=False, compare=False)

    batched = True

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= MOST_PLIES:
            raise ValueError(f"depth must be 1 to {MOST_PLIES}, got {self.depth}")
        if self.seconds is not None and not 0 < self.seconds <= threading.TIMEOUT_MAX:
            most = f"{threading.TIMEOUT_MAX:.0f}"
            raise ValueError(f"seconds must be above 0 and at most {most}, or none, got {self.seconds}")

    def decide(self, positions: Sequence[Position], rng: Rng) -> list[Decision]:
        """Returns one decision a position."""
        pairs = zip(positions, generators(rng, positions), strict=True)
        return [self._decide(position, generator) for position, generator in pairs]

    def _decide(self, position: Position, rng: np.random.Generator) -> Decision:
        cells, values = self._search(position)
        best = cells[values == values.max()]
        policy = np.zeros(position.board.cells, np.float32)
        policy[best] = 1 / len(best)
        nodes = int(self._workspace.scratch.counters[NODES])
        return Decision(int(rng.choice(best)), policy=policy, value=_as_result(values.max()), nodes=nodes)

    def _search(self, position: Position) -> tuple[np.ndarray, np.ndarray]:
        """Returns the free cells and their values at the last depth finished."""
        board = position.board
        workspace, scratch = self._workspace, self._workspace.scratch
        scratch.counters[:] = 0
        scratch.history[:] = _windows_by_bit(board)
        rules = AlphaBetaRules(np.uint64(board.playable), board.stride, board.win_length)
        words = np.uint64(position.mine), np.uint64(position.theirs), position.to_move

        cells = np.array(position.legal_cells())
        moves = np.array([board.bit(cell) for cell in cells.tolist()], np.uint64)
        values = np.zeros(len(cells))
        deepest = len(cells) if self.seconds is not None else min(self.depth, len(cells))
        first_pass = workspace.passes + 1
        with ExitStack() as clock:
            for depth in range(1, deepest + 1):
                if depth == 2:  # depth 1 is always finished, and in a new process it compiles the kernels
                    clock.enter_context(_stopped_after(self.seconds, scratch.stop))
                order = np.argsort(-values, kind="stable")
                cells, moves, values = cells[order], moves[order], values[order]
                workspace.passes += 1
                passes = Passes(first_pass, workspace.passes)
                found = np.empty_like(values)
                if not search_moves(*words, depth, moves, found, passes, rules, scratch):
                    break
                values = found
                if abs(values.max()) > FOUND_END:  # more depth cannot change it
                    break
        return cells, values


@contextmanager
def _stopped_after(seconds: float | None, stop: np.ndarray) -> Iterator[None]:
    """Sets `stop[0]` to 1 after `seconds`, or never for None; kernels run without the interpreter's lock."""
    stop[0] = 0
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, stop.fill, [1])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


@lru_cache(maxsize=256)
def _windows_by_bit(board: Board) -> np.ndarray:
    """Returns, `[64] int64`, how many windows of the board each bit lies in."""
    return np.array([sum(window >> bit & 1 for window in board.windows) for bit in range(64)], np.int64)


def _as_result(value: float) -> float:
    """Returns a search's value as an expected result in [-1, 1]."""
    return math.copysign(1.0, value) if abs(value) > FOUND_END else leaf_value(value)
