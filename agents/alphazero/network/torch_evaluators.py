"""Evaluators on torch: one CPU thread in float32 or bfloat16, and NVIDIA GPUs.

Shapes: B positions, A cells of the board.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.alphazero.network.own import AlphaZeroNetwork, for_inference
from agents.alphazero.network.residual import channels_last

Precision = Literal["auto", "float32", "bfloat16"]
BATCH_MULTIPLE = 16
"""Batches are padded to a multiple of this.

Torch chooses algorithms by batch size, and they round differently; it uses the same one for all these
multiples. Preparing for a new batch size also costs more than the padding.
"""
SMALLEST_GRAPH = 64
"""Smallest batch size on the GPU; smaller batches would leave it idle."""
WARM_UPS = 3


def bfloat16_is_fast() -> bool:
    """Returns whether this CPU multiplies bfloat16 matrices in hardware (AMX), much faster than float32.

    Other processors that know bfloat16 are slower with it than with float32. oneDNN's limits, for example
    ONEDNN_MAX_CPU_ISA=AVX2, are respected.
    """
    limits = [os.environ.get(f"{library}_MAX_CPU_ISA", "").upper() for library in ("ONEDNN", "DNNL")]
    if any(limit not in ("", "ALL", "DEFAULT") and "AMX" not in limit for limit in limits):
        return False
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(supported and supported())


class TorchEvaluator:
    """A network on one CPU thread, with its normalisations folded into the convolutions.

    The result for a position does not depend on the other positions in the batch or their number.

    Attributes:
        name: Backend and precision, for tables of times.

    Args:
        network: The network; later changes do not affect the evaluator.
        precision: "auto" is bfloat16 if it is fast on this CPU, otherwise float32.
    """

    def __init__(self, network: AlphaZeroNetwork, precision: Precision = "float32"):
        if precision == "auto":
            precision = "bfloat16" if bfloat16_is_fast() else "float32"
        self._dtype = getattr(torch, precision)
        self.name = f"torch, {precision}"
        self._network = channels_last(for_inference(network).to("cpu", self._dtype))

    @torch.inference_mode()
    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns logits `[B, A]` and values `[B]`, float32, for `planes` `[B, 3, rows, cols] float32`."""
        number = len(planes)
        padded = -(-number // BATCH_MULTIPLE) * BATCH_MULTIPLE
        if padded != number:
            planes = np.concatenate([planes, np.zeros((padded - number, *planes.shape[1:]), np.float32)])
        inputs = torch.from_numpy(planes).to(self._dtype, memory_format=torch.channels_last)
        with one_thread():
            logits, values = self._network(inputs)
        return logits[:number].float().numpy(), values[:number].float().numpy()


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs torch with one thread, which is fastest for small networks; restores the number afterwards."""
    threads = torch.get_num_threads()
    if threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Graph(NamedTuple):
    """A captured CUDA graph of the network for one batch size, and the tensors it reads and writes."""

    graph: torch.cuda.CUDAGraph
    planes: Tensor
    logits: Tensor
    values: Tensor


class CudaEvaluator:
    """A network on an NVIDIA GPU in bfloat16, for batches of thousands.

    Batches are padded to powers of two. The kernels for each size are captured once and replayed, because
    launching them one by one takes longer than running them. The result for a position may differ between
    batch sizes by rounding.

    Attributes:
        name: Backend and precision, for tables of times.

    Args:
        network: The network; later changes do not affect the evaluator.

    Raises:
        ValueError: There is no such GPU.
    """

    name = "cuda, bfloat16"

    def __init__(self, network: AlphaZeroNetwork):
        if not torch.cuda.is_available():
            raise ValueError("cuda is not available: torch found no NVIDIA GPU or was built without CUDA")
        self._network = channels_last(for_inference(network).to("cuda", torch.bfloat16))
        self._graphs: dict[tuple[int, ...], Graph] = {}

    @torch.inference_mode()
    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns logits `[B, A]` and values `[B]`, float32, for `planes` `[B, 3, rows, cols] float32`."""
        number = len(planes)
        size = max(SMALLEST_GRAPH, 1 << (number - 1).bit_length())
        shape = (size, *planes.shape[1:])
        if shape not in self._graphs:
            self._graphs[shape] = self._capture(shape)
        graph = self._graphs[shape]
        graph.planes[:number].copy_(torch.from_numpy(planes))
        graph.graph.replay()
        return graph.logits[:number].cpu().numpy(), graph.values[:number].cpu().numpy()

    def _capture(self, shape: tuple[int, ...]) -> Graph:
        planes = torch.zeros(shape, device="cuda")
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # first runs allocate memory, which must not happen during a capture
            for _ in range(WARM_UPS):
                self._forward(planes)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            logits, values = self._forward(planes)
        return Graph(graph, planes, logits, values)

    def _forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        logits, values = self._network(planes.to(torch.bfloat16, memory_format=torch.channels_last))
        return logits.float(), values.float()
