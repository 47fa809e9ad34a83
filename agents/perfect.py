"""The perfect agent: plays moves proven by the exact solver; a decision states when there is no proof.

It keeps the value of the position, wins as fast and loses as slowly as possible, and chooses at random among
equally good cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agents.agent import Decision, Rng, generators
from bttt import Position
from bttt.runs import require_at_least
from bttt.solver import Solver

DEFAULT_LIMIT = 20_000_000


@dataclass(frozen=True)
class PerfectAgent:
    """Plays perfectly, by the exact solver: keeps the value, wins fastest, loses slowest. Not thread-safe.

    The cell is drawn from the cells proven best. If the solver stops before a proof, each move is solved
    separately with an equal part of `limit`. The cell is then drawn from the moves proven to win, or else
    from all moves not proven to lose. `proven` in a decision tells the two cases apart. The policy is uniform
    over the candidate cells, and the value is the proven value of the position, or None. No decision depends
    on an earlier decision.

    Attributes:
        limit: Maximum positions that the solver searches per decision; none for no limit. Solving the moves
            separately, if needed, may take as many again.
        table_mb: Size of the solver's transposition table, in MiB.
    """

    limit: int | None = DEFAULT_LIMIT
    table_mb: int = 64
    _solver: Solver = field(init=False, repr=False, compare=False)

    batched = True

    def __post_init__(self) -> None:
        require_at_least(1, limit=self.limit)
        object.__setattr__(self, "_solver", Solver(self.table_mb))

    def decide(self, positions: Sequence[Position], rng: Rng) -> list[Decision]:
        """Returns one decision per position."""
        pairs = zip(positions, generators(rng, positions), strict=True)
        return [self._decide(position, generator) for position, generator in pairs]

    def warm_up(self, position: Position) -> None:
        """Compiles the kernels, without a search for a proof."""
        self._solver.best_cells(position, 1)

    def _decide(self, position: Position, rng: np.random.Generator) -> Decision:
        cells, solution = self._solver.best_cells(position, self.limit)
        proven = bool(cells) and solution.plies is not None
        nodes = solution.nodes
        if not cells or solution.value is None:
            cells, more = self._not_proven_to_lose(position)
            nodes += more
        policy = np.zeros(position.board.cells, np.float32)
        policy[list(cells)] = 1 / len(cells)
        value = None if solution.value is None else float(solution.value)
        return Decision(int(rng.choice(cells)), policy=policy, value=value, nodes=nodes, proven=proven)

    def _not_proven_to_lose(self, position: Position) -> tuple[tuple[int, ...], int]:
        """Returns the cells proven to win, else those not proven to lose, else all; and the nodes."""
        cells = position.legal_cells()
        limit = None if self.limit is None else max(1, self.limit // len(cells))
        values, nodes = {}, 0
        for cell in cells:
            after = self._solver.solve(position.play(cell), limit, plies=False, cells=False)
            nodes += after.nodes
            values[cell] = -(
                after.value or 0
            )  # an unproven move counts as a draw, which is better than a loss
        best = max(values.values())
        return tuple(cell for cell in cells if values[cell] == best), nodes
