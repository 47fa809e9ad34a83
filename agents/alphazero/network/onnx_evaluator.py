"""The evaluator on onnxruntime: several times as fast as torch on a CPU for a single game.

Shapes: B positions, A cells of the board.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from agents.alphazero.network.own import AlphaZeroNetwork, OwnNet, for_inference
from agents.alphazero.network.residual import PLANES, widened

EXTRA = "pip install 'brick-tic-tac-toe[onnx]'"
ANY_SIDE = 7
"""Board side for tracing and calibrating a network that accepts any board size."""
CALIBRATION_POSITIONS = 512
BLOCK = 16
"""Channels per block in onnxruntime's convolutions; with other numbers they are up to twice as slow."""


def onnx_is_installed() -> bool:
    """Returns whether onnxruntime and onnx, which writes its models, are installed."""
    return all(find_spec(name) is not None for name in ("onnxruntime", "onnx"))


class OnnxEvaluator:
    """A network on one CPU thread, for the board sizes that the network accepts.

    In float32 the result for a position does not depend on the other positions in the batch or their number.

    Args:
        network: The network; later changes do not affect the evaluator.
        int8: Quantise weights and activations to 8 bits, which costs playing strength.

    Raises:
        ValueError: onnxruntime or onnx is not installed.
    """

    def __init__(self, network: AlphaZeroNetwork, *, int8: bool = False):
        if not onnx_is_installed():
            raise ValueError(f"evaluator=onnx needs onnxruntime and onnx; install them with {EXTRA}")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        model = exported(network)
        if int8:
            model = quantised(model, *_board_of(network))
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns logits `[B, A]` and values `[B]`, float32, for `planes` `[B, 3, rows, cols] float32`."""
        return tuple(self._session.run(None, {"planes": planes}))


def exported(network: AlphaZeroNetwork) -> bytes:
    """Returns a network as an ONNX model for batches of any size and the board sizes the network accepts."""
    rows, cols = _board_of(network)
    axes = {"planes": {0: "batch"}, "logits": {0: "batch"}, "values": {0: "batch"}}
    any_size = not isinstance(network, OwnNet) and network.config.heads == "conv"
    if any_size:
        axes["planes"] |= {2: "rows", 3: "cols"}
        axes["logits"] |= {1: "cells"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "network.onnx"
        # Torch warns that it prefers its other exporter, which needs another package and is much slower.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            for_inference(network if isinstance(network, OwnNet) else widened(network, BLOCK)).to("cpu"),
            (torch.zeros(2, PLANES, rows, cols),),
            path,
            dynamo=False,
            input_names=["planes"],
            output_names=["logits", "values"],
            dynamic_axes=axes,
        )
        return path.read_bytes()


def quantised(model: bytes, rows: int, cols: int) -> bytes:
    """Returns a model quantised to 8 bits, calibrated on random positions of a `rows` x `cols` board."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    class Positions(CalibrationDataReader):
        def __init__(self) -> None:
            self.batches = iter(np.split(_random_planes(rows, cols), 8))

        def get_next(self) -> dict[str, np.ndarray] | None:
            batch = next(self.batches, None)
            return None if batch is None else {"planes": batch}

    with tempfile.TemporaryDirectory() as folder, _no_logging():
        source, target = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save_model(onnx.load_model_from_string(model), source)
        quantize_static(source, target, Positions(), per_channel=True)
        return target.read_bytes()


@contextmanager
def _no_logging() -> Iterator[None]:
    """Suppresses onnxruntime's advice to preprocess the model, which is not needed here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _random_planes(rows: int, cols: int) -> np.ndarray:
    """Returns planes `[CALIBRATION_POSITIONS, 3, rows, cols] float32` with random stones (fixed seed)."""
    rng = np.random.default_rng(0)
    planes = np.zeros((CALIBRATION_POSITIONS, PLANES, rows * cols), np.float32)
    for position in planes:
        order = rng.permutation(rows * cols)
        stones = rng.integers(rows * cols * 3 // 4)
        position[0, order[: stones // 2]] = 1
        position[1, order[stones // 2 : stones]] = 1
        position[2, order[:-1]] = 1
    return planes.reshape(-1, PLANES, rows, cols)


def _board_of(network: AlphaZeroNetwork) -> tuple[int, int]:
    config = network.config
    any_size = not isinstance(network, OwnNet) and network.config.heads == "conv"
    return (ANY_SIDE, ANY_SIDE) if any_size else (config.rows, config.cols)
