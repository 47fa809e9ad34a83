"""The command `bttt prune`: prunes an AlphaZero network, or your own task, in cycles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bttt.command_line import suggest
from bttt.runs import OK, is_plugin, options_of
from pruning.studies.alphazero.config import PruneConfig
from pruning.studies.alphazero.options import LearningOptions, RetrainingOptions


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

        prune_task(config.agent, make_plan(config), config.out)
        suggest("prune", config.agent, "--method", "random-weights", why="the control of every method")
        return OK
    from pruning.studies.alphazero.run import prune  # torch, which takes seconds to load

    folder = prune(config)
    suggest("levels", folder, why="rate the levels against each other")
    return OK


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
