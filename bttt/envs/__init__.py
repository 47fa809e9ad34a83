"""Environments: Brick Tic-Tac-Toe for Gymnasium, for its vector interface, and for PettingZoo.

>>> import gymnasium
>>> env = gymnasium.make("bttt:bttt/BrickTicTacToe-v0", bricks="D4")
>>> observation, info = env.reset(seed=0)
>>> observation.shape, env.unwrapped.brick_names
((4, 7, 7), 'D4')
>>> observation, reward, terminated, truncated, info = env.step(16)  # C3; the opponent replies
>>> reward, terminated, int(info["action_mask"].sum())
(0.0, False, 46)

Modules: `gym` plays one game, `vector` thousands at once. `many` holds these as the arrays of `games`, which
the kernels of `batch` change; `resets`, `infos` and `members` are what the vector environment is told, tells
and shows. `aec` is PettingZoo's two-agent environment. All share `episode` (boards, seats, spaces) and
`rewards`.
"""

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
