"""Pruning AlphaZero networks: the command `bttt prune`, and what other studies take from it.

>>> from bttt.runs import from_options
>>> from pruning.studies.alphazero import PruneConfig, make_plan
>>> config = from_options(PruneConfig, agent="alphazero:d4", method="snip", fraction=0.5)
>>> make_plan(config).settings()["untrained"]
True

Modules: `options` and `config` are the options; `defaults` and `plans` turn them into a plan. `task` is the
network with its `buffer` of self-play games. `run` prunes it, `own_task` prunes a user's own task.
`measures` and `table` report the levels. `command` is `bttt prune`, `levels` is `bttt levels`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.alphazero.buffer import Buffer, load_buffer, play_buffer, save_buffer
    from pruning.studies.alphazero.config import PruneConfig, PruneOptions
    from pruning.studies.alphazero.measures import LevelTimes, MeasuredLevel, level_folder, level_times
    from pruning.studies.alphazero.plans import make_plan, plan_settings
    from pruning.studies.alphazero.run import load_subject, prepare, prune
    from pruning.studies.alphazero.table import COLUMNS, TIME_HEADS, time_cells
    from pruning.studies.alphazero.task import (
        SAMPLED,
        AlphaZeroTask,
        Retraining,
        legal_cells,
        shrunk_config,
    )

__all__ = [
    "COLUMNS",
    "SAMPLED",
    "TIME_HEADS",
    "AlphaZeroTask",
    "Buffer",
    "LevelTimes",
    "MeasuredLevel",
    "PruneConfig",
    "PruneOptions",
    "Retraining",
    "legal_cells",
    "level_folder",
    "level_times",
    "load_buffer",
    "load_subject",
    "make_plan",
    "plan_settings",
    "play_buffer",
    "prepare",
    "prune",
    "save_buffer",
    "shrunk_config",
    "time_cells",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(
        __name__, __all__, ("config", "plans", "measures", "table", "buffer", "task", "run")
    )
