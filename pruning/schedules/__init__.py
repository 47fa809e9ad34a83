"""pruning/schedules."""

from pruning.schedules.registry import SCHEDULES, make_schedule, schedule_factory
from pruning.schedules.shapes import (
    Schedule,
    check_share,
    check_whole,
    check_within,
    half_cosine,
    rise_and_rest,
)
from pruning.schedules.silo import silo_max_lr

__all__ = [
    "SCHEDULES",
    "Schedule",
    "check_share",
    "check_whole",
    "check_within",
    "half_cosine",
    "make_schedule",
    "rise_and_rest",
    "schedule_factory",
    "silo_max_lr",
]
