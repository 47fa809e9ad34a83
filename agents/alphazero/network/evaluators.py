"""Evaluators: a network as a function from planes to logits and values, on a choice of inference backends.

The evaluators for playing (openvino, torch) give bit-identical results for a position regardless of the rest
of the batch. A game therefore does not depend on how many games are played at once. All evaluators agree
within tested tolerances.

Shapes: B positions, A cells of the board.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Literal, get_args

import numpy as np

from agents.alphazero.network.openvino_evaluator import SELFPLAY_SIZES, OpenVinoEvaluator
from agents.alphazero.network.openvino_model import Precision
from agents.alphazero.network.own import AlphaZeroNetwork
from agents.alphazero.network.torch_evaluators import CudaEvaluator, TorchEvaluator
from agents.alphazero.search import Evaluator
from bttt import symmetries
from bttt.processes import is_worker
from bttt.runs import nearest

EvaluatorName = Literal["auto", "openvino", "openvino-float32", "openvino-int8", "torch", "cuda"]
"""auto is openvino if it is installed, otherwise torch; openvino is in bfloat16 where that is fast."""
OPENVINO_PRECISIONS: dict[str, Precision | Literal["auto"]] = {
    "openvino": "auto",
    "openvino-float32": "float32",
    "openvino-int8": "int8",
}
REMOVED_EVALUATORS = {"onnx": "openvino", "onnx-int8": "openvino-int8"}
"""Names of earlier versions, and what replaces them."""


def make_evaluator(
    network: AlphaZeroNetwork, name: EvaluatorName | Literal["selfplay"] = "auto", device: str = "cpu"
) -> Evaluator:
    """Returns an evaluator of a network; later changes of the network do not affect it.

    If `auto` or `selfplay` falls back to torch, a line on stderr says why, once.

    Args:
        network: The network.
        name: One of `EvaluatorName`, or "selfplay": for hundreds of positions at a time, when the network
            changes after each iteration.
        device: "cpu"; with another device, "auto", "torch" and "selfplay" mean "cuda".

    Raises:
        ValueError: The name is unknown, or the backend's package or device is missing, or the backend cannot
            run the network.
    """
    if name not in (known := (*get_args(EvaluatorName), "selfplay")):
        instead = REMOVED_EVALUATORS.get(name)
        hint = f"; it was removed: use {instead}" if instead else nearest(str(name), known[:-1])
        raise ValueError(f"evaluator must be one of {', '.join(known[:-1])}, got {name!r}{hint}")
    if name == "cuda" or (device != "cpu" and not name.startswith("openvino")):
        return CudaEvaluator(network)
    if name in OPENVINO_PRECISIONS:
        return OpenVinoEvaluator(network, OPENVINO_PRECISIONS[name], keep=True)
    if name != "torch":
        try:
            if name == "selfplay":
                return OpenVinoEvaluator(network, sizes=SELFPLAY_SIZES)
            return OpenVinoEvaluator(network, keep=True)
        except ValueError as error:
            _tell_once(f"bttt: {error}; torch evaluates the network instead, several times slower")
    return TorchEvaluator(network, "auto" if name == "selfplay" else "float32")


def evaluator_name(evaluate: Evaluator) -> str:
    """Returns an evaluator's backend and precision, for example "openvino, bfloat16", for tables of times."""
    return str(getattr(evaluate, "name", type(evaluate).__name__))


@cache
def _tell_once(text: str) -> None:
    if not is_worker():
        print(text, file=sys.stderr, flush=True)


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
