"""What a method of bilevel optimisation works on: a problem, a state, and the batches that it draws.

Batches are numbers of samples, of the data of the upper loss alone and of the lower loss alone, so that an
upper variable of a sample is that sample's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from pruning.bilevel.problem import Counter, Hypergradient, Problem, hypergradient, lower_gradient
from pruning.bilevel.solvers import Solver, Tree, added


@dataclass(frozen=True)
class State:
    """Where a method is after an outer step: the upper and the lower variables."""

    x: Tree
    y: Tree


@dataclass(frozen=True)
class Sample:
    """What an estimate of the hypergradient is made of: a batch for the upper loss, some for the lower."""

    upper: Tensor
    lower: tuple[Tensor, ...]


class Batches:
    """Draws numbers of samples, uniformly with replacement; 0 and all at once are the whole, in order.

    Args:
        upper: Samples of the upper loss.
        lower: Samples of the lower loss.
        seed: Of the draws.
    """

    def __init__(self, upper: int, lower: int, seed: int) -> None:
        self._all = {"upper": torch.arange(upper), "lower": torch.arange(lower)}
        self._generator = torch.Generator().manual_seed(seed)

    def upper(self, size: int) -> Tensor:
        """Returns int64 `[size]`, each below the number of upper samples."""
        return self._draw("upper", size)

    def lower(self, size: int) -> Tensor:
        """Returns int64 `[size]`, each below the number of lower samples."""
        return self._draw("lower", size)

    def sample(self, size: int, products: int) -> Sample:
        """Returns batches for an estimate: with one for each product with the Hessian, of stochastic ones."""
        drawn = 1 + products if 0 < size < len(self._all["lower"]) else 1  # all samples are always the same
        return Sample(self.upper(size), tuple(self.lower(size) for _ in range(drawn)))

    def _draw(self, level: str, size: int) -> Tensor:
        whole = self._all[level]
        if not 0 < size < len(whole):
            return whole
        return torch.randint(len(whole), (size,), generator=self._generator)


@dataclass(frozen=True)
class Start:
    """What a method is set to work on.

    Attributes:
        problem: The losses; their batches are numbers of samples.
        x: Upper variables at the start.
        y: Lower variables at the start.
        batches: Where it draws from.
        scale: Factor of all outer steps.
        counter: Counts what it computes.
    """

    problem: Problem
    x: Tree
    y: Tree
    batches: Batches
    scale: float = 1.0
    counter: Counter = field(default_factory=Counter)

    def estimate(self, at: State, sample: Sample, solver: Solver, start: Tree | None = None) -> Hypergradient:
        """Returns the hypergradient at a state, of a sample."""
        return hypergradient(
            self.problem,
            at.x,
            at.y,
            upper_batch=sample.upper,
            lower_batches=sample.lower,
            solver=solver,
            start=start,
            counter=self.counter,
        )

    def slope(self, at: State, batch: Tensor) -> Tree:
        """Returns the lower loss's gradient over y at a state."""
        return lower_gradient(self.problem, at.x, at.y, batch, self.counter)

    def descend(self, at: State, batch: Tensor, lr: float) -> State:
        """Returns the state after a step of y down the lower loss."""
        return State(at.x, added(at.y, self.slope(at, batch), -lr))

    def outer(self, at: State, direction: Tree, lr: float) -> State:
        """Returns the state after a step of x against a direction."""
        return State(added(at.x, direction, -self.scale * lr), at.y)
