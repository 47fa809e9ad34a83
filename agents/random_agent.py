"""The random agent: plays every legal cell with the same probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.agent import Decision, Rng, generators
from bttt import Position


@dataclass(frozen=True)
class RandomAgent:
    """Plays a uniformly random legal cell."""

    batched = True

    def decide(self, positions: Sequence[Position], rng: Rng) -> list[Decision]:
        """Returns one random decision per position."""
        decisions = []
        for position, generator in zip(positions, generators(rng, positions), strict=True):
            cells = position.legal_cells()
            decisions.append(Decision(cells[int(generator.integers(len(cells)))]))
        return decisions
