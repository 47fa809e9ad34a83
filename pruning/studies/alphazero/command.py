"""The command `bttt prune`: prunes an AlphaZero network, or your own task, in cycles."""

from __future__ import annotations

from bttt.command_line import suggest
from bttt.runs import OK, is_plugin
from pruning.studies.alphazero.config import PruneConfig


def run(config: PruneConfig) -> int:
    """Starts or resumes a pruning run, prints a table of its levels, and returns 0.

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings.
        OSError: The folder cannot be written; the levels finished before are kept.
    """
    if is_plugin(config.agent):
        from pruning.studies.alphazero.own_task import prune_task
        from pruning.studies.alphazero.plans import make_plan

        prune_task(config.agent, make_plan(config), config.out)
        suggest("prune", config.agent, "--method", "random-weights", why="the control of every method")
        return OK
    from pruning.studies.alphazero.run import prune  # torch, which takes seconds to load

    folder = prune(config)
    suggest("levels", folder, why="rate the levels against each other")
    return OK
