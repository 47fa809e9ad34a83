"""The policy-value network: architecture, checkpoints and inference backends.

>>> import numpy as np
>>> from agents.alphazero.network import PRESETS, TorchEvaluator, parameters, untrained
>>> network = untrained(PRESETS["small"], seed=0)
>>> parameters(network)
60929
>>> logits, values = TorchEvaluator(network)(np.zeros((2, 3, 7, 7), np.float32))
>>> logits.shape, values.shape
((2, 49), (2,))

Modules: `residual` is the architecture, `checkpoint` reads and writes networks, `digests` compares them, and
`evaluators` chooses an inference backend, `openvino_evaluator` or `torch_evaluators`. `openvino_model`
compiles networks, `quantisation` rounds them to 8 bits, `compiled_files` keeps them on disk, `time_split`
says where their time goes.
"""

from agents.alphazero.network.checkpoint import (
    load_checkpoint,
    load_network,
    read_network_file,
    save_network,
    write_network_file,
)
from agents.alphazero.network.digests import Digests, digests_of
from agents.alphazero.network.evaluators import (
    REMOVED_EVALUATORS,
    EvaluatorName,
    evaluator_name,
    make_evaluator,
    with_symmetries,
)
from agents.alphazero.network.openvino_model import openvino
from agents.alphazero.network.own import AlphaZeroNetwork, as_network, for_inference, own_network
from agents.alphazero.network.residual import (
    PRESETS,
    Block,
    PolicyValueNet,
    channels_last,
    folded,
    parameters,
    untrained,
)
from agents.alphazero.network.time_split import TimeSplit, time_splits
from agents.alphazero.network.torch_evaluators import TorchEvaluator, bfloat16_is_fast, one_thread

__all__ = [
    "PRESETS", "REMOVED_EVALUATORS", "AlphaZeroNetwork", "Block", "Digests", "EvaluatorName",
    "PolicyValueNet", "TimeSplit", "TorchEvaluator", "as_network", "bfloat16_is_fast", "channels_last",
    "digests_of", "evaluator_name", "folded", "for_inference", "load_checkpoint", "load_network",
    "make_evaluator", "one_thread", "openvino", "own_network", "parameters", "read_network_file",
    "save_network", "time_splits", "untrained", "with_symmetries", "write_network_file",
]  # fmt: skip
