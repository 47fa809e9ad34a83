"""Greedy imitation: units are kept so that a layer, or the network, gives what it gave before.

Ye, Wu and Liu, "Greedy Optimization Provably Wins the Lottery: Logarithmic Number of Winning Tickets is
Enough" (NeurIPS 2020); see `greedy` for the weights a, and `discrepancy` for the steps.
The discrepancy D(a) is

    local    the squared difference of the outputs of the layers that read the units, before normalisation;
    global   KL(network || pruned network) of the network's first output, a logit for each class, plus the
             mean squared difference of its other outputs.

The local target is what the unpruned layer makes of the inputs that it has in the network as pruned so far;
the global one is the output of the network before this pruning. Public code of the paper has not been found,
nor has its search for the global step: what stands here follows from D. Deviations: one of the two is used
for all layers, not the better of both in each; no fine-tuning between layers, and normalisations keep their
statistics; the number of units is given, and the weights of those chosen are corrected at the end.

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
from pruning.criteria.greedy import Layer, Weights, draw, endless, layer_by_layer, require_at_least

STARTS = 50
"""Units, drawn at random, of which the global path begins with the best."""
SEARCHED = 3
"""Steps that are tried towards a unit."""


def local_imitation(
    evidence: Evidence,
    keep: Mapping[str, int],
    *,
    samples: int = 4000,
    rows: int = 10_000,
    step: str = "line",
    corrections: int = 100,
) -> Weights:
    """Returns the weights with which layers give most nearly what they gave, each by its own outputs.

    Args:
        evidence: The network and its data.
        keep: Group name -> units to keep.
        samples: Training samples, drawn at random: best 10 times as many as units, or the choice fits them
            alone.
        rows: Samples times places of a map that contributions are compared in.
        step: "line" searches the step, "uniform" takes 1 / (k + 1) with k units chosen, none of them twice.
        corrections: Most steps in a row that choose no new unit, and most steps at the end that only move the
            weights of those chosen.

    Raises:
        ValueError: An option or `keep` is out of range, or a group cannot be selected from.
    """
    if step not in ("line", "uniform"):
        raise ValueError(f"step must be line or uniform, got {step!r}")
    require_at_least(1, samples=samples, rows=rows)
    require_at_least(0, corrections=corrections)
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
    """Returns the local discrepancy of a layer on inputs `[B, ...]`; see `gram_matrix` for the rest."""
    found = gram_matrix(layer.network, layer.group, inputs, rows=rows, generator=generator)
    return Discrepancy.from_gram(found, layer.alive)


@dataclass(frozen=True)
class GlobalStep:
    """A step of global imitation, or its start.

    Attributes:
        weights: After it, `[C]`.
        unit: The unit that it goes towards or away from; -1 where no step brought anything.
        ranked: The units that it could have been, best first by the slope of D; not of the start.
        before: D before it, on its mini-batch; of the start, with no unit at all.
        after: D after it, on the same.
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
    """Returns the weights with which the network gives most nearly what it gave before this pruning.

    Each step takes another mini-batch, ranks units by the slope of D along e_i - a, which is one backward
    pass, and searches the step of the first few by forward passes.

    Args:
        evidence: The network and its data.
        keep: Group name -> units to keep.
        samples: Training samples, drawn at random, that mini-batches are made of.
        batch: Samples of a mini-batch.
        tried: Units whose step is searched.
        corrections: Most steps in a row that choose no new unit, and steps at the end that only move the
            weights of those chosen.
        exhaustive: Whether the steps of all units are searched.

    Raises:
        ValueError: An option or `keep` is out of range, or a group cannot be selected from.
    """
    require_at_least(1, samples=samples, batch=batch, tried=tried)
    require_at_least(0, corrections=corrections)
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
    """Yields the steps of a layer until it has `layer.count` units and their weights are corrected.

    After `corrections` steps without more units than ever before only new units are chosen, even where D
    rises by them. The steps at the end drop no unit.
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
"""From weights `[C]` to the global discrepancy on a mini-batch, a float64 number; gradients reach them."""


def _distance(layer: Layer, target: Network, inputs: Tensor) -> Distance:
    with torch.no_grad():
        wanted = as_tuple(target(inputs))
    return lambda weights: output_discrepancy(wanted, as_tuple(layer.gated(weights)(inputs)))


def output_discrepancy(wanted: tuple[Tensor, ...], given: tuple[Tensor, ...]) -> Tensor:
    """Returns KL(wanted || given) of the first outputs, logits `[B, ...]`, plus the others' mean square."""
    own, target = (functional.log_softmax(each[0].double().flatten(1), 1) for each in (given, wanted))
    divergence = functional.kl_div(own, target, reduction="batchmean", log_target=True)
    pairs = zip(wanted[1:], given[1:], strict=True)
    return divergence + sum((one.double() - other.double()).square().mean() for one, other in pairs)


def _start(layer: Layer, distance: Distance, generator: torch.Generator) -> GlobalStep:
    """Returns the single unit of least D, of at most `STARTS` of those whose first bit makes it fall."""
    size = layer.group.size
    before, gradient = _with_gradient(distance, torch.zeros(size, dtype=torch.double))
    good = layer.alive & (gradient < 0)
    if not gradient.isfinite().all():
        raise ValueError(
            f"the network's output, or its slope by the units of {layer.group.name}, is not finite"
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
        weights: Those now.
        allowed: Units to move, bool `[C]`.
        tried: Units whose step is searched.
        floor: The least weight that a step leaves its unit.
        forced: Whether a step is taken though D rises by it; else the weights may stay as they are.
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
    if forced:  # whatever comes of it
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
    """Returns D and its gradient by the weights `[C]`."""
    with torch.enable_grad():
        weights = weights.detach().clone().requires_grad_()
        value = distance(weights)
        return float(value.detach()), torch.autograd.grad(value, weights)[0]


def line_search(
    value: Callable[[float], float], start: float, slope: float, far: float, usual: float
) -> tuple[float, float]:
    """Returns a step between 0 and `far` at which a function is low, and its value there.

    Args:
        value: The function.
        start: Its value at 0.
        slope: Its slope there.
        far: The longest step; below 0 for steps backwards.
        usual: Length of the first step that is tried. The second is at the minimum of the parabola with the
            start's slope through the first, the others at that of the parabola through the start and two.
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
    """Returns where the parabola through two or three points is lowest; `slope` is at the first of two."""
    (a, low), (b, mid), *more = points
    first = (mid - low) / (b - a)
    curvature = (first - slope) / (b - a)
    for c, high in more:
        curvature = ((high - mid) / (c - b) - first) / (c - a)
        slope = first - curvature * (b - a)
    return a - slope / (2 * curvature) if curvature > 0 else math.inf
