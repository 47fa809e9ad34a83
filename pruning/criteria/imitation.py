"""Greedy imitation: kept units reproduce the output of the unpruned layer, or of the network.

Ye, Wu and Liu, "Greedy Optimization Provably Wins the Lottery: Logarithmic Number of Winning Tickets is
Enough" (NeurIPS 2020); see `greedy` for the weights a, and `discrepancy` for the steps.
The discrepancy D(a) is

    local    the squared difference of the outputs of the layers that read the units, before normalisation;
    global   KL(network || pruned network) of the network's first output, a logit for each class, plus the
             mean squared difference of its other outputs.

The local target is the output of the unpruned layer for its inputs in the network as pruned so far. The
global target is the output of the network before this selection. We found no public code of the paper and no
description of its search for the global step; the search here is derived from D. Deviations: all layers use
the same discrepancy, not the better one for each layer. There is no fine-tuning between layers, and
normalisations keep their statistics. The number of units is given, and the weights of the chosen units are
corrected at the end.

Shapes: C units of a group, B samples of a mini-batch.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from pruning.criteria.discrepancy import LEAST, Discrepancy, line_search_weights, moved, uniform_step_weights
from pruning.criteria.evidence import Batch, Evidence, Network, as_tuple
from pruning.criteria.gram import gram_matrix
from pruning.criteria.greedy import Layer, Weights, draw, endless, layer_by_layer
from pruning.limits import require_whole

STARTS = 50
"""Number of random units that are tried for the start of the global path; it starts with the best."""
SEARCHED = 3
"""Number of step lengths that are tried for a unit."""


def local_imitation(
    evidence: Evidence,
    keep: Mapping[str, int],
    *,
    samples: int = 4000,
    rows: int = 10_000,
    step: str = "line",
    corrections: int = 100,
) -> Weights:
    """Returns the weights with which each layer best reproduces its own unpruned outputs.

    Args:
        evidence: The scoring context.
        keep: Group name -> number of units to keep.
        samples: Number of random training samples. Use at least 10 times the number of units; with fewer the
            choice overfits them.
        rows: Number of samples times map positions on which contributions are compared.
        step: "line" searches the step length; "uniform" takes 1 / (k + 1) with k units chosen, and chooses no
            unit twice.
        corrections: Maximum number of consecutive steps that choose no new unit, and of final steps that only
            move the weights of chosen units.

    Raises:
        ValueError: An option or `keep` is out of range, or a group cannot be selected from.
    """
    if step not in ("line", "uniform"):
        raise ValueError(f"step must be line or uniform, got {step!r}")
    require_whole(1, samples=samples, rows=rows)
    require_whole(0, corrections=corrections)
    inputs = draw(evidence, samples)[0]

    def select(layer: Layer) -> Tensor:
        problem = local_discrepancy(layer, inputs, evidence.generator, rows=rows)
        if step == "uniform":
            return uniform_step_weights(problem, [layer.count])[layer.count]
        return line_search_weights(problem, [layer.count], corrections=corrections)[layer.count]

    return layer_by_layer(evidence, keep, select)


def local_discrepancy(
    layer: Layer, inputs: Tensor, generator: torch.Generator, *, rows: int = 10_000
) -> Discrepancy:
    """Returns the local discrepancy of a layer on inputs `[B, ...]`; see `gram_matrix` for the arguments."""
    found = gram_matrix(layer.network, layer.group, inputs, rows=rows, generator=generator)
    return Discrepancy.from_gram(found, layer.alive)


@dataclass(frozen=True)
class GlobalStep:
    """A step of global imitation, or its start.

    Attributes:
        weights: The weights after the step, `[C]`.
        unit: The unit that the step moves towards or away from; -1 if no step reduced D.
        ranked: The candidate units, best first by the slope of D; empty for the start.
        before: D before the step, on its mini-batch; for the start, D without any unit.
        after: D after the step, on the same mini-batch.
    """

    weights: Tensor
    unit: int
    ranked: tuple[int, ...]
    before: float
    after: float


def global_imitation(
    evidence: Evidence,
    keep: Mapping[str, int],
    *,
    samples: int = 2000,
    batch: int = 256,
    tried: int = 5,
    corrections: int = 10,
    exhaustive: bool = False,
) -> Weights:
    """Returns the weights with which the network best reproduces its outputs before this selection.

    Each step takes a new mini-batch and ranks the units by the slope of D along e_i - a, with one backward
    pass. It then searches the step length for the first few units, with forward passes.

    Args:
        evidence: The scoring context.
        keep: Group name -> number of units to keep.
        samples: Number of random training samples from which mini-batches are drawn.
        batch: Samples of a mini-batch.
        tried: Number of units whose step length is searched.
        corrections: Maximum number of consecutive steps that choose no new unit, and number of final steps
            that only move the weights of chosen units.
        exhaustive: Whether to search the step lengths of all units.

    Raises:
        ValueError: An option or `keep` is out of range, or a group cannot be selected from.
    """
    require_whole(1, samples=samples, batch=batch, tried=tried)
    require_whole(0, corrections=corrections)
    minibatches = endless(draw(evidence, samples)[:1], batch, evidence.generator)
    target = copy.deepcopy(evidence.network).eval()

    def select(layer: Layer) -> Tensor:
        most = layer.group.size if exhaustive else tried
        path = global_path(
            layer, target, minibatches, evidence.generator, tried=most, corrections=corrections
        )
        *_, last = path
        return last.weights

    return layer_by_layer(evidence, keep, select)


def global_path(
    layer: Layer,
    target: Network,
    minibatches: Iterator[Batch],
    generator: torch.Generator,
    *,
    tried: int,
    corrections: int,
) -> Iterator[GlobalStep]:
    """Yields the steps for a layer until it has `layer.count` units and their weights are corrected.

    After `corrections` steps without a new maximum of the number of units, only new units are chosen, even if
    D increases. The final steps drop no unit.
    """
    step = _start(layer, _distance(layer, target, next(minibatches)[0]), generator)
    record, since = 1, 0
    while True:
        yield step
        kept = int((step.weights > 0).sum())
        full = kept == layer.count
        if full and since >= corrections:
            return
        distance = _distance(layer, target, next(minibatches)[0])
        allowed = layer.alive & (step.weights > 0 if full else (since < corrections) | (step.weights == 0))
        forced = not full and since >= corrections
        step = _step(distance, step.weights, allowed, tried, floor=LEAST if full else 0.0, forced=forced)
        kept = int((step.weights > 0).sum())
        record, since = (kept, 0) if kept > record else (record, since + 1)


Distance = Callable[[Tensor], Tensor]
"""Weights `[C]` -> the global discrepancy on a mini-batch, a float64 scalar with gradients."""


def _distance(layer: Layer, target: Network, inputs: Tensor) -> Distance:
    with torch.no_grad():
        wanted = as_tuple(target(inputs))
    return lambda weights: output_discrepancy(wanted, as_tuple(layer.gated(weights)(inputs)))


def output_discrepancy(wanted: tuple[Tensor, ...], given: tuple[Tensor, ...]) -> Tensor:
    """Returns KL(wanted || given) of the first outputs, logits `[B, ...]`, plus the MSE of the others."""
    own, target = (functional.log_softmax(each[0].double().flatten(1), 1) for each in (given, wanted))
    divergence = functional.kl_div(own, target, reduction="batchmean", log_target=True)
    pairs = zip(wanted[1:], given[1:], strict=True)
    return divergence + sum((one.double() - other.double()).square().mean() for one, other in pairs)


def _start(layer: Layer, distance: Distance, generator: torch.Generator) -> GlobalStep:
    """Returns the single unit with the lowest D, among at most `STARTS` units with a negative slope at 0."""
    size = layer.group.size
    before, gradient = _with_gradient(distance, torch.zeros(size, dtype=torch.double))
    good = layer.alive & (gradient < 0)
    if not gradient.isfinite().all():
        raise ValueError(
            f"the network's output, or its gradient for the units of {layer.group.name}, is not finite"
        )
    units = (good if good.any() else layer.alive).nonzero().flatten()
    units = units[torch.randperm(len(units), generator=generator)[:STARTS]]
    alone = torch.eye(size, dtype=torch.double)
    with torch.no_grad():
        found = torch.tensor([float(distance(alone[unit])) for unit in units])
    best = int(found.nan_to_num(torch.inf).argmin())
    unit = int(units[best])
    return GlobalStep(alone[unit], unit, (), before, float(found[best]))


def _step(
    distance: Distance, weights: Tensor, allowed: Tensor, tried: int, *, floor: float, forced: bool
) -> GlobalStep:
    """Returns the best step towards or away from one of the first `tried` units of the ranking.

    Args:
        distance: The discrepancy.
        weights: The current weights, `[C]`.
        allowed: Units that may be moved, bool `[C]`.
        tried: Number of units whose step length is searched.
        floor: Minimum weight of the unit after the step.
        forced: Whether to take a step even if D increases; otherwise the weights may stay unchanged.
    """
    before, gradient = _with_gradient(distance, weights)
    slopes = gradient - gradient @ weights
    lowest = torch.where(weights > floor, (floor - weights) / (1 - weights), 0.0)
    movable = allowed & (weights < 1) & ((slopes < 0) | (lowest < 0))
    if not movable.any():
        movable = allowed & (weights < 1)
    gains = torch.where(lowest < 0, slopes.abs(), -slopes).masked_fill(~movable, -torch.inf)
    ranked = gains.argsort(descending=True, stable=True)[: int(movable.sum())].tolist()
    usual = 1 / (1 + int((weights > 0).sum()))
    best = GlobalStep(weights, -1, tuple(ranked), before, before)
    if forced:  # even if D increases
        best = GlobalStep(moved(weights, ranked[0], usual), ranked[0], tuple(ranked), before, torch.inf)
    for unit in ranked[:tried]:
        slope = float(slopes[unit])
        far = float(lowest[unit]) if slope > 0 and lowest[unit] < 0 else 1 - floor
        towards = _along(distance, weights, unit, floor)
        size, after = line_search(towards, before, slope, far, usual)
        if after < best.after:
            best = GlobalStep(moved(weights, unit, size, floor), unit, tuple(ranked), before, after)
    return best


def _along(distance: Distance, weights: Tensor, unit: int, floor: float) -> Callable[[float], float]:
    @torch.no_grad()
    def value(step: float) -> float:
        return float(distance(moved(weights, unit, step, floor)))

    return value


def _with_gradient(distance: Distance, weights: Tensor) -> tuple[float, Tensor]:
    """Returns D and its gradient with respect to the weights, `[C]`."""
    with torch.enable_grad():
        weights = weights.detach().clone().requires_grad_()
        value = distance(weights)
        return float(value.detach()), torch.autograd.grad(value, weights)[0]


def line_search(
    value: Callable[[float], float], start: float, slope: float, far: float, usual: float
) -> tuple[float, float]:
    """Returns a step between 0 and `far` with a low function value, and that value.

    Args:
        value: The function.
        start: The function's value at 0.
        slope: The function's slope at 0.
        far: The longest step; negative for steps backwards.
        usual: Length of the first step tried. The second step is the minimum of the parabola through the
            start and the first step with the slope at the start. Later steps are minima of parabolas through
            the start and the last two steps.
    """
    length, sign = abs(far), 1 if far > 0 else -1
    points = [(0.0, start)]
    step = min(usual, length)
    for _ in range(SEARCHED):
        points.append((step, value(sign * step)))
        least = _lowest([points[0], *points[1:][-2:]], sign * slope)
        step = min(max(least, step / 8), 8 * step, length)
        if any(step == each for each, _ in points):
            break
    found, step = min((each, step) for step, each in points[1:])
    return sign * step, found


def _lowest(points: Sequence[tuple[float, float]], slope: float) -> float:
    """Returns the minimum of the parabola through two or three points; `slope` is the slope at the first."""
    (a, low), (b, mid), *more = points
    first = (mid - low) / (b - a)
    curvature = (first - slope) / (b - a)
    for c, high in more:
        curvature = ((high - mid) / (c - b) - first) / (c - a)
        slope = first - curvature * (b - a)
    return a - slope / (2 * curvature) if curvature > 0 else math.inf
