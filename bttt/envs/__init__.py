"""bttt/envs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from bttt.envs.aec import BrickTicTacToeAEC, env
    from bttt.envs.batch import random_actions
    from bttt.envs.gym import BrickTicTacToeEnv
    from bttt.envs.vector import BrickTicTacToeVectorEnv

__all__ = [
    "BrickTicTacToeAEC",
    "BrickTicTacToeEnv",
    "BrickTicTacToeVectorEnv",
    "env",
    "random_actions",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("gym", "batch", "vector", "aec"))
