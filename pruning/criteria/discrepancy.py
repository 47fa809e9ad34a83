"""The local discrepancy of a layer that keeps some of its units, and greedy paths that reduce it.

D(a) = E |sum_i a_i phi_i - F|^2 for weights a of the units, a_i >= 0 with sum 1, and contributions phi_i,
whose mean is the target F. It is quadratic: D(a) = a'Ga - 2 a'c + f, so each step has a closed form. A step
moves the weights towards one unit, a + g (e_i - a), or away from it if g < 0. A step away that makes a weight
0 drops its unit (Frank-Wolfe with away steps).

Shapes: C units.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pruning.criteria.greedy import equal

LEAST = 1e-6
"""Weight of a unit that is kept only to reach the requested number, and the minimum weight after
corrections."""
ROUNDING = 1e-13
"""Smaller weights are set to 0."""
NO_GAIN = 1e-12
"""Fraction of E|F|^2: a smaller improvement counts as rounding error."""


@dataclass(frozen=True)
class Discrepancy:
    """The discrepancy D of a layer, with G_ij = E<phi_i, phi_j>, c_i = E<phi_i, F> and f = E|F|^2.

    Attributes:
        gram: G, float64 `[C, C]`.
        cross: c, float64 `[C]`.
        norm: f = E|F|^2.
        alive: Units that may have a weight, bool `[C]`.
    """

    gram: Tensor
    cross: Tensor
    norm: float
    alive: Tensor

    @classmethod
    def from_gram(cls, contributions: Tensor, alive: Tensor) -> Discrepancy:
        """Returns D from the Gram matrix `[C, C]` of the units' contributions to a sum (see `gram`)."""
        number, inner = int(alive.sum()), contributions[:, alive].sum(1)
        return cls(contributions * number**2, inner * number, float(inner[alive].sum()), alive)

    def of(self, weights: Tensor) -> float:
        """Returns D(a)."""
        return float(weights @ self.gram @ weights - 2 * weights @ self.cross) + self.norm

    def steps(self, weights: Tensor, floor: float = 0.0) -> tuple[Tensor, Tensor]:
        """Returns the best step g towards or away from each unit, and the decrease of D; both `[C]`.

        With A = a'Ga - 2 (Ga)_i + G_ii and B = a'Ga - (Ga)_i - a'c + c_i the discrepancy decreases by
        2gB - g^2 A. The best step is g = B / A, limited to at most 1 - `floor`, and from below so that the
        unit's weight stays at least `floor`.
        """
        inner = self.gram @ weights
        own, target = weights @ inner, weights @ self.cross
        curvature = (own - 2 * inner + self.gram.diagonal()).clamp(min=0)
        slope = own - inner - target + self.cross
        lowest = torch.where(weights > floor, (floor - weights) / (1 - weights), 0.0)
        far = torch.where(slope > 0, 1 - floor, lowest)
        step = torch.where(curvature > 0, slope / curvature, far)
        step = step.clamp(min=lowest, max=torch.tensor(1 - floor, dtype=torch.double))
        step = torch.where(self.alive & (weights < 1), step, 0.0)
        return step, 2 * step * slope - step**2 * curvature

    def first(self) -> int:
        """Returns the best single unit: the unit with the lowest D among those with c_i > 0.

        A single unit is scaled by N, so most units overshoot and the best one has small contributions.
        The condition c_i > 0 excludes units that are always 0, which are useless.
        """
        alone = self.gram.diagonal() - 2 * self.cross
        good = self.alive & (self.cross > 0)
        return int(alone.masked_fill(~(good if good.any() else self.alive), torch.inf).argmin())


def line_search_weights(
    problem: Discrepancy, supports: Iterable[int], *, corrections: int = 100
) -> dict[int, Tensor]:
    """Returns weights `[C]` by the number of kept units, from one greedy path.

    The weights for a number are the path's last weights before it first has more units. They are then
    corrected: further steps move the weights of the kept units and drop no unit. If the path ends with fewer
    units because no other unit improves D, the least harmful units complete the number with weight `LEAST`.
    """
    wanted = sorted(set(supports))
    found: dict[int, Tensor] = {}
    last = torch.zeros(0)
    for weights in greedy_path(problem, corrections):
        while len(found) < len(wanted) and int((weights > 0).sum()) > wanted[len(found)]:
            found[wanted[len(found)]] = _corrected(problem, last, corrections)
        if len(found) == len(wanted):
            break
        last = weights
    for count in wanted[len(found) :]:
        found[count] = _filled(problem, _corrected(problem, last, corrections), count)
    return found


