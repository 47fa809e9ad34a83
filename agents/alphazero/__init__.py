"""AlphaZero: a network trained by self-play on chosen bricks, and the search that it guides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from agents.alphazero.configs import (
        MOST_SIMULATIONS,
        BoardAugmentation,
        LearnerConfig,
        SearchConfig,
        SelfPlayConfig,
    )
    from agents.alphazero.player import AlphaZeroAgent

__all__ = [
    "MOST_SIMULATIONS",
    "AlphaZeroAgent",
    "BoardAugmentation",
    "LearnerConfig",
    "SearchConfig",
    "SelfPlayConfig",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("configs", "player"))
