"""Retrains the network on its training cells and one candidate, and measures it on each cell.

Shapes: N samples, C cells of the board (placements of the brick).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from agents.alphazero import LearnerConfig, SearchConfig
from agents.alphazero.learning import images, make_batch
from agents.alphazero.network import PolicyValueNet
from agents.alphazero.search import Evaluator, Search, roots_of
from bttt import Board, Suite, load_suite
from pruning.studies.alphazero import AlphaZeroTask, Retraining, legal_cells
from pruning.studies.bricks.heads import BATCH, policy_losses

SUITE = "single"


class CellRates(NamedTuple):
    """The loss and value-losing moves of a network on each cell.

    Attributes:
        loss: `[C]`, mean of the policy's cross entropy over free cells and the value's squared error; nan
            if there are no positions.
        losing: `[C]`, fraction of the raw policy's decisions that are value-losing moves.
    """

    loss: np.ndarray
    losing: np.ndarray


def retrained(
    network: PolicyValueNet,
    boards: Sequence[Board],
    samples: np.ndarray,
    *,
    steps: int,
    learner: LearnerConfig,
    seed: int,
) -> PolicyValueNet:
    """Returns a copy of a network after some steps on samples `[N]`, with its learning-rate schedule.

    This equals a cycle of `bttt prune` that prunes nothing.
    """
    retraining = Retraining(steps=steps, learner=learner)
    task = AlphaZeroTask(network, boards, samples, samples[:0], seed=seed, retraining=retraining)
    copied = task.dense()
    task.train(copied, lambda optimizer: None, learner.lr_at, seed)
    return copied


@torch.no_grad()
def losses_by_cell(network: PolicyValueNet, samples: np.ndarray, size: Board) -> np.ndarray:
    """Returns the mean loss on the samples of each placement of the brick, `[C]`; nan without samples."""
    bricks_plane = network.config.encoding == "bricks"
    upright = images(size, "none")
    found = np.empty(len(samples))
    for start in range(0, len(samples), BATCH):
        part = samples[start : start + BATCH]
        batch = make_batch(part, size, upright[np.zeros(len(part), np.int64)], bricks_plane)
        planes, policies, values = map(torch.from_numpy, batch)
        logits, expected = network(planes)
        loss = policy_losses(logits, legal_cells(planes, bricks_plane), policies)
        loss += functional.mse_loss(expected, values, reduction="none")
        found[start : start + BATCH] = loss.numpy()
    boards = [size.with_bricks([cell]).playable for cell in range(size.cells)]
    own = [found[samples["playable"] == np.uint64(playable)] for playable in boards]
    return np.array([each.mean() if len(each) else np.nan for each in own])


class Exact:
    """Measures error rates on the first positions of each cell in the suite of single bricks.

    Args:
        count: Positions per cell.
        bricks_plane: Whether the network's input has a plane of bricks.
    """

    def __init__(self, count: int, bricks_plane: bool):
        whole = load_suite(SUITE)
        self.suite: Suite = whole.take(whole.first_of_each_board(count))
        self.bricks_plane = bricks_plane
        self._roots = roots_of(self.suite.positions())._replace(size=self.suite.size)

    def losing(self, evaluate: Evaluator) -> np.ndarray:
        """Returns the fraction of the raw policy's decisions that are value-losing moves, by cell `[C]`."""
        search = replace(SearchConfig(), simulations=0)
        cells = Search(evaluate, search, self.bricks_plane).run(self._roots).cells
        losing = self.suite.values_after(cells) < self.suite.values
        numbers = self.suite.board_numbers
        rates = np.bincount(numbers, losing) / np.bincount(numbers)
        found = np.full(self.suite.size.cells, np.nan)
        for board, rate in zip(self.suite.boards, rates, strict=True):
            found[board.bricks[0]] = rate
        return found
