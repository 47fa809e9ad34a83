"""pruning/loop."""

from pruning.loop.cycles import (
    KIND,
    Level,
    Result,
    cycle_file,
    run,
    stored_masks,
    stored_results,
    stored_weights,
)
from pruning.loop.plan import Hold, Plan, Task, Trained, whole
from pruning.loop.selection import choose

__all__ = [
    "KIND",
    "Hold",
    "Level",
    "Plan",
    "Result",
    "Task",
    "Trained",
    "choose",
    "cycle_file",
    "run",
    "stored_masks",
    "stored_results",
    "stored_weights",
    "whole",
]
