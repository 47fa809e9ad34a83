"""pruning/loop."""

from pruning.loop.cycles import Level, run
from pruning.loop.endings import Ending, ending
from pruning.loop.plan import Hold, Plan, Task, Trained, whole
from pruning.loop.results import Additions, GridSearch, Json, Result, Seconds
from pruning.loop.selection import choose
from pruning.loop.stored import KIND, cycle_file, stored_masks, stored_results, stored_weights

__all__ = [
    "KIND",
    "Additions",
    "Ending",
    "GridSearch",
    "Hold",
    "Json",
    "Level",
    "Plan",
    "Result",
    "Seconds",
    "Task",
    "Trained",
    "choose",
    "cycle_file",
    "ending",
    "run",
    "stored_masks",
    "stored_results",
    "stored_weights",
    "whole",
]
