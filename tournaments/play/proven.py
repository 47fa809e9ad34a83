"""Proofs by the exact solver about unfinished games."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from bttt import Outcome, Position

if TYPE_CHECKING:
    from bttt.solver import Solver

TABLE_MB = 64


def proven_outcome(position: Position, node_limit: int, *, within: int | None = None) -> Outcome | None:
    """Returns the outcome of perfect play, or None if it is not proven.

    The result depends on the arguments alone.

    Args:
        position: An unfinished position.
        node_limit: Maximum positions that the solver searches.
        within: Only an end within this many plies counts. A win ends when the winner plays the fastest win
            and the loser delays; a draw ends when the board is full.
    """
    solution = _solver().solve(position, node_limit, plies=within is not None, cells=False)
    if solution.value is None:
        return None
    if within is not None and (solution.plies is None or solution.plies > within):
        return None
    if solution.value == 0:
        return Outcome.DRAW
    winner = position.to_move if solution.value == 1 else 1 - position.to_move
    return (Outcome.FIRST_WINS, Outcome.SECOND_WINS)[winner]


@lru_cache(maxsize=1)
def _solver() -> Solver:
    """Returns the solver of this process; its kernels are loaded on first use."""
    from bttt.solver import Solver

    return Solver(TABLE_MB)
