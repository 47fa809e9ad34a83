"""Networks converted to OpenVINO once for each architecture: self-play has a new network in each iteration.

A conversion takes twice as long as a compilation. OpenVINO's model reads its constants from the torch module
that was converted, so with other weights in the module it is the model of another network. Compiled networks
may read them there too, so they get copies.
"""

from __future__ import annotations

import copy
import importlib
import threading
from functools import cache
from typing import Any

import numpy as np
from torch import nn

from agents.alphazero.network.openvino_model import converted


def model_of(network: nn.Module, rows: int, cols: int) -> Any:
    """Returns a network of this package in evaluation mode as an OpenVINO model, see `converted`."""
    conversion = _conversion(_architecture(network), rows, cols)
    with conversion.lock:
        return with_own_constants(conversion.model_of(network))


class Conversion:
    """The model of one architecture on boards of one size.

    Attributes:
        lock: To be held while the model is used.

    Args:
        rows: Rows of the boards.
        cols: Columns of the boards.
    """

    def __init__(self, rows: int, cols: int):
        self.lock = threading.Lock()
        self._board = rows, cols
        self._module: nn.Module | None = None
        self._model: Any = None
        self._follows: bool | None = None

    def model_of(self, network: nn.Module) -> Any:
        """Returns the model of a network of this architecture, until the next call."""
        if self._follows is False:
            return converted(network, *self._board)
        if self._module is None:
            self._module = copy.deepcopy(network)
            self._model = converted(self._module, *self._board)
            return self._model
        self._module.load_state_dict(network.state_dict())
        if self._follows is None:  # once: whether the model has the weights that the module has now
            fresh = converted(network, *self._board)
            self._follows = _same_constants(self._model, fresh)
            return fresh
        return self._model


def with_own_constants(model: Any) -> Any:
    """Returns a copy of a model that reads its constants from memory of its own."""
    ops = importlib.import_module("openvino.opset13")
    model = model.clone()
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Constant":
            own = ops.constant(np.array(node.data), dtype=node.get_element_type())
            node.output(0).replace(own.output(0))
    return model


@cache
def _conversion(architecture: tuple[Any, ...], rows: int, cols: int) -> Conversion:
    return Conversion(rows, cols)


def _architecture(network: nn.Module) -> tuple[Any, ...]:
    """Returns what tells networks apart, besides their weights."""
    return str(network), tuple(map(type, network.modules()))


def _same_constants(model: Any, other: Any) -> bool:
    constants = [
        [node.data for node in each.get_ordered_ops() if node.get_type_name() == "Constant"]
        for each in (model, other)
    ]
    return len(constants[0]) == len(constants[1]) and all(map(np.array_equal, *constants))
