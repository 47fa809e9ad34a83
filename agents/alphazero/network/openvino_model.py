"""OpenVINO: the package without its telemetry, and a network compiled for one batch size.

OpenVINO chooses algorithms by batch size, and some round differently. What differs in a policy-value network
are its fully connected layers: alone, in small batches or merged with the activation that follows.
`compiled` therefore runs them on added rows, which gives the same algorithm for all batch sizes.

Shapes: B positions, A cells of the board.
"""

from __future__ import annotations

import importlib
import io
import os
import platform
import sys
import warnings
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from agents.alphazero.network.residual import PLANES
from agents.alphazero.network.torch_evaluators import bfloat16_is_fast

Precision = Literal["float32", "bfloat16", "int8"]
HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}
LEAST_ROWS = 32
"""Rows of a matrix product at least, so that small batches use the algorithm of large ones."""


def openvino_is_installed() -> bool:
    """Returns whether OpenVINO is installed."""
    return find_spec("openvino") is not None


@cache
def openvino() -> Any:
    """Returns the package `openvino`, imported without its telemetry.

    At its import, and for each conversion, it sends an event to its makers, unless `openvino_telemetry` is
    missing. It is made to look missing for the whole process.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


@cache
def processor() -> str:
    """Returns what code compiled by OpenVINO depends on, besides the network: version, processor, limits."""
    able = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    name = _core().get_property("CPU", "FULL_DEVICE_NAME")
    limits = [os.environ.get(f"{library}_MAX_CPU_ISA", "") for library in ("ONEDNN", "DNNL")]
    return repr((openvino().__version__, platform.machine(), name, sorted(able), limits))


@cache
def _core() -> Any:
    return openvino().Core()


def converted(network: nn.Module, rows: int, cols: int) -> Any:
    """Returns a network in evaluation mode as an OpenVINO model for batches of any size."""
    example = torch.zeros(2, PLANES, rows, cols)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch about its tracer, which OpenVINO uses
        traced = torch.jit.trace(network, example, check_trace=False)
        return openvino().convert_model(traced)


class CompiledNetwork:
    """A network for one batch size and one board size; it runs in the calling thread.

    Attributes:
        size: The batch size.

    Args:
        compiled: OpenVINO's compiled model.
    """

    def __init__(self, compiled: Any):
        self._compiled = compiled
        self._planes = np.zeros(tuple(compiled.input(0).shape), np.float32)
        self.size = len(self._planes)
        self._request = compiled.create_infer_request()
        self._request.set_input_tensor(openvino().Tensor(self._planes, shared_memory=True))
        self._logits, self._values = (self._request.get_output_tensor(output).data for output in range(2))

    def __call__(self, planes: np.ndarray, logits: np.ndarray, values: np.ndarray) -> None:
        """Fills `logits` `[N, A]` and `values` `[N]` for `planes` `[N, 3, rows, cols]`, N <= size."""
        number = len(planes)
        self._planes[:number] = planes
        self._request.infer(share_outputs=True)
        logits[:], values[:] = self._logits[:number], self._values[:number]

    def operation_times(self, planes: np.ndarray) -> dict[tuple[str, str], float]:
        """Returns the microseconds of each operation, by name and kind, for `planes` `[size, 3, rows, cols]`.

        Only for a network that was compiled with `profiled`.
        """
        self._planes[:] = planes
        self._request.infer(share_outputs=True)
        return {
            (each.node_name, each.node_type): 1e6 * each.real_time.total_seconds()
            for each in self._request.get_profiling_info()
        }

    def exported(self) -> bytes:
        """Returns the compiled network, for `imported`."""
        return bytes(self._compiled.export_model().getvalue())


def compiled(
    model: Any, size: int, rows: int, cols: int, precision: Precision, *, profiled: bool = False
) -> CompiledNetwork:
    """Returns a model of `converted` compiled for batches of `size` positions.

    With `profiled`, the network has `operation_times`; without, it is faster.
    """
    model = model.clone()
    model.reshape([size, PLANES, rows, cols])
    for node in model.get_ordered_ops():
        if node.get_type_name() == "MatMul" and _is_layer(node, size):
            _add_rows(node, size)
    model.validate_nodes_and_infer_types()
    settings = {**_settings(precision), "PERF_COUNT": profiled}
    return CompiledNetwork(_core().compile_model(model, "CPU", settings))


def imported(content: bytes, precision: Precision) -> CompiledNetwork:
    """Returns the compiled network that `CompiledNetwork.exported` returned on the same `processor`.

    Raises:
        RuntimeError: OpenVINO refuses it.
    """
    return CompiledNetwork(_core().import_model(io.BytesIO(content), "CPU", _settings(precision)))


def large_convolutions(precision: Precision) -> tuple[Callable[[], object], int]:
    """Returns a call that runs large convolutions, in one thread, and their multiply-adds."""
    ops = importlib.import_module("openvino.opset13")
    batch, width, side, layers = 4, 256, 14, 4
    rng = np.random.default_rng(0)
    inputs = found = ops.parameter([batch, width, side, side], np.float32)
    for _ in range(layers):
        weights = ops.constant(rng.standard_normal((width, width, 3, 3), np.float32) / width)
        found = ops.relu(ops.convolution(found, weights, [1, 1], [1, 1], [1, 1], [1, 1]))
    model = openvino().Model([found], [inputs])
    request = _core().compile_model(model, "CPU", _settings(precision)).create_infer_request()
    request.set_input_tensor(openvino().Tensor(rng.random(inputs.shape, np.float32)))
    return lambda: request.infer(share_outputs=True), layers * batch * (side * width * 3) ** 2


def answers_of(model: Any, planes: np.ndarray) -> list[np.ndarray]:
    """Returns all outputs of a model for `planes` `[N, 3, rows, cols] float32`, in float32."""
    request = _core().compile_model(model, "CPU", _settings("float32")).create_infer_request()
    request.infer({0: planes})
    return [output.data.copy() for output in request.output_tensors]


def _settings(precision: Precision) -> dict[str, Any]:
    if precision == "int8":  # what is not rounded to integers
        precision = "bfloat16" if bfloat16_is_fast() else "float32"
    return {
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # processes in parallel would share a core
    }


def _is_layer(product: Any, rows: int) -> bool:
    """Returns whether a matrix product is a fully connected layer of a batch of `rows` positions."""
    left, right = (product.input_value(side).get_shape() for side in range(2))
    return list(left[:1]) == [rows] and len(right) == 2 and not product.get_attributes()["transpose_a"]


def _add_rows(product: Any, rows: int) -> None:
    """Adds rows of zeros to a matrix product `[rows, N] x [N, M]`, and removes them from its result."""
    ops = importlib.import_module("openvino.opset13")
    left = product.input_value(0)
    added = max(1, LEAST_ROWS - rows)
    zeros = ops.constant(np.zeros((added, *left.get_shape()[1:]), np.float32))
    product.input(0).replace_source_output(ops.concat([left, zeros], 0).output(0))
    product.validate_and_infer_types()
    targets = product.output(0).get_target_inputs()
    first = ops.slice(product.output(0), *(ops.constant(np.array([number])) for number in (0, rows, 1, 0)))
    for target in targets:
        target.replace_source_output(first.output(0))
