"""The command `bttt bricks`: do learned weights of candidate cells predict which brick to add next?"""

from __future__ import annotations

from bttt.command_line import suggest
from bttt.runs import OK
from pruning.studies.bricks.config import BricksConfig


def run(config: BricksConfig) -> int:
    """Starts or resumes the experiment, prints its tables, and returns 0.

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings.
        OSError: The folder cannot be written, or a worker process has died; finished work is kept.
    """
    from pruning.studies.bricks.run import study  # torch, which takes seconds to load

    study(config)
    more_cells = ("--sets", "1", "2", "5", "--variants", "base")
    suggest("generalisation", *more_cells, why="measure how much more training placements help")
    return OK
