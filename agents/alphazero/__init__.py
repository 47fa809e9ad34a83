"""AlphaZero: a network trained by self-play on chosen brick placements, and the search that it guides.

>>> import numpy as np
>>> from agents.alphazero import AlphaZeroAgent
>>> from bttt import Board, Position
>>> agent = AlphaZeroAgent("d4", simulations=16)
>>> [decision] = agent.decide([Position.start(Board(bricks="D4"))], np.random.default_rng(0))
>>> decision.nodes
16

Contents: `network` evaluates positions, `search` chooses moves, `learning` fits networks to samples,
`training` produces them by self-play, `export` writes them for other programs, `weights` holds the bundled
networks. `player` is the agent, `configs` has the settings that they share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from agents.alphazero.configs import (
        MOST_SIMULATIONS,
        BoardAugmentation,
        GoalName,
        LearnerConfig,
        SearchConfig,
        SelfPlayConfig,
        noise_without_effect,
    )
    from agents.alphazero.player import AlphaZeroAgent

__all__ = [
    "MOST_SIMULATIONS",
    "AlphaZeroAgent",
    "BoardAugmentation",
    "GoalName",
    "LearnerConfig",
    "SearchConfig",
    "SelfPlayConfig",
    "noise_without_effect",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("configs", "player"))
