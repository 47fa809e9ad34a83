"""tournaments/evaluation."""

from tournaments.evaluation.decisions import decide_suite
from tournaments.evaluation.value_losses import NOVELTIES, ratio_interval, spread_half_width

__all__ = [
    "NOVELTIES",
    "decide_suite",
    "ratio_interval",
    "spread_half_width",
]
