"""The baselines of bilevel methods: fixed weights or penalties, or one number from a grid search.

Each solves the lower problem by L-BFGS on all samples; its computations count as samples too.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from pruning.bilevel import Counter, State, Tree
from pruning.studies.bilevel.problems import DECAY, BilevelTask, minimised

FULL = 20.0
"""A weight whose sigmoid is 1 to single precision; the sigmoid of its negative is about 0."""
WEIGHTS = (-6.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, FULL)
"""Grid of weights before the sigmoid, each shared by all training samples."""
PENALTIES = tuple(range(-4, 13))
"""Grid of log penalties, each shared by all features."""
NO_PENALTY = -30.0


def none(task: BilevelTask, counter: Counter) -> State:
    """Weight 1 for all samples, or no penalty."""
    return task.solved(_alike(task, FULL if "weight" in task.start.x else NO_PENALTY), counter)


def oracle(task: BilevelTask, counter: Counter) -> State:
    """Samples with a wrong label excluded."""
    return task.solved({"weight": torch.where(task.wrong, -FULL, FULL)}, counter)


def one_number(task: BilevelTask, counter: Counter) -> State:
    """One weight for all samples or one penalty for all features: the grid value best on validation."""
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
