"""The subject of a pruning run: a `Task`, which is a network with its data and its training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from pruning.criteria import Batch, Network
from pruning.words import kind_of

TASK_MEMBERS = ("measure", "example", "build", "dense", "train", "evaluate", "batches", "sample", "loss")
"""The members of a task."""
Hold = Callable[[torch.optim.Optimizer], object]
"""Call it once with the new optimizer: from then on pruned weights and their buffers stay at zero."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of a training run, besides the network's weights, which are changed in place.

    Attributes:
        metrics: Numbers to record, for example losses.
        before: Weights one epoch before the end, by name; only some criteria need them.
    """

    metrics: Mapping[str, float]
    before: Mapping[str, Tensor]


class Task(Protocol):
    """A network, its data, and its training. The first tensor of a batch is the network's input.

    An attribute `fingerprint`, a text or a mapping of names to values, may state what the results depend on;
    see `pruning.loop.identity`.

    Attributes:
        measure: Name of the measurement of `evaluate` that a plan compares; above 0, larger is better. It
            must not come from the test split.
        example: An input of the network, `[B, ...]`.
    """

    measure: str
    example: Tensor

    def build(self, seed: int | None) -> nn.Module:
        """Returns an untrained network; None gives the dense network's initial weights, for rewinding."""

    def dense(self) -> nn.Module | None:
        """Returns the trained network to start from, which the loop may change; None to train in cycle 0."""

    def train(
        self, network: nn.Module, hold: Hold, lr: Callable[[float], float], seed: int, share: float = 1.0
    ) -> Trained:
        """Trains `network` in place at learning rate `lr(progress)`, for the fraction `share` of the steps.

        Only the first steps of a full training run are made: `progress` goes from 0 to `share`.
        """

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Returns measurements on the validation split."""

    def batches(self) -> Iterable[Batch]:
        """Yields the batches of the training split for scoring, the same at each call."""

    def sample(self) -> Iterable[Batch]:
        """Yields a few training samples, equally many of each stratum, for scores before training."""

    def loss(self, network: Network, batch: Batch) -> Tensor:
        """Returns the mean loss of a batch."""


def missing_members(value: object) -> list[str]:
    """Returns the names of a task's members that an object lacks."""
    return [member for member in TASK_MEMBERS if not hasattr(value, member)]


def require_task(task: Task) -> None:
    """Raises ValueError if an object lacks a member of a task."""
    if missing := missing_members(task):
        known = ", ".join(TASK_MEMBERS)
        raise ValueError(
            f"{type(task).__name__} is no task: it has no {', '.join(missing)}; a task has {known}"
        )
    if not isinstance(task.measure, str):
        raise ValueError(f"the task's measure must name a measurement of evaluate, got {task.measure!r}")


def require_alike(network: object, built: nn.Module) -> None:
    """Raises ValueError if a task's trained network lacks the tensors of the network that it builds."""
    if not isinstance(network, nn.Module):
        raise ValueError(f"the task's dense must return a network or None, it returned {kind_of(network)}")
    own, other = (
        {name: tuple(tensor.shape) for name, tensor in each.state_dict().items()} for each in (network, built)
    )
    for name in (*other, *own):
        if own.get(name) != other.get(name):
            shapes = f"{name} is {own.get(name, 'missing')} there, {other.get(name, 'missing')} here"
            raise ValueError(f"the task's dense must return a network like that of build: {shapes}")
