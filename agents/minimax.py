"""The minimax agent: alpha-beta search to a fixed depth, or for a fixed time.

As in the Brick Tic-Tac-Toe paper, the expert heuristic evaluates the positions at the depth limit, and a win
or loss found counts more than any heuristic value. The move is drawn from the equally best moves. Deviation:
in the paper all wins have the same value. Here a faster win counts more and a later loss counts less, so that
the agent does not delay its wins.
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
"""Maximum number of cells of a board."""
TABLE_ENTRIES = 2**18
"""Entries of the transposition table (40 bytes each); a power of two."""


class _Workspace:
    """Memory that an agent reuses; its content does not affect decisions. A pickled copy is empty."""

    def __init__(self) -> None:
        self.passes = 0
        self.scratch = empty_scratch(TABLE_ENTRIES)

    def __reduce__(self) -> tuple[type[_Workspace], tuple[()]]:
        return _Workspace, ()


@dataclass(frozen=True)
class MinimaxAgent:
    """Alpha-beta search with the expert heuristic; chooses randomly among equal moves. Not thread-safe.

    A decision's policy is uniform over the best moves. Its value is 1 or -1 for a forced win or loss, and
    otherwise the best heuristic value, scaled by `agents.heuristic.leaf_value`. The same generator gives the
    same decision, unless `seconds` is set.

    Attributes:
        depth: Plies to look ahead; 2 is the agent's move and the reply.
        seconds: Time per decision, in seconds. Depths 1, 2, ... are searched, `depth` is ignored, and the
            last finished depth decides; depth 1 is always finished.
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

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        return {"depth": "with seconds"} if self.seconds is not None else {}

    def decide(self, positions: Sequence[Position], rng: Rng) -> list[Decision]:
        """Returns one decision per position."""
        pairs = zip(positions, generators(rng, positions), strict=True)
        return [self._decide(position, generator) for position, generator in pairs]

    def warm_up(self, position: Position) -> None:
        """Compiles the kernels, without the agent's depth or time."""
        MinimaxAgent(depth=1).decide([position], np.random.default_rng(0))

    def _decide(self, position: Position, rng: np.random.Generator) -> Decision:
        cells, values = self._search(position)
        best = cells[values == values.max()]
        policy = np.zeros(position.board.cells, np.float32)
        policy[best] = 1 / len(best)
        nodes = int(self._workspace.scratch.counters[NODES])
        return Decision(int(rng.choice(best)), policy=policy, value=_as_result(values.max()), nodes=nodes)

    def _search(self, position: Position) -> tuple[np.ndarray, np.ndarray]:
        """Returns the free cells and their values at the last finished depth."""
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
                if depth == 2:  # depth 1 is always finished; in a new process it compiles the kernels
                    clock.enter_context(_stopped_after(self.seconds, scratch.stop))
                order = np.argsort(-values, kind="stable")
                cells, moves, values = cells[order], moves[order], values[order]
                workspace.passes += 1
                passes = Passes(first_pass, workspace.passes)
                found = np.empty_like(values)
                if not search_moves(*words, depth, moves, found, passes, rules, scratch):
                    break
                values = found
                if abs(values.max()) > FOUND_END:  # a deeper search cannot change a win or loss
                    break
        return cells, values


@contextmanager
def _stopped_after(seconds: float | None, stop: np.ndarray) -> Iterator[None]:
    """Sets `stop[0]` to 1 after `seconds` (None: never), while kernels run without the interpreter's lock."""
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
    """Returns the number of the board's windows through each bit, `[64] int64`."""
    return np.array([sum(window >> bit & 1 for window in board.windows) for bit in range(64)], np.int64)


def _as_result(value: float) -> float:
    """Returns a value of the search as an expected result in [-1, 1]."""
    return math.copysign(1.0, value) if abs(value) > FOUND_END else leaf_value(value)
