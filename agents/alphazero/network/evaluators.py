"""Evaluators: a network as a function from planes to logits and values, and which one to take.

Those for playing (torch, onnx) answer a position the same to the last bit whatever else is asked with it, so
that a game does not depend on how many are played at once. All agree within tested tolerances.

Shapes: B positions, A cells of the board.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from agents.alphazero.network.onnx_evaluator import OnnxEvaluator, onnx_is_installed
from agents.alphazero.network.own import Network
from agents.alphazero.network.torch_evaluators import CudaEvaluator, TorchEvaluator
from agents.alphazero.search import Evaluator
from bttt import symmetries

EvaluatorName = Literal["auto", "torch", "onnx", "onnx-int8", "cuda"]
"""auto is onnx where onnxruntime is installed, else torch; onnx-int8 is onnx in 8 bits, less exact."""


def make_evaluator(
    network: Network, name: EvaluatorName | Literal["selfplay"] = "auto", device: str = "cpu"
) -> Evaluator:
    """Returns a network's evaluator; the network may change afterwards without effect.

    Args:
        network: The network.
        name: One of `EvaluatorName`, or "selfplay": the fastest for hundreds of positions at once, made anew
            for each iteration; in bfloat16 where the CPU is fast at it, else torch in float32.
        device: "cpu"; with another, "auto", "torch" and "selfplay" are "cuda".

    Raises:
        ValueError: There is no such evaluator, or what it needs is not there.
    """
    if name not in (known := (*get_args(EvaluatorName), "selfplay")):
        raise ValueError(f"evaluator must be one of {', '.join(known[:-1])}, got {name!r}")
    if name == "cuda" or (device != "cpu" and not name.startswith("onnx")):
        return CudaEvaluator(network)
    if name.startswith("onnx") or (name == "auto" and onnx_is_installed()):
        return OnnxEvaluator(network, int8=name == "onnx-int8")
    return TorchEvaluator(network, "auto" if name == "selfplay" else "float32")


def with_symmetries(evaluate: Evaluator) -> Evaluator:
    """Returns an evaluator whose answers are means over all symmetries of the board.

    Means of logits, not of probabilities: the policy is then the same whichever cells are left out of it.
    """

    def mean(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        number, channels, rows, cols = planes.shape
        group = symmetries(rows, cols)
        flat = planes.reshape(number, channels, rows * cols)
        images = np.concatenate([symmetry.policy(flat) for symmetry in group]).reshape(-1, *planes.shape[1:])
        logits, values = evaluate(images)
        # logits of an image: what is at the image of a cell belongs to the cell
        parts = zip(group, logits.reshape(len(group), number, -1), strict=True)
        back = [part[:, list(symmetry.image)] for symmetry, part in parts]
        return np.mean(back, 0), values.reshape(len(group), number).mean(0)

    return mean
