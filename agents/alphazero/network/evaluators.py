"""Evaluators: a network as a function from planes to logits and values, on a choice of inference backends.

The evaluators for playing (torch, onnx) give bit-identical results for a position regardless of the rest of
the batch. A game therefore does not depend on how many games are played at once. All evaluators agree within
tested tolerances.

Shapes: B positions, A cells of the board.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from agents.alphazero.network.onnx_evaluator import OnnxEvaluator, onnx_is_installed
from agents.alphazero.network.own import AlphaZeroNetwork
from agents.alphazero.network.torch_evaluators import CudaEvaluator, TorchEvaluator
from agents.alphazero.search import Evaluator
from bttt import symmetries
from bttt.runs import nearest

EvaluatorName = Literal["auto", "torch", "onnx", "onnx-int8", "cuda"]
"""auto is onnx if onnxruntime is installed, otherwise torch; onnx-int8 is quantised to 8 bits and less
exact."""


def make_evaluator(
    network: AlphaZeroNetwork, name: EvaluatorName | Literal["selfplay"] = "auto", device: str = "cpu"
) -> Evaluator:
    """Returns an evaluator of a network; later changes of the network do not affect it.

    Args:
        network: The network.
        name: One of `EvaluatorName`, or "selfplay": torch in bfloat16 if that is fast on this CPU, otherwise
            in float32. It is the fastest choice for hundreds of positions when the network changes each
            iteration.
        device: "cpu"; with another device, "auto", "torch" and "selfplay" mean "cuda".

    Raises:
        ValueError: The name is unknown, or the backend's package or device is missing.
    """
    if name not in (known := (*get_args(EvaluatorName), "selfplay")):
        hint = nearest(str(name), known[:-1])
        raise ValueError(f"evaluator must be one of {', '.join(known[:-1])}, got {name!r}{hint}")
    if name == "cuda" or (device != "cpu" and not name.startswith("onnx")):
        return CudaEvaluator(network)
    if name.startswith("onnx") or (name == "auto" and onnx_is_installed()):
        return OnnxEvaluator(network, int8=name == "onnx-int8")
    return TorchEvaluator(network, "auto" if name == "selfplay" else "float32")


def with_symmetries(evaluate: Evaluator) -> Evaluator:
    """Returns an evaluator whose outputs are means over all symmetries of the board.

    It averages logits, not probabilities, so the policy does not depend on which cells are masked.
    """

    def mean(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        number, channels, rows, cols = planes.shape
        group = symmetries(rows, cols)
        flat = planes.reshape(number, channels, rows * cols)
        images = np.concatenate([symmetry.policy(flat) for symmetry in group]).reshape(-1, *planes.shape[1:])
        logits, values = evaluate(images)
        # the logit of a cell is at the cell's image in each transformed position
        parts = zip(group, logits.reshape(len(group), number, -1), strict=True)
        back = [part[:, list(symmetry.image)] for symmetry, part in parts]
        return np.mean(back, 0), values.reshape(len(group), number).mean(0)

    return mean
