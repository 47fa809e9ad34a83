"""The cost of a network: density, parameters, multiply-adds, bytes on disk and latency, as separate numbers.

A masked network costs as much as the dense network: only its density is lower. Latencies depend on the
machine and the moment, so several networks are measured in turn for comparison.
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
        density: Fraction of the weights (or units) that is not pruned, in [0, 1].
        parameters: Entries of all parameters, including zeros, without running statistics.
        macs: Multiply-adds of one input, see `macs`.
        bytes: Size of the network's file; None without a file.
    """

    density: float
    parameters: int
    macs: int
    bytes: int | None


def cost(network: nn.Module, example: Tensor, *, density: float = 1.0, file: Path | None = None) -> Cost:
    """Returns the cost of a network.

    Args:
        network: The network as it would be used: at full size (masked or dense), or shrunk.
        example: An input `[B, ...]`, on the network's device; only its first sample is used.
        density: The density to report: `masks.density()` of a masked network; for a shrunk network, the
            density before it was shrunk.
        file: The network's file.

    Raises:
        ValueError: `density` is not in [0, 1], or `file` is not a file.
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
    """Returns the multiply-adds of convolutions and matrix products for one input; half the FLOP count.

    For attention, both products count: queries with keys, and weights with values. A convolution counts
    outputs x inputs x kernel at each position of its result, including products with padding. Biases,
    normalisations, activations, pooling and additions are not counted. Zero weights count like any others.

    Args:
        network: The network, which runs once in evaluation mode; nothing in it changes.
        example: An input `[B, ...]`, on the network's device; only its first sample is used.
    """
    counter = FlopCounterMode(display=False)
    products = sdpa_kernel(SDPBackend.MATH)  # the counter does not know all kernels of fused attention
    with torch.no_grad(), _evaluating(network), products, counter:
        network(example[:1])
    return counter.get_total_flops() // 2


def latencies_ms(runs: Mapping[Key, Callable[[], object]], *, rounds: int = 15) -> dict[Key, float]:
    """Returns the median wall time of each run in milliseconds.

    The runs take turns, so other load on the machine affects all of them and their ratios stay valid. A
    warm-up round is not counted. A run must return only when its result is complete; on a GPU it must
    synchronise. The caller sets the number of threads.

    Args:
        runs: Name -> call to time, for example an evaluator on a batch of 1 or 64.
        rounds: Number of measurements of each run.

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
    """Sets all modules to evaluation mode, and restores each module's own mode."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
