"""The pruning loop: train, evaluate, score, prune and restart, cycle by cycle, with every cycle in a file.

A `Task` is the network with its data and its training; a `Plan` says how to prune it; `run` does it.

>>> from pruning.loop import Plan
>>> plan = Plan.from_settings(criterion="magnitude", fraction=0.5, cycles=3)
>>> plan.amount.fraction, plan.stop.cycles
(0.5, 3)
>>> plan.with_settings(restart="rewind").start.restart
'rewind'

Modules: `task`, `parts` and `plan` are the inputs, `results` is the output. `prunable` lists what a plan may
prune, `training` trains one cycle, and `selection` chooses what the next cycle keeps. `stored` reads and
writes the files of a run, and `identity` tells its task from others. `summary` writes a table, `endings`
states why a run is over, and `cycles` joins them all.
"""

from pruning.loop.cycles import Level, run
from pruning.loop.endings import Ending, ending
from pruning.loop.identity import fingerprint
from pruning.loop.parts import Amount, LearningRate, Scoring, StartWeights, Stop
from pruning.loop.plan import Plan
from pruning.loop.prunable import groups_of, whole
from pruning.loop.results import Additions, GridSearch, Json, Result, Seconds
from pruning.loop.selection import choose
from pruning.loop.stored import (
    KIND,
    cycle_file,
    cycle_weights,
    finished_cycles,
    stored_masks,
    stored_results,
    stored_weights,
)
from pruning.loop.summary import summary_rows
from pruning.loop.task import TASK_MEMBERS, Hold, Task, Trained, missing_members

__all__ = [
    "KIND", "TASK_MEMBERS", "Additions", "Amount", "Ending", "GridSearch", "Hold", "Json",
    "LearningRate", "Level", "Plan", "Result", "Scoring", "Seconds", "StartWeights", "Stop", "Task",
    "Trained", "choose", "cycle_file", "cycle_weights", "ending", "fingerprint", "finished_cycles",
    "groups_of", "missing_members", "run", "stored_masks", "stored_results", "stored_weights",
    "summary_rows", "whole",
]  # fmt: skip
