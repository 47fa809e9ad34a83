"""Solvers of linear systems over trees, name -> tensor, that only use matrix-vector products.

`Neumann` is the truncated series; the others are `FixedPoint` and `ConjugateGradients`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Tree = Mapping[str, Tensor]
Product = Callable[[int, Tree], Tree]
"""(Number of the draw of the Hessian, vector) -> their product."""


class Solver(Protocol):
    """Solves H v = right for the Hessian H of the lower loss over y."""

    def solve(self, product: Product, right: Tree, start: Tree | None) -> Tree:
        """Returns v.

        Args:
            product: (j, v) -> Hessian v, of the j-th draw of a batch, j = 0, 1, ...
            right: Right-hand side.
            start: First guess; None for 0.
        """
        ...


@dataclass(frozen=True)
class Neumann:
    """The truncated Neumann series: v = eta * sum over q = 0..terms of (prod over j <= q of 1 - eta H_j) b.

    Each factor has its own batch if enough batches are given. The first guess is not used.

    Attributes:
        terms: Q, the number of Hessian-vector products; at least 0.
        eta: Step size, at most 1 / the largest eigenvalue of the Hessian.
    """

    terms: int
    eta: float

    def __post_init__(self) -> None:
        _check_counts(self.terms, 0, "terms")
        _check_step(self.eta)

    def solve(self, product: Product, right: Tree, start: Tree | None) -> Tree:
        """Returns v; see `Solver.solve`."""
        power: Tree = dict(right)
        total = power
        for j in range(self.terms):
            power = added(power, product(j, power), -self.eta)
            total = added(total, power)
        return scaled(total, self.eta)


@dataclass(frozen=True)
class FixedPoint:
    """Steps v <- v - eta (H v - right) from the first guess.

    From 0, n steps equal the Neumann series with n - 1 terms.

    Attributes:
        steps: Number of steps, at least 1; each needs a Hessian-vector product, except the first from 0.
        eta: Step size, at most 1 / the largest eigenvalue of the Hessian.
    """

    steps: int
    eta: float

    def __post_init__(self) -> None:
        _check_counts(self.steps, 1, "steps")
        _check_step(self.eta)

    def solve(self, product: Product, right: Tree, start: Tree | None) -> Tree:
        """Returns v; see `Solver.solve`."""
        found = scaled(right, self.eta) if start is None else start
        for j in range(self.steps - (start is None)):
            found = added(found, added(product(j, found), right, -1.0), -self.eta)
        return found


@dataclass(frozen=True)
class ConjugateGradients:
    """Conjugate gradients, exact after as many steps as y has entries; all products use the first batch.

    Attributes:
        steps: Maximum number of steps, at least 1.
        tolerance: Stops when the residual's norm is at most this fraction of the right-hand side's norm.
    """

    steps: int
    tolerance: float = 1e-10

    def __post_init__(self) -> None:
        _check_counts(self.steps, 1, "steps")

    def solve(self, product: Product, right: Tree, start: Tree | None) -> Tree:
        """Returns v; see `Solver.solve`."""
        found = scaled(right, 0.0) if start is None else start
        residual = dict(right) if start is None else added(right, product(0, found), -1.0)
        direction, square = residual, dot(residual, residual)
        enough = self.tolerance**2 * dot(right, right)
        for _ in range(self.steps):
            if square <= enough:
                break
            image = product(0, direction)
            length = square / dot(direction, image)
            found = added(found, direction, length)
            residual = added(residual, image, -length)
            before, square = square, dot(residual, residual)
            direction = added(residual, direction, square / before)
        return found


def added(one: Tree, other: Tree, factor: float | Tensor = 1.0) -> Tree:
    """Returns one + factor * other."""
    return {name: torch.add(value, other[name] * factor) for name, value in one.items()}


def scaled(tree: Tree, factor: float) -> Tree:
    """Returns factor * tree."""
    return {name: value * factor for name, value in tree.items()}


def dot(one: Tree, other: Tree) -> Tensor:
    """Returns the sum of the products of the entries, a scalar."""
    return torch.stack([(value * other[name]).sum() for name, value in one.items()]).sum()


def _check_counts(value: int, least: int, name: str) -> None:
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def _check_step(value: float) -> None:
    if not value > 0:
        raise ValueError(f"eta must be above 0, got {value}")
