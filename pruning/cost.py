"""What a network costs: density, parameters, multiply-adds, bytes on disk, latency; five separate figures.

A network that is masked, not shrunk, costs what the whole network costs: only its density is lower.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

WARM_UP = 5


@dataclass(frozen=True)
class Cost:
    """The five columns of a cost table.

    Attributes:
        density: Share of the weights (or units) that may be other than 0, in [0, 1].
        parameters: Entries of all parameters, those at 0 too; no running statistics.
        macs: Multiply-adds of one input, see `macs`.
        bytes: Size of the network's file; None where there is none.
        latency_1: Milliseconds for a batch of 1, the median; None where not measured.
        latency_64: Milliseconds for a batch of 64, the median; None where not measured.
    """

    density: float
    parameters: int
    macs: int
    bytes: int | None
    latency_1: float | None
    latency_64: float | None


def cost(
    network: nn.Module,
    example: Tensor,
    *,
    density: float = 1.0,
    file: Path | None = None,
    run: Callable[[int], Callable[[], object]] | None = None,
    repeats: int = 50,
) -> Cost:
    """Returns what a network costs.

    Args:
        network: The network as it would be used: whole or shrunk, with masked weights among its zeros or not.
        example: An input `[B, ...]`, where the network is; its first one is used.
        density: The caller's: `masks.density()` of a masked network, 1 of a shrunk one.
        file: The network's file.
        run: Batch size -> what is timed, so that any evaluator can be; see `latency_ms`.
        repeats: Timed runs of each batch size.

    Raises:
        ValueError: `density` is not in [0, 1], `file` is no file, or `repeats` is below 1.
    """
    if not 0 <= density <= 1:
        raise ValueError(f"density must be in [0, 1], got {density}")
    if file is not None and not file.is_file():
        raise ValueError(f"{file} is not a file")
    return Cost(
        density=density,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        macs=macs(network, example),
        bytes=file.stat().st_size if file else None,
        latency_1=latency_ms(run(1), repeats=repeats) if run else None,
        latency_64=latency_ms(run(64), repeats=repeats) if run else None,
    )


def macs(network: nn.Module, example: Tensor) -> int:
    """Returns the multiply-adds of convolutions and matrix products for one input; a FLOP count is twice it.

    A convolution counts outputs x inputs x kernel at each position of its result, products with padding too.
    Skipped are biases, normalisations, activations, pooling and additions. Zeros count as any other weight.

    Args:
        network: Stays as it is, statistics too; run once in evaluation mode.
        example: An input `[B, ...]`, where the network is; its first one is used.
    """
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), _evaluating(network), counter:
        network(example[:1])
    return counter.get_total_flops() // 2


def latency_ms(run: Callable[[], object], *, repeats: int) -> float:
    """Returns the median wall time of `run()` in milliseconds, after a few runs that do not count.

    `run` returns when its result is there: on a GPU it waits for it. Threads are as the caller set them.

    Raises:
        ValueError: `repeats` is below 1.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    for _ in range(WARM_UP):
        run()
    return statistics.median(_milliseconds(run) for _ in range(repeats))


def _milliseconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Sets all modules to evaluation; each gets its own mode back."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