def greedy_path(problem: Discrepancy, corrections: int = 100) -> Iterator[Tensor]:
    """Yields the weights `[C]` after each step; every step reduces the discrepancy.

    The path starts with the single unit of `first`. After `corrections` steps without a new maximum of the
    number of units, only new units are chosen. The path ends when no choice improves D.
    """
    weights = torch.zeros_like(problem.cross)
    weights[problem.first()] = 1
    record, since = 1, 0
    while True:
        yield weights
        steps, gains = problem.steps(weights)
        if since >= corrections:
            gains = gains.masked_fill(weights > 0, 0)
        unit = int(gains.argmax())
        if gains[unit] <= NO_GAIN * problem.norm:
            return
        weights = moved(weights, unit, float(steps[unit]))
        kept = int((weights > 0).sum())
        record, since = (kept, 0) if kept > record else (record, since + 1)


def uniform_step_weights(problem: Discrepancy, supports: Iterable[int]) -> dict[int, Tensor]:
    """Returns weights `[C]` by the number of kept units, from the path with steps 1 / (k + 1).

    The path chooses no unit twice, so all kept units have the same weight.
    """
    wanted = set(supports)
    weights = torch.zeros_like(problem.cross)
    found = {}
    for kept in range(max(wanted, default=0)):
        step = 1 / (kept + 1)
        inner = problem.gram @ weights
        # D of (1 - g) a + g e_i, without terms that are equal for all i
        after = 2 * (1 - step) * inner + step * problem.gram.diagonal() - 2 * problem.cross
        unit = int(after.masked_fill(~problem.alive | (weights > 0), torch.inf).argmin())
        weights = moved(weights, unit, step)
        if kept + 1 in wanted:
            found[kept + 1] = weights
    return found


def ranked_weights(scores: Tensor, alive: Tensor, supports: Iterable[int]) -> dict[int, Tensor]:
    """Returns equal weights `[C]` of the units with the highest scores `[C]`, by the number of units."""
    order = scores.double().masked_fill(~alive, -torch.inf).argsort(descending=True, stable=True)
    units = torch.arange(len(scores))
    return {count: equal(torch.isin(units, order[:count])) for count in supports}


def discrepancy_curves(
    problem: Discrepancy,
    supports: Iterable[int],
    rankings: Mapping[str, Tensor] | None = None,
    measured: Discrepancy | None = None,
) -> dict[str, dict[int, float]]:
    """Returns D as a fraction of E|F|^2, by variant of choosing units and by the number of kept units.

    Args:
        problem: The discrepancy of the layer.
        supports: Numbers of kept units.
        rankings: Name -> scores of the units `[C]`, larger is kept; each adds a curve with equal weights.
        measured: The discrepancy of the same layer on other inputs, for measuring D; default `problem`.
    """
    measured = measured or problem
    supports = list(supports)
    ways = {
        "line search": line_search_weights(problem, supports),
        "uniform step": uniform_step_weights(problem, supports),
    }
    for name, scores in (rankings or {}).items():
        ways[name] = ranked_weights(scores, problem.alive, supports)
    whole = measured.norm or 1.0
    return {
        way: {count: measured.of(weights) / whole for count, weights in found.items()}
        for way, found in ways.items()
    }


def moved(weights: Tensor, unit: int, step: float, floor: float = 0.0) -> Tensor:
    """Returns a + g (e_i - a); rounding errors of a dropped unit's weight are set to 0.

    With a `floor` no unit is dropped: every nonzero weight stays at least `floor`.
    """
    found = (1 - step) * weights
    found[unit] += step
    if floor:
        found = torch.where(weights > 0, found.clamp(min=floor), found)
    found[found < ROUNDING] = 0
    return found / found.sum()


def _corrected(problem: Discrepancy, weights: Tensor, most: int) -> Tensor:
    """Returns the weights after at most `most` best steps that neither add nor drop a unit."""
    kept = weights > 0
    for _ in range(most):
        steps, gains = problem.steps(weights, LEAST)
        gains = gains.masked_fill(~kept, 0)
        unit = int(gains.argmax())
        if gains[unit] <= NO_GAIN * problem.norm:
            break
        weights = moved(weights, unit, float(steps[unit]), LEAST)
    return weights


def _filled(problem: Discrepancy, weights: Tensor, count: int) -> Tensor:
    """Returns the weights with units added at weight `LEAST`, until `count` units are kept."""
    while int((weights > 0).sum()) < count:
        slopes = problem.gram @ weights - problem.cross
        taken = ~problem.alive | (weights > 0)
        weights = moved(weights, int(slopes.masked_fill(taken, torch.inf).argmin()), LEAST)
    return weights
