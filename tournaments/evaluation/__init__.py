"""tournaments/evaluation."""

from tournaments.evaluation.decisions import decide_suite
from tournaments.evaluation.value_losses import (
    NOVELTIES,
    LossRate,
    loss_rates,
    ratio_interval,
    spread_half_width,
)

__all__ = [
    "NOVELTIES",
    "LossRate",
    "decide_suite",
    "loss_rates",
    "ratio_interval",
    "spread_half_width",
]
