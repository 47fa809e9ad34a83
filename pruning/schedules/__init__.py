"""Learning-rate schedules for pruning in cycles: functions of the progress in a cycle and of its number.

>>> from pruning.schedules import SCHEDULES, make_schedule
>>> schedule = make_schedule("step", lr=0.1)
>>> [round(schedule(progress, 0), 6) for progress in (0.0, 0.5, 0.75)]
[0.1, 0.01, 0.001]
>>> silo = make_schedule("silo")
>>> silo(0.3, 12) > silo(0.3, 0)  # SILO's peak rises as the network gets sparser
True

Modules: `registry` names all schedules, `shapes` has the curves that they are made of, and `silo` SILO's
peaks.
"""

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
