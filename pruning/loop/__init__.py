"""pruning/loop."""

from pruning.loop.cycles import Level, run
from pruning.loop.endings import Ending, ending
from pruning.loop.parts import Amount, LearningRate, Scoring, Start, Stop
from pruning.loop.plan import Plan
from pruning.loop.prunable import whole
from pruning.loop.results import Additions, GridSearch, Json, Result, Seconds
from pruning.loop.selection import choose
from pruning.loop.stored import KIND, cycle_file, stored_masks, stored_results, stored_weights
from pruning.loop.task import Hold, Task, Trained

__all__ = [
    "KIND",
    "Additions",
    "Amount",
    "Ending",
    "GridSearch",
    "Hold",
    "Json",
    "LearningRate",
    "Level",
    "Plan",
    "Result",
    "Scoring",
    "Seconds",
    "Start",
    "Stop",
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
