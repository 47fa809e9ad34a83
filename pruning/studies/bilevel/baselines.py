"""What bilevel methods are compared with: weights or penalties that are given, or one number by a grid.

Each solves the lower problem by L-BFGS on all samples; what that computes is counted as samples too.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from pruning.bilevel import Counter, State, Tree
from pruning.studies.bilevel.problems import DECAY, BilevelTask, minimised

FULL = 20.0
"""A weight whose sigmoid is 1, and without its sign 0, to single precision."""
WEIGHTS = (-6.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, FULL)
"""Of all training samples alike, before the sigmoid."""
PENALTIES = tuple(range(-4, 13))
"""Logarithms of the penalty of all features alike."""
NO_PENALTY = -30.0


def none(task: BilevelTask, counter: Counter) -> State:
    """All samples at a weight of 1, or no penalty."""
    return task.solved(_alike(task, FULL if "weight" in task.start.x else NO_PENALTY), counter)


def oracle(task: BilevelTask, counter: Counter) -> State:
    """The samples with a wrong label left out."""
    return task.solved({"weight": torch.where(task.wrong, -FULL, FULL)}, counter)


def one_number(task: BilevelTask, counter: Counter) -> State:
    """One weight for all samples, or one penalty for all features: of a grid, the best on validation."""
    grid = WEIGHTS if "weight" in task.start.x else PENALTIES
    tried = [task.solved(_alike(task, value), counter) for value in grid]
    return min(tried, key=lambda state: task.measured(state)["validation loss"])


def validation_alone(task: BilevelTask, counter: Counter) -> State:
    """The same regression fitted to the validation samples, without any of the training samples."""

    def loss(y: Tree) -> Tensor:
        counter.add(task.validation, gradients=1)
        fit = cross_entropy(task.validation.inputs @ y["w"], task.validation.labels)
        return fit + DECAY * y["w"].square().sum()

    return State(task.start.x, minimised(loss, task.start.y))


BASELINES: dict[str, Callable[[BilevelTask, Counter], State]] = {
    "none": none,
    "oracle": oracle,
    "one-number": one_number,
    "validation-alone": validation_alone,
}


def _alike(task: BilevelTask, value: float) -> Tree:
    return {name: torch.full_like(entries, value) for name, entries in task.start.x.items()}
