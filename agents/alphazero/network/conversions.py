"""Networks converted to OpenVINO once for each architecture: self-play has a new network in each iteration.

A conversion takes twice as long as a compilation. A model's constants are weights of the network, so with
other constants it is the model of another network of the same architecture.
"""

from __future__ import annotations

import copy
import importlib
import threading
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from agents.alphazero.network.openvino_model import converted


def model_of(network: nn.Module, rows: int, cols: int) -> Any:
    """Returns a network of this package in evaluation mode as an OpenVINO model, see `converted`."""
    return _conversion(_architecture(network), rows, cols).model_of(network)


class Conversion:
    """The model of one architecture on boards of one size.

    Args:
        rows: Rows of the boards.
        cols: Columns of the boards.
    """

    def __init__(self, rows: int, cols: int):
        self._board = rows, cols
        self._lock = threading.Lock()
        self._asked = 0
        self._model: Any = None
        self._sources: dict[str, str] = {}

    def model_of(self, network: nn.Module) -> Any:
        """Returns the model of a network of this architecture."""
        with self._lock:
            self._asked += 1
            if self._asked == 2:  # an architecture that is asked for once is converted once
                self._learn(network)
            if self._model is None:
                return converted(network, *self._board)
            return self._with_weights(network)

    def _learn(self, network: nn.Module) -> None:
        """Finds out which constant is which weight, by a network whose numbers are all different."""
        module = copy.deepcopy(network)
        _draw_weights(module, seed=0)
        self._model = converted(module, *self._board)
        for constant in _constants(self._model):
            for name, tensor in module.state_dict().items():
                if np.array_equal(constant.data.ravel(), tensor.numpy().ravel()):
                    self._sources[constant.get_friendly_name()] = name
        _draw_weights(module, seed=1)
        pairs = zip(
            _constants(self._with_weights(module)), _constants(converted(module, *self._board)), strict=True
        )
        if not all(np.array_equal(ours.data, expected.data) for ours, expected in pairs):
            self._model = None  # a weight is no constant as it is: each network is converted

    def _with_weights(self, network: nn.Module) -> Any:
        ops = importlib.import_module("openvino.opset13")
        tensors = network.state_dict()
        model = self._model.clone()
        for constant in _constants(model):
            if (name := self._sources.get(constant.get_friendly_name())) is not None:
                weights = tensors[name].numpy().reshape(constant.data.shape)
                own = ops.constant(np.array(weights, order="C"), name=constant.get_friendly_name())
                constant.output(0).replace(own.output(0))
        return model


@torch.no_grad()
def _draw_weights(network: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)


def _constants(model: Any) -> list[Any]:
    return [node for node in model.get_ordered_ops() if node.get_type_name() == "Constant"]


@cache
def _conversion(architecture: tuple[Any, ...], rows: int, cols: int) -> Conversion:
    return Conversion(rows, cols)


def _architecture(network: nn.Module) -> tuple[Any, ...]:
    """Returns what tells networks apart, besides their weights."""
    return str(network), tuple(map(type, network.modules()))
