"""What the vector environment's `reset` is told: a seed for each game, and which games start anew.

Both follow Gymnasium's `SyncVectorEnv`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.utils import seeding

MASK = "reset_mask"
Seed = int | Sequence[int | None] | None
"""One seed for all games together, one for each game (None continues its random numbers), or none."""


def reset_mask(options: Mapping[str, Any] | None, games: int) -> np.ndarray | None:
    """Returns which games to reset, `[games] bool`, from the options of `reset`; None for all.

    Raises:
        TypeError: The mask is no array of bools.
        ValueError: The mask has another shape, or it selects no game.
    """
    mask = (options or {}).get(MASK)
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        kind = mask.dtype if isinstance(mask, np.ndarray) else type(mask).__name__
        raise TypeError(f"reset option {MASK!r} must be a numpy array of dtype bool, got {kind}")
    if mask.shape != (games,):
        raise ValueError(f"reset option {MASK!r} must have shape ({games},), got {mask.shape}")
    if not mask.any():
        raise ValueError(f"reset option {MASK!r} must select at least one game, got none of {games}")
    return mask


def game_generators(seed: Seed, games: int, *, apart: bool) -> list[np.random.Generator | None] | None:
    """Returns a generator for each game that gets a seed, or None if the games are not seeded one by one.

    Args:
        seed: The seed or seeds that `reset` was given.
        games: Number of games.
        apart: Whether a single seed s also stands for s, s + 1, ..., one for each game.

    Raises:
        ValueError: There are not as many seeds as games.
        gymnasium.error.Error: A seed is no number of at least 0.
    """
    if seed is None:
        return [None] * games if apart else None
    if isinstance(seed, int | np.integer):
        if not apart:
            return None
        seed = [int(seed) + game for game in range(games)]
    if len(seed) != games:
        raise ValueError(
            f"seed must be one number, or a list with one for each of {games} games, got {len(seed)}"
        )
    return [None if each is None else _generator(each) for each in seed]


def _generator(seed: Any) -> np.random.Generator:
    """Returns the generator that the single environment has after `reset(seed=seed)`."""
    rng, _ = seeding.np_random(int(seed) if isinstance(seed, np.integer) else seed)
    return rng
