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
    """Gives all samples the weight 1, or no feature a penalty."""
    return task.solved(_constant(task, FULL if "weight" in task.start.x else NO_PENALTY), counter)


def oracle(task: BilevelTask, counter: Counter) -> State:
    """Excludes the samples with a wrong label."""
    return task.solved({"weight": torch.where(task.wrong, -FULL, FULL)}, counter)


def one_number(task: BilevelTask, counter: Counter) -> State:
    """Gives all samples one weight, or all features one penalty, by a grid search on validation loss."""
    grid = WEIGHTS if "weight" in task.start.x else PENALTIES
    tried = [task.solved(_constant(task, value), counter) for value in grid]
    return min(tried, key=lambda state: task.measured(state)["validation loss"])


def validation_alone(task: BilevelTask, counter: Counter) -> State:
    """Fits the same regression to the validation samples, without any training sample."""

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


def _constant(task: BilevelTask, value: float) -> Tree:
    return {name: torch.full_like(entries, value) for name, entries in task.start.x.items()}
