"""The games of the vector environment one by one: what `call`, `get_attr` and `set_attr` reach.

Gymnasium's `SyncVectorEnv` holds single environments, and users read their attributes and call their methods.
Here each game is shown as a single environment in the game's state. It is a copy, so it can be asked but not
moved.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

from bttt.envs.gym import BrickTicTacToeEnv

MOVING = ("close", "np_random", "np_random_seed", "reset", "set_wrapper_attr", "step")
"""What a copy cannot do for its game."""
SHARED = ("illegal", "opponent")
"""The attributes that can be set. All games share them."""


def ask_each(singles: Iterable[BrickTicTacToeEnv], name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """Returns an attribute of each single environment, or what its method returns.

    Raises:
        AttributeError: The single environment has no such attribute, or it would change or seed the game.
    """
    if name in MOVING:
        raise AttributeError(f"{name!r} is not available for one game: use the vector environment's own")
    found = [single.get_wrapper_attr(name) for single in singles]
    return tuple(each(*args, **kwargs) if inspect.ismethod(each) else each for each in found)


def shared_value(name: str, values: Any, games: int) -> Any:
    """Returns the value to set for all games, from `values` for `set_attr`: one value, or one for each game.

    Raises:
        AttributeError: The attribute cannot be set.
        ValueError: There are not as many values as games, or the values differ.
    """
    if name not in SHARED:
        raise AttributeError(f"{name!r} cannot be set; attributes that can be set are {', '.join(SHARED)}")
    if not isinstance(values, Sequence) or isinstance(values, str):
        return values
    if len(values) != games:
        raise ValueError(
            f"{name} must be one value, or a list with one for each of {games} games, got {len(values)}"
        )
    if any(value is not values[0] and value != values[0] for value in values):
        raise ValueError(f"{name} is shared by all games and must be the same for each of them")
    return values[0]
