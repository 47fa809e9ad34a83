"""The evaluator on OpenVINO: the fastest on a CPU, for one game and for hundreds.

Shapes: B positions, A cells of the board.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
import torch

from agents.alphazero.network.compiled_files import CompiledFiles
from agents.alphazero.network.conversions import model_of
from agents.alphazero.network.openvino_model import (
    CompiledNetwork,
    Precision,
    compiled,
    converted,
    openvino_is_installed,
)
from agents.alphazero.network.own import AlphaZeroNetwork, OwnNet, for_inference
from agents.alphazero.network.quantisation import quantise
from agents.alphazero.network.residual import PolicyValueNet, widened
from agents.alphazero.network.torch_evaluators import TorchEvaluator, bfloat16_is_fast
from bttt.runs import FAILURES

SIZES = (1, 4, 16, 64, 256)
"""Batch sizes that a network is compiled for, each when it is first needed."""
SELFPLAY_SIZES = (32,)
"""For self-play: compiling a size takes as long as 5,000 positions, and each iteration has a new network."""
MODEL_SIZE = 64
"""The batch size with which the others must agree bit for bit."""
BLOCK = 16
"""Number of channels that bfloat16 kernels process at once; with part of a block they can be half as fast."""
CALIBRATION = 256
"""Number of positions that give the ranges of numbers in 8 bits."""
CALL = 4
"""The cost of a call without its positions, as a number of positions; measured for small networks."""
TOLERANCE = 1e-3
"""Largest difference between OpenVINO in float32 and torch, relative to the largest output (at least 1)."""


class OpenVinoEvaluator:
    """A network on one CPU thread, for the board sizes that the network accepts.

    The result for a position does not depend on the other positions in the batch or their number: a batch is
    split into batches of fixed sizes, the last one padded. A size whose results differ from those of
    `MODEL_SIZE` in any bit, for random positions, is not used.

    Attributes:
        name: Backend and precision, for tables of times.

    Args:
        network: The network; later changes do not affect the evaluator.
        precision: "auto" is bfloat16 if it is fast on this CPU, otherwise float32; "int8" rounds inputs and
            weights of the convolutions to 8 bits.
        sizes: The batch sizes.
        keep: Keep compiled networks on disk, for the next process; never those of user-defined classes, whose
            code may change.

    Raises:
        ValueError: OpenVINO is not installed, or computes a user-defined network wrongly.
    """

    def __init__(
        self,
        network: AlphaZeroNetwork,
        precision: Precision | Literal["auto"] = "auto",
        *,
        sizes: tuple[int, ...] = SIZES,
        keep: bool = False,
    ):
        if not openvino_is_installed():
            raise ValueError("openvino is not installed (pip install openvino)")
        if precision == "auto":
            precision = "bfloat16" if bfloat16_is_fast() else "float32"
        self._precision: Precision = precision
        self._bricks_plane = network.config.encoding == "bricks"
        self.name = f"openvino, {precision}"
        if precision == "bfloat16" and isinstance(network, PolicyValueNet):
            network = widened(network, BLOCK)
        self._network = for_inference(network).to("cpu", torch.float32)
        self._sizes = sizes
        self._keep = keep
        self._boards: dict[tuple[int, int], OnBoards] = {}
        if isinstance(network, OwnNet):
            self._check_conversion(network)

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns logits `[B, A]` and values `[B]`, float32, for `planes` `[B, 3, rows, cols] float32`."""
        shape = planes.shape[2], planes.shape[3]
        if shape not in self._boards:
            self._boards[shape] = self._on_boards(*shape)
        return self._boards[shape](planes)

    def profiled(self, size: int, rows: int, cols: int) -> CompiledNetwork:
        """Returns the network compiled for a batch size, with times of its operations."""
        model = converted(self._network, rows, cols)
        return compiled(model, size, rows, cols, self._precision, profiled=True)

    def _on_boards(self, rows: int, cols: int) -> OnBoards:
        @cache
        def model() -> Any:
            return self._model(rows, cols)

        def compile_for(size: int) -> CompiledNetwork:
            return compiled(model(), size, rows, cols, self._precision)

        files = None
        if self._keep and isinstance(self._network, PolicyValueNet):
            files = CompiledFiles(self._network, self._precision)
        return OnBoards(rows, cols, self._sizes, compile_for, files)

    def _model(self, rows: int, cols: int) -> Any:
        if self._precision == "int8":
            model = converted(self._network, rows, cols)
            quantise(model, some_planes(CALIBRATION, rows, cols, self._bricks_plane))
            return model
        if isinstance(self._network, PolicyValueNet):
            return model_of(self._network, rows, cols)
        return converted(self._network, rows, cols)

    def _check_conversion(self, network: OwnNet) -> None:
        """Raises ValueError if OpenVINO's results are not torch's: tracing loses branches of a `forward`."""
        rows, cols, name = network.config.rows, network.config.cols, network.config.network
        planes = some_planes(MODEL_SIZE, rows, cols)
        try:
            model = compiled(converted(self._network, rows, cols), MODEL_SIZE, rows, cols, "float32")
        except FAILURES as error:  # of several types, with a report in many lines
            why = str(error).strip().splitlines()[-1]
            raise ValueError(f"openvino cannot run network {name!r} ({why})") from error
        for ours, expected in zip(evaluated([model], planes), TorchEvaluator(network)(planes), strict=True):
            difference = float(np.abs(ours - expected).max())
            if not difference <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
                raise ValueError(
                    f"openvino computes network {name!r} wrongly (it differs from torch by {difference:.3g})"
                )


