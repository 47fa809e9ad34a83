"""The command `bttt prune`: prunes an AlphaZero network, or your own task, in cycles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bttt.command_line import suggest
from bttt.runs import OK, is_plugin, options_of
from pruning.studies.alphazero.config import PruneConfig
from pruning.studies.alphazero.options import LearningOptions, RetrainingOptions

if TYPE_CHECKING:
    from pruning.loop import Plan

CONTROLS = {"weights": "random-weights", "units": "random"}
"""The random method by what is pruned."""
SAME = ("scope", "fraction", "cycles", "schedule")
"""Options that a control shares."""


def run(config: PruneConfig) -> int:
    """Starts or resumes a pruning run, prints a table of its levels, and returns 0.

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings.
        OSError: The folder cannot be written; the levels finished before are kept.
    """
    if is_plugin(config.agent):
        _refuse_without_effect(config)
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
    same = [word for name in SAME for word in (f"--{name}", options[name]) if options[name] is not None]
    given = ("--method", control, *same, "--out", f"{folder}-control")
    suggest("prune", config.agent, *given, why="the same with a random method, as a control")


def _refuse_without_effect(config: PruneConfig) -> None:
    """Raises ValueError if an option that a user's own task does not use differs from its default."""
    given = _flat({**options_of(config.retraining), **options_of(config.learning)})
    before = _flat({**options_of(RetrainingOptions()), **options_of(LearningOptions())})
    given["simulations"], before["simulations"] = config.simulations, 0
    given["learner.lr"] = before["learner.lr"]  # the peak of schedules without one of their own
    for name, value in given.items():
        if value != before[name]:
            raise ValueError(
                f"{name} has no effect on a task of your own, which trains itself; got {value!r}"
            )


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns options by their names on the command line: {"learner": {"lr": 1}} as {"learner.lr": 1}."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        found |= (
            {f"{name}.{key}": each for key, each in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
    return found
