"""What a pruning run prunes: a `Task`, a network with its data and its training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from pruning.criteria import Batch, Network

Hold = Callable[[torch.optim.Optimizer], object]
"""To be called with the optimizer once it is made: it keeps pruned weights and their buffers at zero."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of a training run, besides the weights of the network, which it changes in place.

    Attributes:
        metrics: Numbers to record, for example losses.
        before: Weights an epoch before the end, by name; only some criteria need them.
    """

    metrics: Mapping[str, float]
    before: Mapping[str, Tensor]


class Task(Protocol):
    """A network, its data, and its training. A batch is tensors of samples, the first the network's input.

    Attributes:
        measure: The entry of `evaluate` that a plan compares; above 0, larger is better. Never of the test
            split.
        example: An input of the network.
    """

    measure: str
    example: Tensor

    def build(self, seed: int | None) -> nn.Module:
        """Returns an untrained network; None gives the initial weights of the dense one, to rewind to."""

    def dense(self) -> nn.Module | None:
        """Returns the trained network to begin with, which may be changed; None to train one in cycle 0."""

    def train(
        self, network: nn.Module, hold: Hold, lr: Callable[[float], float], seed: int, share: float = 1.0
    ) -> Trained:
        """Trains `network` in place, at learning rate `lr(progress)`; only the first `share` of the steps.

        `progress` goes from 0 to `share`.
        """

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Returns measurements on the validation split."""

    def batches(self) -> Iterable[Batch]:
        """Yields the training split, the same at each call, for scores."""

    def sample(self) -> Iterable[Batch]:
        """Yields a few samples of the training split, of each stratum alike, for scores before training."""

    def loss(self, network: Network, batch: Batch) -> Tensor:
        """Returns the mean loss of a batch."""
