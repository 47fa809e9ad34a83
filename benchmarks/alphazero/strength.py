"""What bfloat16, 8 bits and several leaves at once cost in strength: python -m benchmarks.alphazero.strength.

Counts moves that lose value, on the first positions of each single brick's suite.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import tyro

from agents.alphazero import SearchConfig
from agents.alphazero.network import EvaluatorName, load_network, make_evaluator
from agents.alphazero.search import Search
from agents.alphazero.training import SolverErrors
from agents.alphazero.weights import find_network
from bttt import load_suite
from bttt.runs import wilson


@dataclass(frozen=True)
class StrengthConfig:
    """Counts value-losing moves of a network by evaluator, simulations and leaves."""

    network: str = "all"
    """Shipped weights, the folder of a training run, or a checkpoint file."""
    positions: int = 20
    """Positions of each of the 49 boards."""
    evaluators: tuple[EvaluatorName, ...] = ("openvino-float32", "openvino", "openvino-int8")
    """What runs the network."""
    simulations: tuple[int, ...] = (0, 100)
    """Simulations a move; 0 is the raw policy."""
    leaves: tuple[int, ...] = (1, 4, 8, 16)
    """Simulations of one game under way at once."""


def count(config: StrengthConfig) -> None:
    """Prints one line for each combination: moves that lose value, of how many, and CPU seconds."""
    network, _ = load_network(find_network(config.network))
    suite = load_suite("single")
    chosen = suite.first_of_each_board(config.positions)
    suite = suite.take(chosen)
    bricks_plane = network.config.encoding == "bricks"
    roots = SolverErrors(suite.boards, bricks_plane).roots.part(chosen)
    for name in config.evaluators:
        evaluate = make_evaluator(network, name)
        for simulations in config.simulations:
            for leaves in config.leaves if simulations else (1,):
                started = time.process_time()
                search = Search(evaluate, SearchConfig(simulations=simulations, leaves=leaves), bricks_plane)
                after = suite.values_after(search.run(roots).cells)
                losing, number = int(np.sum(after < suite.values)), len(suite)
                seconds = time.process_time() - started
                which = f"{name:16} {simulations:4} simulations {leaves:2} leaves"
                print(f"{which}  {_share(losing, number)}  {seconds:.1f} CPU-s", flush=True)


def _share(losing: int, number: int) -> str:
    low, high = wilson(losing / number, number)
    return f"{losing} of {number} lose value: {losing / number:.2%} ({low:.2%} to {high:.2%})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 2 for wrong input."""
    torch.set_num_threads(1)
    try:
        count(tyro.cli(StrengthConfig, args=arguments, prog="python -m benchmarks.alphazero.strength"))
    except (ValueError, OSError) as error:
        print(f"benchmarks: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
