"""Weights of candidate cells: learned, from influence, from single fits, and by random search.

The lower problem fits heads. Its loss is half the mean loss on the training cells plus half the weighted
mean loss on the candidates, with weights softmax(x). A corner of the weight simplex is the fit to the
training cells and one candidate. The upper loss is the mean loss on the held-out cells.

Shapes: K candidates, P positions each.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from pruning.bilevel import ConjugateGradients, Counter, Problem, Tree, hypergradient
from pruning.studies.bricks.heads import Features, Heads, fit, fitting_losses, losses, no_heads

SOLVER = ConjugateGradients(60, 3e-3)
BETAS = (0.9, 0.999)


@dataclass(frozen=True)
class Lower:
    """The fit of heads to weighted cells.

    Attributes:
        features: `[(1 + K) P]`: the training cells first, then each candidate, all with P positions.
        groups: 1 + K.
        l2: Factor of half the squared norm of the heads.
    """

    features: Features
    groups: int
    l2: float

    def means(self, heads: Heads) -> Tensor:
        """Returns the mean loss of each group, `[1 + K]`."""
        return fitting_losses(heads, self.features).unflatten(0, (self.groups, -1)).mean(1)

    def loss(self, weights: Tensor, heads: Heads) -> Tensor:
        """Returns the fitting loss of heads, given the weights of the groups `[1 + K]`."""
        norm = torch.stack([each.square().sum() for each in heads.values()]).sum()
        return weights @ self.means(heads) + self.l2 / 2 * norm

    def shared(self, x: Tensor) -> Tensor:
        """Returns the weights of the groups `[1 + K]` for x `[K]`; the training cells get one half."""
        return torch.cat([x.new_full((1,), 0.5), 0.5 * torch.softmax(x, 0)])

    def fitted(self, weights: Tensor, start: Heads, counter: Counter) -> dict[str, Tensor]:
        """Returns the heads that minimise the fitting loss."""
        return fit(lambda heads: self.loss(weights, heads), start, counter)


@dataclass(frozen=True)
class Weighed:
    """Weights of the candidates, and the heads fitted with them.

    Attributes:
        weights: `[K] float64`, sum 1.
        heads: The heads.
        upper: The upper loss of the heads.
        influence: `[K]`, how fast the upper loss falls with each x at uniform weights; only from `learn`.
        path: Upper loss by step.
        counter: Counts of the computations, each on all positions.
    """

    weights: np.ndarray
    heads: dict[str, Tensor]
    upper: float
    influence: np.ndarray = field(default_factory=lambda: np.zeros(0))
    path: tuple[float, ...] = ()
    counter: Counter = field(default_factory=Counter)


def bilevel_problem(lower: Lower, held: Features) -> Problem:
    """Returns the problem over x = {"cells": [K]} and y = heads; its batches are None: all positions."""

    def upper_loss(x: Tree, y: Tree, batch: None) -> Tensor:
        return losses(y, held).mean()

    def lower_loss(x: Tree, y: Tree, batch: None) -> Tensor:
        return lower.loss(lower.shared(x["cells"]), y)

    return Problem(upper_loss, lower_loss)


def learn(lower: Lower, held: Features, *, steps: int, lr: float) -> Weighed:
    """Returns the weights with the smallest upper loss along Adam steps on x, from uniform weights.

    Every step refits the heads, warm-started from the step before, and computes the hypergradient there by
    implicit differentiation with conjugate gradients. Adam is scale-free, which suits small hypergradients.

    Args:
        lower: The lower problem.
        held: Features of the held-out cells for choosing weights.
        steps: Number of steps, at least 1.
        lr: Adam's learning rate.
    """
    problem, counter = bilevel_problem(lower, held), Counter()
    x = torch.zeros(lower.groups - 1, dtype=lower.features.cells.dtype)
    optimizer = torch.optim.Adam([x], lr=lr, betas=BETAS)
    heads, adjoint = no_heads(lower.features), None
    best: tuple[float, Tensor, dict[str, Tensor]] | None = None
    path, influence = [], None
    for _ in range(steps):
        heads = lower.fitted(lower.shared(x), heads, counter)
        path.append(_upper(heads, held))
        if best is None or path[-1] < best[0]:
            best = path[-1], x.clone(), heads
        found = hypergradient(
            problem,
            {"cells": x.clone()},
            heads,
            upper_batch=None,
            lower_batches=[None],
            solver=SOLVER,
            start=adjoint,
            counter=counter,
        )
        adjoint, x.grad = found.adjoint, found.gradient["cells"]
        influence = -x.grad.double().numpy() if influence is None else influence
        optimizer.step()
    assert best is not None and influence is not None
    weights = torch.softmax(best[1], 0).double().numpy()
    return Weighed(weights, best[2], best[0], influence, tuple(path), counter)


def corners(lower: Lower, held: Features, start: Heads) -> list[Weighed]:
    """Returns the fits to the training cells and each single candidate, for the greedy choice."""
    units = np.eye(lower.groups - 1)
    return [_weighed(lower, held, unit, start, Counter()) for unit in units]


def search(
    lower: Lower, held: Features, start: Heads, *, calls: int, rng: np.random.Generator
) -> tuple[Weighed, int]:
    """Returns the best of random weights within a budget of gradients, and the number tried.

    The corners come first, as far as the budget lasts, then weights drawn uniformly from the simplex.

    Args:
        lower: The lower problem.
        held: Features of the held-out cells for choosing weights.
        start: Initial heads of each fit.
        calls: Maximum number of gradients; only the last fit may exceed it.
        rng: Generator that draws the weights.
    """
    counter, number = Counter(), lower.groups - 1
    tried: list[Weighed] = []
    while counter.calls < calls or not tried:
        place = len(tried)
        weights = np.eye(number)[place] if place < number else rng.dirichlet(np.ones(number))
        tried.append(_weighed(lower, held, weights, start, counter))
    return min(tried, key=lambda each: each.upper), len(tried)


def uniform(lower: Lower, held: Features) -> Weighed:
    """Returns the fit with equal weights."""
    number = lower.groups - 1
    return _weighed(lower, held, np.full(number, 1 / number), no_heads(lower.features), Counter())


def base_alone(lower: Lower, held: Features, start: Heads) -> Weighed:
    """Returns the fit to the training cells alone; its weights are all 0."""
    weights = torch.zeros(lower.groups, dtype=lower.features.cells.dtype)
    weights[0] = 1
    counter = Counter()
    heads = lower.fitted(weights, start, counter)
    return Weighed(np.zeros(lower.groups - 1), heads, _upper(heads, held), counter=counter)


def _weighed(lower: Lower, held: Features, weights: np.ndarray, start: Heads, counter: Counter) -> Weighed:
    shares = torch.cat([torch.tensor([0.5]), 0.5 * torch.from_numpy(weights)])
    heads = lower.fitted(shares.to(lower.features.cells.dtype), start, counter)
    return Weighed(weights, heads, _upper(heads, held), counter=counter)


@torch.no_grad()
def _upper(heads: Heads, held: Features) -> float:
    return float(losses(heads, held).mean())