class OnBoards:
    """A network on boards of one size, compiled for each batch size when it is first needed.

    Args:
        rows: Rows of the boards.
        cols: Columns of the boards.
        sizes: Batch sizes, among them `MODEL_SIZE` if there are several.
        compile_for: Returns the network compiled for a batch size.
        files: Where compiled networks are kept, if they are.
    """

    def __init__(
        self,
        rows: int,
        cols: int,
        sizes: tuple[int, ...],
        compile_for: Callable[[int], CompiledNetwork],
        files: CompiledFiles | None,
    ):
        self._shape = rows, cols
        self._sizes = sizes
        self._compile_for = compile_for
        self._files = files
        self._ready: dict[int, CompiledNetwork] = {}

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns logits and values of planes, see `OpenVinoEvaluator`."""
        plan = batch_sizes(len(planes), self._sizes)
        while missing := [size for size in plan if size not in self._ready]:
            if not self._prepare(missing[0]):
                self._sizes = tuple(size for size in self._sizes if size != missing[0])
                plan = batch_sizes(len(planes), self._sizes)
        return evaluated([self._ready[size] for size in plan], planes)

    def _prepare(self, size: int) -> bool:
        """Makes a batch size ready; returns False if its results are not those of `MODEL_SIZE`."""
        found = self._files.load(size, *self._shape) if self._files else None
        if found is None:
            found = self._compile_for(size)
            if size != MODEL_SIZE and len(self._sizes) > 1 and not self._agrees(found):
                return False
            if self._files:
                self._files.store(found, *self._shape)
        self._ready[size] = found
        return True

    def _agrees(self, network: CompiledNetwork) -> bool:
        if MODEL_SIZE not in self._ready:
            self._prepare(MODEL_SIZE)
        number = max(network.size, MODEL_SIZE)
        planes = some_planes(number, *self._shape)
        found, expected = (
            evaluated([each] * (number // each.size), planes) for each in (network, self._ready[MODEL_SIZE])
        )
        return all(map(np.array_equal, found, expected))


def evaluated(networks: Sequence[CompiledNetwork], planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns logits and values of planes; each network evaluates the batch after the one before it."""
    number, start = len(planes), 0
    logits = np.empty((number, planes.shape[2] * planes.shape[3]), np.float32)
    values = np.empty(number, np.float32)
    for network in networks:
        part = slice(start, start + network.size)
        network(planes[part], logits[part], values[part])
        start += network.size
    return logits, values


@cache
def batch_sizes(number: int, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the cheapest sizes of batches that together hold `number` positions, the last one padded."""
    whole, rest = divmod(number, max(sizes))
    if whole:
        return (max(sizes),) * whole + batch_sizes(rest, sizes)
    plans = [(size, *batch_sizes(max(0, rest - size), sizes)) for size in sizes] if rest else [()]
    return min(plans, key=lambda plan: sum(plan) + CALL * len(plan))


def some_planes(number: int, rows: int, cols: int, bricks_plane: bool = False) -> np.ndarray:
    """Returns planes `[number, 3, rows, cols] float32` of random stones and bricks, always the same."""
    cells = np.random.default_rng(0).integers(4, size=(number, 1, rows, cols))
    third = (cells == 2) == bricks_plane
    return np.concatenate([cells == 0, cells == 1, third], 1).astype(np.float32)
