"""Stopping criterion of a training run."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """The end of a training run: the limit that is reached first; 20 minutes if no limit is given.

    Attributes:
        minutes: Minutes of work, summed over all resumptions.
        games: Self-play games.
        iterations: Iterations. Equal numbers give equal networks on the same kind of machine, at any load.

    Raises:
        ValueError: A value is not positive.
    """

    minutes: float | None = None
    games: int | None = None
    iterations: int | None = None

    def __post_init__(self) -> None:
        for name in ("minutes", "games", "iterations"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} must be above 0 and finite, got {value}")
        if self.minutes is None and self.games is None and self.iterations is None:
            object.__setattr__(self, "minutes", 20.0)

    def progress(self, minutes: float, games: int, iterations: int) -> float:
        """Returns the fraction of the budget used, in [0, 1]; at 1 the run ends."""
        pairs = ((minutes, self.minutes), (games, self.games), (iterations, self.iterations))
        return min(1.0, max(used / most for used, most in pairs if most is not None))
