"""agents/alphazero/network."""

from agents.alphazero.network.checkpoint import load_network, read_tensors, save_network, write_tensors
from agents.alphazero.network.evaluators import EvaluatorName, make_evaluator, with_symmetries
from agents.alphazero.network.residual import PRESETS, PolicyValueNet, folded, parameters, untrained
from agents.alphazero.network.torch_evaluators import TorchEvaluator, bfloat16_is_fast, one_thread

__all__ = [
    "PRESETS",
    "EvaluatorName",
    "PolicyValueNet",
    "TorchEvaluator",
    "bfloat16_is_fast",
    "folded",
    "load_network",
    "make_evaluator",
    "one_thread",
    "parameters",
    "read_tensors",
    "save_network",
    "untrained",
    "with_symmetries",
    "write_tensors",
]
