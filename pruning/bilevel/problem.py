"""Bilevel problems: minimise upper(x, y*(x)) over x, where y*(x) minimises lower(x, y) over y.

The gradient over x, the hypergradient, follows from the implicit function theorem:

    h = upper_x - lower_xy v,  where  lower_yy v = upper_y.

A solver of `pruning.bilevel.solvers` finds v with Hessian-vector products only; `itd` differentiates through
steps of gradient descent on y instead. x and y are trees, name -> tensor. The lower loss should be strongly
convex in y. All products are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor
from torch.func import grad, vjp

from pruning.bilevel.solvers import (
    Product,
    Solver,
    Tree,
    added,
)

Loss = Callable[[Tree, Tree, Any], Tensor]


@dataclass(frozen=True)
class Problem:
    """Two losses over the trees x and y, each on batches of its own data.

    Attributes:
        upper: (x, y, batch) -> scalar that x minimises, on data that the lower loss never uses.
        lower: (x, y, batch) -> scalar that y minimises; strongly convex in y.
    """

    upper: Loss
    lower: Loss


@dataclass
class Counter:
    """Counts of computations, and of the samples that they use; a batch of None counts no samples.

    Attributes:
        gradients: Gradients of either loss computed.
        hvps: Products of a vector with the lower loss's Hessian over y.
        crosses: Products of a vector with the lower loss's mixed second derivatives.
        gradient_samples: Samples in the gradients.
        hvp_samples: Samples in the Hessian-vector products.
        cross_samples: Samples in the mixed products.
    """

    gradients: int = 0
    hvps: int = 0
    crosses: int = 0
    gradient_samples: int = 0
    hvp_samples: int = 0
    cross_samples: int = 0

    @property
    def calls(self) -> int:
        """Gradients and products of both kinds."""
        return self.gradients + self.hvps + self.crosses

    @property
    def samples(self) -> int:
        """Samples in gradients and products of both kinds, with equal weight."""
        return self.gradient_samples + self.hvp_samples + self.cross_samples

    def add(self, batch: Any, *, gradients: int = 0, hvps: int = 0, crosses: int = 0) -> None:
        """Counts computations on a batch."""
        size = 0 if batch is None else len(batch)
        self.gradients += gradients
        self.hvps += hvps
        self.crosses += crosses
        self.gradient_samples += gradients * size
        self.hvp_samples += hvps * size
        self.cross_samples += crosses * size


@dataclass(frozen=True)
class Hypergradient:
    """A hypergradient and its adjoint.

    Attributes:
        gradient: Gradient over x of the upper loss at y*(x), with the shapes of x.
        adjoint: v, with the shapes of y; a first guess for the next hypergradient.
    """

    gradient: Tree
    adjoint: Tree


def hypergradient(
    problem: Problem,
    x: Tree,
    y: Tree,
    *,
    upper_batch: Any,
    lower_batches: Sequence[Any],
    solver: Solver,
    start: Tree | None = None,
    counter: Counter | None = None,
) -> Hypergradient:
    """Returns the hypergradient at (x, y) by implicit differentiation, as if y were the lower loss's minimum.

    Args:
        problem: The losses.
        x: Upper variables.
        y: Lower variables.
        upper_batch: Batch of the upper gradient.
        lower_batches: The first batch is for the mixed product, the others are for the solver's products in
            turn; the last batch is used for all further products. A single batch is used for all products.
        solver: Solver for v.
        start: First guess of v; None for 0.
        counter: Counter of the computations.

    Raises:
        ValueError: There is no lower batch.
    """
    if not lower_batches:
        raise ValueError("a hypergradient needs a lower batch, got none")
    counter = counter or Counter()
    over_x, over_y = upper_gradient(problem, x, y, upper_batch, counter)
    crossing, *drawn = lower_batches
    product = _products(problem, x, y, drawn or [crossing], counter)
    adjoint = solver.solve(product, over_y, start)
    counter.add(crossing, crosses=1)
    mixed = vjp(lambda at: grad(problem.lower, 1)(at, dict(y), crossing), dict(x))[1](dict(adjoint))[0]
    return Hypergradient(added(over_x, mixed, -1.0), adjoint)


def itd(
    problem: Problem,
    x: Tree,
    y: Tree,
    *,
    upper_batch: Any,
    lower_batches: Sequence[Any],
    lr: float,
    counter: Counter | None = None,
) -> tuple[Hypergradient, Tree]:
    """Returns the gradient over x of the upper loss after descent steps from y, and the final y.

    It differentiates exactly through the steps, with one Hessian-vector and one mixed product for each step.

    Args:
        problem: The losses.
        x: Upper variables.
        y: Lower variables before the first step, treated as constants.
        upper_batch: Batch of the upper gradient.
        lower_batches: A batch for each step.
        lr: Step size.
        counter: Counter of the computations.
    """
    counter = counter or Counter()
    path = [y]
    for batch in lower_batches:
        path.append(added(path[-1], lower_gradient(problem, x, path[-1], batch, counter), -lr))
    gradient, adjoint = upper_gradient(problem, x, path[-1], upper_batch, counter)
    for at, batch in zip(path[-2::-1], reversed(lower_batches), strict=True):
        counter.add(batch, hvps=1, crosses=1)
        slope = partial(_slope, problem, batch)
        pull = vjp(slope, dict(x), dict(at))[1]
        mixed, curved = pull(dict(adjoint))
        gradient, adjoint = added(gradient, mixed, -lr), added(adjoint, curved, -lr)
    return Hypergradient(gradient, adjoint), path[-1]


def lower_gradient(problem: Problem, x: Tree, y: Tree, batch: Any, counter: Counter | None = None) -> Tree:
    """Returns the lower loss's gradient over y."""
    if counter is not None:
        counter.add(batch, gradients=1)
    return grad(problem.lower, 1)(dict(x), dict(y), batch)


def upper_gradient(
    problem: Problem, x: Tree, y: Tree, batch: Any, counter: Counter | None = None
) -> tuple[Tree, Tree]:
    """Returns the upper loss's partial gradients over x and over y; they count as one gradient."""
    if counter is not None:
        counter.add(batch, gradients=1)
    return grad(problem.upper, (0, 1))(dict(x), dict(y), batch)


def _products(problem: Problem, x: Tree, y: Tree, batches: Sequence[Any], counter: Counter) -> Product:
    """Returns the products with the Hessian over y; products on one batch share its first derivative."""
    pulls: dict[int, Callable[[Tree], tuple[Tree]]] = {}

    def product(j: int, vector: Tree) -> Tree:
        at = min(j, len(batches) - 1)
        if at not in pulls:
            pulls.clear()  # batches are used in turn, so one graph at a time is enough
            pulls[at] = vjp(lambda over: grad(problem.lower, 1)(dict(x), over, batches[at]), dict(y))[1]
        counter.add(batches[at], hvps=1)
        return pulls[at](dict(vector))[0]

    return product


def _slope(problem: Problem, batch: Any, x: Tree, y: Tree) -> Tree:
    return grad(problem.lower, 1)(x, y, batch)
