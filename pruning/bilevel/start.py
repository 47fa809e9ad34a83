"""The input of a method of bilevel optimisation: a problem, a state, and batches.

A batch holds indices of samples. The data of the upper and the lower loss have separate indices, so an upper
variable can belong to one sample of the lower loss.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from pruning.bilevel.problem import Counter, Hypergradient, Problem, hypergradient, lower_gradient
from pruning.bilevel.solvers import Solver, Tree, added


@dataclass(frozen=True)
class State:
    """The upper and the lower variables after an outer step."""

    x: Tree
    y: Tree


@dataclass(frozen=True)
class Sample:
    """The batches for one estimate of the hypergradient: one for the upper loss, some for the lower loss."""

    upper: Tensor
    lower: tuple[Tensor, ...]


class Batches:
    """Draws sample indices uniformly with replacement; a size of 0 or beyond all samples gives all, in order.

    Args:
        upper: Number of samples of the upper loss.
        lower: Number of samples of the lower loss.
        seed: Seed of the draws.
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
        """Returns the batches for an estimate: one per Hessian product if the estimate is stochastic."""
        drawn = 1 + products if 0 < size < len(self._all["lower"]) else 1  # all full batches are equal
        return Sample(self.upper(size), tuple(self.lower(size) for _ in range(drawn)))

    def _draw(self, level: str, size: int) -> Tensor:
        whole = self._all[level]
        if not 0 < size < len(whole):
            return whole
        return torch.randint(len(whole), (size,), generator=self._generator)


@dataclass(frozen=True)
class Start:
    """The input of a method: the problem, the initial state and the batches.

    Attributes:
        problem: The losses; their batches are sample indices.
        x: Upper variables at the start.
        y: Lower variables at the start.
        batches: Source of the batches.
        scale: Factor of all outer steps.
        counter: Counter of the computations.
    """

    problem: Problem
    x: Tree
    y: Tree
    batches: Batches
    scale: float = 1.0
    counter: Counter = field(default_factory=Counter)

    def estimate(self, at: State, sample: Sample, solver: Solver, start: Tree | None = None) -> Hypergradient:
        """Returns an estimate of the hypergradient at a state from a sample."""
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
