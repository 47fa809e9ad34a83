"""Progress of a training run: a progress bar, and TensorBoard files on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BAR = "{l_bar}{bar}| {elapsed}<{remaining}{postfix}"


@contextmanager
def tensorboard_writer(folder: Path, wanted: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yields a function that takes each iteration's metrics and writes them for TensorBoard if `wanted`.

    Raises:
        ValueError: TensorBoard is wanted but not installed.
    """
    if not wanted:
        yield lambda metrics: None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError(
            "tensorboard is not installed; install it with pip install 'brick-tic-tac-toe[tensorboard]'"
        ) from error
    with SummaryWriter(str(folder / "tensorboard")) as writer:

        def write(metrics: dict[str, Any]) -> None:
            for name, value in metrics.items():
                if isinstance(value, int | float):
                    writer.add_scalar(name, value, metrics["iteration"])

        yield write


def shown(metrics: dict[str, Any]) -> dict[str, str]:
    """Returns the metrics shown in the progress bar."""
    texts = {"games/s": f"{metrics['games/s']:.1f}", "positions/s": f"{metrics['positions/s']:.0f}"}
    texts |= {"policy": f"{metrics['policy_loss']:.3f}", "value": f"{metrics['value_loss']:.4f}"}
    for name in ("seen", "novel"):
        if f"value_losing_{name}" in metrics:
            texts[name] = f"{100 * metrics[f'value_losing_{name}']:.1f}%"
    return texts
