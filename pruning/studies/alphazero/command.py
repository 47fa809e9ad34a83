"""The command `bttt prune`: prunes an AlphaZero network, or your own task, in cycles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bttt.command_line import suggest
from bttt.runs import OK, is_plugin, options_of, without_effect
from pruning.studies.alphazero.config import PruneConfig

if TYPE_CHECKING:
    from pruning.loop import Plan

CONTROLS = {"weights": "random-weights", "units": "random"}
"""The random method by what is pruned."""
SAME = ("scope", "fraction", "count", "cycles", "schedule")
"""Options that a control shares."""


def run(config: PruneConfig) -> int:
    """Starts or resumes a pruning run, prints a table of its levels, and returns 0.

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings.
        OSError: The folder cannot be written; the levels finished before are kept.
    """
    if is_plugin(config.agent):
        from pruning.studies.alphazero.own_task import prune_task
        from pruning.studies.alphazero.plans import make_plan

        plan = make_plan(config)
        folder = prune_task(config.agent, plan, config.out)
        _suggest_control(config, plan, folder)
        return OK
    from pruning.studies.alphazero.run import prune  # torch, which takes seconds to load

    folder = prune(config)
    suggest("levels", folder, why="rate the levels against each other")
    return OK


def _suggest_control(config: PruneConfig, plan: Plan, folder: Path) -> None:
    """Names the same run with a random method, or another command if this was one."""
    from pruning import CRITERIA

    if plan.scoring.criterion in CONTROLS.values():
        suggest("schedules", "silo", "clr", why="plot learning-rate schedules")
        return
    control = CONTROLS["weights" if plan.scoring.topology else CRITERIA[plan.scoring.criterion].of]
    options = options_of(config)
    skipped = without_effect(config)
    named = {name: options[name] for name in SAME if options[name] is not None and name not in skipped}
    if options["round_to"] > 1:
        named["round-to"] = options["round_to"]
    same = [word for name, value in named.items() for word in (f"--{name}", value)]
    given = ("--method", control, *same, "--out", f"{folder}-control")
    suggest("prune", config.agent, *given, why="the same with a random method, as a control")
