"""The command `bttt train`: AlphaZero on chosen bricks, in a folder that the same command continues."""

from __future__ import annotations

from agents.alphazero.training.config import TrainConfig
from bttt.command_line import suggest
from bttt.runs import OK


def run(config: TrainConfig) -> int:
    """Trains, or continues, and returns 0.

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings.
        OSError: The folder cannot be written; the iterations finished before are kept.
    """
    from agents.alphazero.training.loop import train  # torch, which takes seconds to load

    folder = train(config)
    placement = ("--bricks", config.bricks[0], "--board", config.board)
    suggest("play", "--second", f"alphazero:{folder},simulations=100", *placement, why="play against it")
    return OK
