"""An OpenVINO model in 8 bits: the inputs and weights of its convolutions are rounded to integers.

Weights are scaled for each output channel, inputs for each convolution, by their largest absolute value (for
inputs, in typical positions). All else stays as it is. OpenVINO multiplies such convolutions as integers;
their sums are exact, so that no result depends on their order.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from agents.alphazero.network.openvino_model import answers_of

INPUT_LEVELS = 256
WEIGHT_LEVELS = 255
"""One less than a byte has, so that zero stays zero."""
LEAST_RANGE = 1e-6
"""Range of weights or inputs that are all zero."""


def quantise(model: Any, planes: np.ndarray) -> None:
    """Rounds the convolutions of a model of `converted` to 8 bits.

    Args:
        model: The model, which is changed. Convolutions whose weights are no constants stay as they are.
        planes: Typical inputs, `[N, 3, rows, cols] float32`.
    """
    layers = [node for node in model.get_ordered_ops() if _is_convolution(node)]
    limits = _limits(model, layers, planes)
    rounded: dict[str, Any] = {}
    for layer in layers:
        name = _source(layer)
        if name not in rounded:
            rounded[name] = _rounded(layer.input_value(0), *_range(*limits[name]), INPUT_LEVELS)
        layer.input(0).replace_source_output(rounded[name])
        weights = layer.input_value(1)
        largest = np.abs(weights.get_node().data).max((1, 2, 3), keepdims=True).clip(LEAST_RANGE)
        layer.input(1).replace_source_output(_rounded(weights, -largest, largest, WEIGHT_LEVELS))


def _is_convolution(node: Any) -> bool:
    kinds = (
        node.get_type_name(),
        node.input_value(1).get_node().get_type_name() if node.get_input_size() > 1 else "",
    )
    return kinds == ("Convolution", "Constant")


def _source(layer: Any) -> str:
    """Returns the name of what a layer reads."""
    return f"{layer.input_value(0).get_node().get_friendly_name()}:{layer.input_value(0).get_index()}"


def _limits(model: Any, layers: list[Any], planes: np.ndarray) -> dict[str, tuple[float, float]]:
    """Returns the least and the largest value of what the layers read, by the name of its source."""
    probe = model.clone()
    by_name = {node.get_friendly_name(): node for node in probe.get_ordered_ops()}
    sources = {_source(layer): by_name[layer.get_friendly_name()].input_value(0) for layer in layers}
    axes = _ops().constant(np.arange(4))
    ends = [
        reduce(source, axes).output(0)
        for source in sources.values()
        for reduce in (_ops().reduce_min, _ops().reduce_max)
    ]
    probe.add_outputs(ends)
    found = [float(each) for each in answers_of(probe, planes)[2:]]
    return dict(zip(sources, zip(found[::2], found[1::2], strict=True), strict=True))


def _range(least: float, largest: float) -> tuple[float, float]:
    """Returns a range whose `INPUT_LEVELS` levels include zero, as integers with or without a sign."""
    if least >= 0:
        return 0.0, max(largest, LEAST_RANGE)
    largest = max(largest, -least)
    half = INPUT_LEVELS / 2
    return -largest * half / (half - 1), largest


def _rounded(source: Any, least: Any, largest: Any, levels: int) -> Any:
    """Returns numbers rounded to one of `levels` between two numbers."""
    ends = [_ops().constant(np.array(end, np.float32).reshape(-1, 1, 1, 1)) for end in (least, largest)]
    return _ops().fake_quantize(source, *ends, *ends, levels).output(0)


def _ops() -> Any:
    return importlib.import_module("openvino.opset13")
