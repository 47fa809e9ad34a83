"""The command `bttt train`: trains AlphaZero on chosen brick placements, or resumes the run in a folder."""

from __future__ import annotations

from agents.alphazero.training.config import TrainConfig
from bttt.command_line import suggest
from bttt.runs import OK


def run(config: TrainConfig) -> int:
    """Starts or resumes the training run and returns 0.

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings.
        OSError: The folder cannot be written; finished iterations are kept.
    """
    from agents.alphazero.training.loop import train  # torch, which takes seconds to load

    folder = train(config)
    placement = ("--bricks", config.bricks[0], "--board", config.board)
    suggest("play", "--second", f"alphazero:{folder},simulations=100", *placement, why="play against it")
    return OK
