"""Where the time of an evaluation goes on OpenVINO: products, other operations, and the call itself.

All times are processor times in one thread. Networks take turns, and the least time counts, so that other
processes on the machine change little.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

from agents.alphazero.network.openvino_evaluator import OpenVinoEvaluator, some_planes
from agents.alphazero.network.openvino_model import Precision, large_convolutions
from agents.alphazero.network.residual import PolicyValueNet

Key = TypeVar("Key", bound=Hashable)
PRODUCTS = ("Convolution", "FullyConnected", "MatMul")
"""OpenVINO's kinds of operations that multiply and add."""
ROUNDS, SECONDS = 8, 0.02
"""Turns of each network, and the least seconds of a turn."""
PROFILED = 40
"""Calls in which operations are timed."""


@dataclass(frozen=True)
class TimeSplit:
    """Processor microseconds a position, and what they are spent on; the parts sum to the total.

    Attributes:
        evaluator: Backend and precision.
        total: Microseconds a position, in batches.
        calls: Of them, the call of the evaluator: the time of one position for a network of the same layers
            with a single channel each, divided by the batch size.
        products: Of the rest, convolutions and matrix products, by OpenVINO's own times of its operations.
        others: The other operations: pooling, concatenation, changes of the memory layout.
    """

    evaluator: str
    total: float
    calls: float
    products: float
    others: float

    def arithmetic(self, macs: int) -> float:
        """Returns the microseconds of a position's multiply-adds at the `peak` of this machine."""
        precision: Precision = "bfloat16" if self.evaluator.endswith("bfloat16") else "float32"
        return min(self.products, macs / peak(precision))

    @property
    def evaluations(self) -> float:
        """Positions per processor-second."""
        return 1e6 / self.total


def time_splits(
    networks: Mapping[Key, PolicyValueNet],
    size: int = 64,
    *,
    precision: Precision | None = None,
    rows: int = 7,
    cols: int = 7,
) -> dict[Key, TimeSplit]:
    """Returns where the time of each network goes.

    Args:
        networks: Name -> network.
        size: Batch size: 1, 4, 16, 64 or 256.
        precision: Precision of the evaluator; None is that of play.
        rows: Rows of the boards.
        cols: Columns of the boards.

    Raises:
        ValueError: OpenVINO is not installed.
    """
    known = precision or "auto"
    evaluators = {name: OpenVinoEvaluator(network, known) for name, network in networks.items()}
    smallest = {name: OpenVinoEvaluator(_smallest(network), known) for name, network in networks.items()}
    many, one = some_planes(size, rows, cols), some_planes(1, rows, cols)
    runs: dict[tuple[Key, str], Callable[[], object]] = {}
    for name in networks:
        runs[name, "all"] = lambda evaluate=evaluators[name]: evaluate(many)  # type: ignore[misc]
        runs[name, "call"] = lambda evaluate=smallest[name]: evaluate(one)  # type: ignore[misc]
    least = least_microseconds(runs)
    found = {}
    for name, evaluate in evaluators.items():
        total = least[name, "all"] / size
        calls = min(total, least[name, "call"] / size)
        kinds = _kinds(evaluate, size, rows, cols)
        share = sum(kinds[kind] for kind in PRODUCTS) / sum(kinds.values())
        rest = total - calls
        found[name] = TimeSplit(evaluate.name, total, calls, share * rest, (1 - share) * rest)
    return found


@cache
def peak(precision: Precision) -> float:
    """Returns multiply-adds per processor-microsecond in large convolutions: the most of one thread."""
    call, multiply_adds = large_convolutions(precision)
    return multiply_adds / least_microseconds({precision: call})[precision]


def least_microseconds(runs: Mapping[Key, Callable[[], object]]) -> dict[Key, float]:
    """Returns the least processor time of each run over several turns, in microseconds."""
    least = dict.fromkeys(runs, float("inf"))
    for turn in range(ROUNDS + 1):
        for key, run in runs.items():
            calls, start = 0, time.process_time()
            while not calls or (turn and time.process_time() - start < SECONDS):
                run()
                calls += 1
            if turn:  # the first compiles
                least[key] = min(least[key], 1e6 * (time.process_time() - start) / calls)
    return least


def _kinds(evaluate: OpenVinoEvaluator, size: int, rows: int, cols: int) -> dict[str, float]:
    """Returns microseconds by kind of operation, the least of several calls for each operation."""
    planes = some_planes(size, rows, cols)
    network = evaluate.profiled(size, rows, cols)
    calls = [network.operation_times(planes) for _ in range(PROFILED)]
    kinds: dict[str, float] = defaultdict(float)
    for (_, kind), times in zip(calls[0], zip(*(each.values() for each in calls), strict=True), strict=True):
        kinds[kind] += min(times)
    return kinds


def _smallest(network: PolicyValueNet) -> PolicyValueNet:
    """Returns a network of the same layers with one channel in each."""
    config = network.config
    blocks = (1,) * len(config.blocks)
    return PolicyValueNet(replace(config, stream=1, blocks=blocks, policy=1, value=1, hidden=1)).eval()
