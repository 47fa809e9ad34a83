"""Discrepancy curves of greedy imitation: how well a layer's kept units imitate the layer, by their number.

Ye, Wu and Liu prove exponential decay: with a logarithmic axis for D, the curve would be a straight line. A
power of the number of units, for example D ~ 1/n^2, is straight if both axes are logarithmic. R^2, the
fraction of the variance of log D that a straight line explains, shows which of the two fits better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from bttt.runs import aligned
from pruning.channels import cuttable
from pruning.criteria import Layer, discrepancy_curves, endless, global_path, local_discrepancy
from pruning.measures import student
from pruning.studies.experiment import LEAST_SEEDS, Answer
from pruning.studies.vision.points import Point

if TYPE_CHECKING:
    from pruning.loop import Level
    from pruning.studies.vision.task import VisionTask

CURVES = "curves"
"""The variant whose dense networks give the curves."""
SUPPORTS = (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 56, 80, 100, 120, 150)
FITTED = (5, 150)
"""Range of unit numbers for the line fits; it excludes the first units."""
MOST_COMPARED = 100
SAMPLES, SCREENED, STEPS, BATCH = 3000, 5, 25, 256
"""Images for selection (ten per unit), steepest units, steps of a global path, images per batch."""
WAYS = ("line search", "uniform step", "L1", "random")
STRAIGHT = 0.98
"""Smallest R^2 of a curve that counts as straight."""
AGREEMENT = "screen agrees"


def layer_curves(arm: str, task: VisionTask, level: Level) -> Mapping[str, float]:
    """Returns the local discrepancies of the first layer, and how often screening keeps the best global step.

    Args:
        arm: The variant; only `CURVES` has curves.
        task: The images.
        level: The dense network.
    """
    if arm != CURVES:
        return {}
    network = level.network
    group = cuttable(level.groups)[0]
    layer = Layer(network, group, torch.ones(group.size, dtype=torch.bool), min(STEPS, group.size - 1))
    generator = torch.Generator().manual_seed(task.seed)
    inputs = torch.cat([batch[0] for batch in task.batches()])[:SAMPLES]
    weights = dict(network.named_parameters())[f"{group.name}.weight"].detach().double().cpu()
    ranks = {
        "L1": weights.flatten(1).abs().sum(1),
        "random": torch.rand(group.size, generator=generator, dtype=torch.double),
    }
    others = task.splits["validation"]
    measured = torch.cat([batch[0] for batch in task.inputs(others)])
    chosen_on, measured_on = (local_discrepancy(layer, each, generator) for each in (inputs, measured))
    supports = [support for support in SUPPORTS if support < group.size]
    found = {
        _name(way, support): value
        for way, curve in discrepancy_curves(chosen_on, supports, ranks, measured_on).items()
        for support, value in curve.items()
    }
    batches = endless([inputs], BATCH, generator)
    path = global_path(layer, network, batches, generator, tried=group.size, corrections=0)
    steps = [step for step in islice(path, 1, STEPS) if step.unit >= 0]
    right = [step.unit in step.ranked[:SCREENED] for step in steps]
    return found | {AGREEMENT: float(np.mean(right))}


def curve_table(points: Sequence[Point]) -> str:
    """Returns the mean discrepancies by units kept, and R^2 of straight lines; "" without curves."""
    own = _networks(points)
    if not own:
        return ""
    supports = _supports(own)
    head = ["units", *WAYS]
    lines = [
        [str(support), *(f"{np.mean([p.metrics[_name(way, support)] for p in own]):.2e}" for way in WAYS)]
        for support in supports
    ]
    fits = [
        [told, *(f"{np.mean([fit(point, way) for point in own]):.3f}" for way in WAYS)]
        for told, fit in (("R^2, exponential", _exponential), ("R^2, power", _power))
    ]
    return "\n".join(aligned([head, *lines, *fits]))


def agreement(points: Sequence[Point]) -> str:
    """Returns the fraction of steps whose best unit is among the steepest; "" without curves."""
    own = [point.metrics[AGREEMENT] for point in _networks(points)]
    if not own:
        return ""
    share = f"{100 * np.mean(own):.0f}%"
    return f"the best unit is among the {SCREENED} steepest ones in {share} of the first {STEPS} steps"


def straight(points: Sequence[Point]) -> tuple[Answer, str]:
    """Checks that log D is linear in the number of units, with a better fit than in its logarithm."""

    def judge(own: Sequence[Point]) -> tuple[bool, str]:
        fits = {fit: [each(point, WAYS[0]) for point in own] for fit, each in _FITS.items()}
        worst, means = min(fits["exponential"]), {name: float(np.mean(each)) for name, each in fits.items()}
        told = ", ".join(f"R^2 of {name} {value:.3f}" for name, value in means.items())
        slopes = [_slopes(point) for point in own]
        early, late = (float(np.mean(each)) for each in zip(*slopes, strict=True))
        shape = (
            f"log10 D falls by {early:.4f} per unit in the first half of the range, {late:.4f} in the second"
        )
        return worst >= STRAIGHT and means["exponential"] > means["power"], f"{told}; {shape}"

    return _answered(points, judge)


def lower_everywhere(points: Sequence[Point]) -> tuple[Answer, str]:
    """Checks that line-search steps give less discrepancy than uniform steps, at each number of units."""

    def judge(own: Sequence[Point]) -> tuple[bool, str]:
        pairs = [
            (point.metrics[_name(WAYS[0], support)], point.metrics[_name(WAYS[1], support)])
            for point in own
            for support in _supports(own)
            if 1 < support <= MOST_COMPARED  # a single unit takes no step
        ]
        lower = sum(one < other for one, other in pairs)
        ratio = float(np.exp(np.mean(np.log([other / one for one, other in pairs]))))
        return lower == len(
            pairs
        ), f"lower in {lower} of {len(pairs)} comparisons, by a factor of {ratio:.1f} on geometric average"

    return _answered(points, judge)


def screen_agrees(points: Sequence[Point]) -> tuple[Answer, str]:
    """Checks that more than half of the steps' best units are among the steepest."""

    def judge(own: Sequence[Point]) -> tuple[bool, str]:
        found = student([point.metrics[AGREEMENT] for point in own])
        return found.low > 0.5, f"{100 * found.mean:.0f}% ({100 * found.low:.0f} to {100 * found.high:.0f})"

    return _answered(points, judge)


