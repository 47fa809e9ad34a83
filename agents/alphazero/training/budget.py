"""How long a training goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """The end of a training: whichever of these comes first; 20 minutes where none is given.

    Attributes:
        minutes: Minutes of work, counted over all resumptions.
        games: Games of self-play.
        iterations: Iterations; as many give the same network on the same kind of machine, however busy.

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
        """Returns the share used, in [0, 1]; 1 is the end."""
        pairs = ((minutes, self.minutes), (games, self.games), (iterations, self.iterations))
        return min(1.0, max(used / most for used, most in pairs if most is not None))
