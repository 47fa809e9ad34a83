"""Evaluators on torch: one thread of the CPU in float32 or bfloat16, and NVIDIA GPUs.

Shapes: B positions, A cells of the board.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.alphazero.network.own import Network, for_inference
from agents.alphazero.network.residual import channels_last

Precision = Literal["auto", "float32", "bfloat16"]
BATCH_MULTIPLE = 16
"""Torch chooses algorithms, which round differently, by the batch's size; one for all multiples of this.

It also prepares each size that it meets anew, which costs more than the positions added.
"""
SMALLEST_GRAPH = 64
"""Positions of the smallest batch on the GPU, which is idle with fewer."""
WARM_UPS = 3


def bfloat16_is_fast() -> bool:
    """Returns whether this CPU multiplies matrices in bfloat16 (AMX), several times as fast as in float32."""
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(supported and supported())


class TorchEvaluator:
    """A network on one thread of the CPU, its normalisations folded.

    A position's answer does not depend on what else is in the batch, nor on its size.

    Args:
        network: The network; it may change afterwards without effect.
        precision: "auto" is bfloat16 where the CPU is fast at it, else float32.
    """

    def __init__(self, network: Network, precision: Precision = "float32"):
        if precision == "auto":
            precision = "bfloat16" if bfloat16_is_fast() else "float32"
        self._dtype = getattr(torch, precision)
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
    """Runs torch with one thread, which is fastest for networks this small; the caller's number is kept."""
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
    """A captured run of the network on a batch of one size, and the memory it reads and writes."""

    graph: torch.cuda.CUDAGraph
    planes: Tensor
    logits: Tensor
    values: Tensor


class CudaEvaluator:
    """A network on an NVIDIA GPU in bfloat16, for batches of thousands.

    Batches are padded to powers of two; the kernels of each size are captured once and replayed, since to
    launch them one by one takes longer than they run. A position's answer may differ between sizes, by
    rounding.

    Args:
        network: The network; it may change afterwards without effect.

    Raises:
        ValueError: There is no such GPU.
    """

    def __init__(self, network: Network):
        if not torch.cuda.is_available():
            raise ValueError("cuda is not available: torch finds no NVIDIA GPU, or was built without CUDA")
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
        with torch.cuda.stream(stream):  # what runs for the first time sets things up, which no graph may
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
