"""Evaluators: a network as a function from planes to logits and values, on torch.

Shapes: B positions, A cells of the board.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from agents.alphazero.network import PolicyValueNet, folded
from agents.alphazero.search import Evaluator

Precision = Literal["auto", "float32", "bfloat16"]
EvaluatorName = Literal["auto", "torch", "onnx", "cuda"]


def bfloat16_is_fast() -> bool:
    """Returns whether this CPU multiplies matrices in bfloat16 (AMX), several times as fast as in float32."""
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(supported and supported())


class TorchEvaluator:
    """A network on the CPU, its normalisations folded; the network may change afterwards without effect.

    Args:
        network: The network.
        precision: "auto" is bfloat16 where the CPU is fast at it, else float32.
    """

    def __init__(self, network: PolicyValueNet, precision: Precision = "float32"):
        if precision == "auto":
            precision = "bfloat16" if bfloat16_is_fast() else "float32"
        self._dtype = getattr(torch, precision)
        self._network = folded(network).to(self._dtype).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns logits `[B, A]` and values `[B]`, float32, for `planes` `[B, 3, rows, cols] float32`."""
        inputs = torch.from_numpy(planes).to(self._dtype, memory_format=torch.channels_last)
        logits, values = self._network(inputs)
        return logits.float().numpy(), values.float().numpy()


def make_evaluator(
    network: PolicyValueNet, name: EvaluatorName | Literal["selfplay"] = "auto", device: str = "cpu"
) -> Evaluator:
    """Returns a network's evaluator for playing."""
    return TorchEvaluator(network, "auto" if name == "selfplay" else "float32")


def with_symmetries(evaluate: Evaluator) -> Evaluator:
    """Returns an evaluator whose answers are means over all symmetries of the board."""
    raise NotImplementedError