def draw_curves(path: Path, points: Sequence[Point]) -> None:
    """Writes a PNG: the discrepancy by units kept, on a logarithmic axis, one thin line per seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.7), layout="constrained")
    axes = figure.subplots()
    own = _networks(points)
    supports = _supports(own)
    for way, color in zip(WAYS, ("#0072b2", "#d55e00", "#009e73", "#8c8c8c"), strict=True):
        curves = [[point.metrics[_name(way, support)] for support in supports] for point in own]
        for curve in curves:
            axes.plot(supports, curve, color=color, linewidth=0.6, alpha=0.5)
        if curves:
            means = np.exp(np.mean(np.log(curves), 0))
            axes.plot(supports, means, color=color, marker="o", markersize=3, label=way)
    axes.set_yscale("log")
    axes.set_xlabel("units kept")
    axes.set_ylabel("discrepancy / mean square of the layer")
    axes.set_title("First layer: discrepancy between kept units and layer", fontsize=9)
    axes.grid(alpha=0.3)
    if own:
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=200)


def _networks(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if point.arm == CURVES and AGREEMENT in point.metrics]


def _supports(points: Sequence[Point]) -> list[int]:
    return [s for s in SUPPORTS if points and all(_name(WAYS[0], s) in point.metrics for point in points)]


def _name(way: str, support: int) -> str:
    return f"D {way} {support}"


def _answered(
    points: Sequence[Point], judge: Callable[[Sequence[Point]], tuple[bool, str]]
) -> tuple[Answer, str]:
    own = _networks(points)
    if len(own) < LEAST_SEEDS:
        return "not testable", f"{CURVES} has {len(own)} of the {LEAST_SEEDS} seeds needed"
    holds, told = judge(own)
    return "confirmed" if holds else "not confirmed", told


def _curve(point: Point, way: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the numbers of units and log10 of the discrepancy, in the range of the fits."""
    units = [support for support in _supports([point]) if FITTED[0] <= support <= FITTED[1]]
    return np.array(units, float), np.log10([point.metrics[_name(way, support)] for support in units])


def _exponential(point: Point, way: str) -> float:
    return _explained(*_curve(point, way))


def _power(point: Point, way: str) -> float:
    units, logs = _curve(point, way)
    return _explained(np.log10(units), logs)


_FITS = {"exponential": _exponential, "power": _power}


def _explained(x: np.ndarray, y: np.ndarray) -> float:
    """Returns R^2 of the least-squares line."""
    return float(np.corrcoef(x, y)[0, 1] ** 2)


def _slopes(point: Point) -> tuple[float, float]:
    """Returns the decrease of log10 D per unit, in the first and second half of the fitted range."""
    units, logs = _curve(point, WAYS[0])
    middle = int(np.searchsorted(units, (units[0] + units[-1]) / 2))
    falls = [-np.polyfit(units[part], logs[part], 1)[0] for part in (slice(middle + 1), slice(middle, None))]
    return float(falls[0]), float(falls[1])
