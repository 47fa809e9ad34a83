"""The cost of a network: density, parameters, multiply-adds, bytes on disk and latency, as separate numbers.

A masked network costs as much as the dense network: only its density is lower. Latencies depend on the
machine and the moment, so several networks are measured in turn for comparison.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from pruning.words import kind_of

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
    outputs x inputs x kernel at each position of its result, including products with padding (a transposed
    one: at each position of its input). A recurrent layer counts its two matrices at each step. A bilinear
    layer counts each weight once. Distances (`torch.cdist`, `torch.pdist`) count each entry of each
    difference once. Biases, normalisations, activations, pooling, additions, look-ups of embeddings, Fourier
    transforms and products written out entry by entry are not counted. Zero weights count like any others.

    Args:
        network: The network, which runs once in evaluation mode and without fused kernels; nothing in it
            changes.
        example: An input `[B, ...]`, on the network's device; only its first sample is used.

    Raises:
        ValueError: The network cannot run on the example.
    """
    counter = FlopCounterMode(display=False, custom_mapping=_UNKNOWN_TO_TORCH)
    with _evaluating(network), counter:
        run_unfused(network, example)
    return counter.get_total_flops() // 2


def run_unfused(network: nn.Module, example: Tensor) -> None:
    """Runs a network on the first sample of an example, by products that can be counted.

    Attention, transformer layers and recurrent layers run without their fused kernels, a compiled network
    runs as the network that it was made from.

    Raises:
        ValueError: The network cannot run on the example.
    """
    if not isinstance(example, Tensor):
        raise ValueError(f"the example must be one tensor [B, ...], got {kind_of(example)}")
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), _plain_kernels(), _uncompiled(network):
        try:
            network(example[:1])
        except Exception as error:  # from the network's own code
            reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
            raise ValueError(
                f"an example of shape {[*example.shape]} does not fit {type(network).__name__}: {reason}"
            ) from error


@contextmanager
def _plain_kernels() -> Iterator[None]:
    fast, onednn = torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled
    torch.backends.mha.set_fastpath_enabled(False)
    setattr(torch.backends.mkldnn, "enabled", False)  # noqa: B010 (its type is that of a descriptor)
    try:
        with torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        setattr(torch.backends.mkldnn, "enabled", onednn)  # noqa: B010
        torch.backends.mha.set_fastpath_enabled(fast)


def _uncompiled(network: nn.Module) -> AbstractContextManager[object]:
    """Returns a context in which compiled modules run as they are; entering it takes a second."""
    compiled = any("_orig_mod" in each._modules or each._compiled_call_impl for each in network.modules())
    return torch.compiler.set_stance("force_eager") if compiled else nullcontext()


def _product(a: torch.Size, b: torch.Size, *_: object, **__: object) -> int:
    return 2 * math.prod(a) * (b[-1] if len(a) == 3 else 1)


def _added_product(_: torch.Size, a: torch.Size, b: torch.Size, *rest: object, **more: object) -> int:
    return _product(a, b)


def _bilinear(one: torch.Size, weight: torch.Size, *_: object, **__: object) -> int:
    """Returns the FLOPs of a bilinear layer, whose weight is `[1, outputs, inputs, inputs]`."""
    return 2 * math.prod(one[:1]) * math.prod(weight)


def _distances(one: torch.Size, *_: object, out_shape: torch.Size, **__: object) -> int:
    """Returns the FLOPs of distances between points, which are in the last dimension."""
    return 2 * math.prod(out_shape) * one[-1]


_UNKNOWN_TO_TORCH: dict[Any, Any] = {
    torch.ops.aten.mv: _product,
    torch.ops.aten.dot: _product,
    torch.ops.aten.vdot: _product,
    torch.ops.aten.addmv: _added_product,
    torch.ops.aten.addbmm: _added_product,
    torch.ops.aten._trilinear: _bilinear,
    torch.ops.aten._cdist_forward: _distances,
    torch.ops.aten._euclidean_dist: _distances,
    torch.ops.aten._pdist_forward: _distances,
}
"""Operation -> its FLOPs by the shapes of its arguments, where torch's counter has none."""


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
