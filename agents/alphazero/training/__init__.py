"""agents/alphazero/training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from agents.alphazero.training.config import TrainConfig
    from agents.alphazero.training.learner import Learner, Losses
    from agents.alphazero.training.loop import train
    from agents.alphazero.training.replay import images, make_batch, sample_type
    from agents.alphazero.training.selfplay import SelfPlay
    from agents.alphazero.training.state import METRICS_NAME
    from agents.alphazero.training.yardstick import Yardstick

__all__ = [
    "METRICS_NAME",
    "Learner",
    "Losses",
    "SelfPlay",
    "TrainConfig",
    "Yardstick",
    "images",
    "make_batch",
    "sample_type",
    "train",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(
        __name__, __all__, ("config", "learner", "loop", "replay", "selfplay", "state", "yardstick")
    )
