"""What a network costs: density, parameters, multiply-adds, bytes on disk, latency; separate figures.

A network that is masked, not shrunk, costs what the whole network costs: only its density is lower. Latencies
are of the machine and the moment: those of several networks are taken in turns, to be compared.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Cost:
    """The columns of a cost table that do not depend on the machine.

    Attributes:
        density: Share of the weights (or units) that may be other than 0, in [0, 1].
        parameters: Entries of all parameters, those at 0 too; no running statistics.
        macs: Multiply-adds of one input, see `macs`.
        bytes: Size of the network's file; None where there is none.
    """

    density: float
    parameters: int
    macs: int
    bytes: int | None


def cost(network: nn.Module, example: Tensor, *, density: float = 1.0, file: Path | None = None) -> Cost:
    """Returns what a network costs.

    Args:
        network: The network as it would be used: whole or shrunk, with masked weights among its zeros or not.
        example: An input `[B, ...]`, where the network is; its first one is used.
        density: The caller's: what `masks.density()` says of a network that is masked, or was before it was
            shrunk.
        file: The network's file.

    Raises:
        ValueError: `density` is not in [0, 1], or `file` is no file.
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
    )


def macs(network: nn.Module, example: Tensor) -> int:
    """Returns the multiply-adds of convolutions and matrix products for one input; a FLOP count is twice it.

    Attention counts both its products, of queries with keys and of weights with values. A convolution counts
    outputs x inputs x kernel at each position of its result, products with padding too.
    Skipped are biases, normalisations, activations, pooling and additions. Zeros count as any other weight.

    Args:
        network: Stays as it is, statistics too; run once in evaluation mode.
        example: An input `[B, ...]`, where the network is; its first one is used.
    """
    counter = FlopCounterMode(display=False)
    products = sdpa_kernel(SDPBackend.MATH)  # not all kernels that do attention in one piece are counted
    with torch.no_grad(), _evaluating(network), products, counter:
        network(example[:1])
    return counter.get_total_flops() // 2


def latencies_ms(runs: Mapping[Key, Callable[[], object]], *, rounds: int = 15) -> dict[Key, float]:
    """Returns the median wall time of each run in milliseconds.

    The runs take turns, so that what else the machine does hits all of them and their ratios hold; a first
    round does not count. A run returns when its result is there: on a GPU it waits for it. Threads are as the
    caller set them.

    Args:
        runs: What is timed, by any names: calls of an evaluator, say, on a batch of 1 or 64.
        rounds: Times that each is measured.

    Raises:
        ValueError: `rounds` is below 1.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    times: dict[Key, list[float]] = {key: [] for key in runs}
    for turn in range(rounds + 1):
        for key, run in runs.items():
            start = time.perf_counter()
            run()
            if turn:
                times[key].append(1000 * (time.perf_counter() - start))
    return {key: statistics.median(own) for key, own in times.items()}


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
