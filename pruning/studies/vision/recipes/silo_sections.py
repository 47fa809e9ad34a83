"""Further sections of a SILO report: spreads of gradients and activations, and the oracle's peaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bttt.runs import aligned
from pruning.measures import student
from pruning.studies.experiment import LEAST_SEEDS, Answer
from pruning.studies.vision.points import Point, by_level

SHARES = ("0.25", "1")
"""Fractions of the training at which spreads are compared (see `SPREAD_AT` in `vision.task`)."""
INSIDE = 0.8
"""Fraction of cycles from which the paper's claim counts as supported."""
NEAR = 1.25
"""A peak outside the oracle's interval by less than this factor is near it."""


def spreads(points: Sequence[Point]) -> str:
    """Returns the spreads by cycle for the variant with a fixed peak, relative to the first pruned network.

    SILO's reasoning: activations and gradients spread less in pruned networks. To keep the size of updates,
    the learning rate must be proportional to the inverse spread of gradients. This rate is shown next to
    SILO's peak.
    """
    levels = {name: by_level(points, name) for name in ("warmup-step", "silo")}
    own = {cycle: list(found.values()) for (_, cycle), found in levels["warmup-step"].items() if cycle}
    own = {
        cycle: found for cycle, found in own.items() if all(set(_names()) <= set(p.metrics) for p in found)
    }
    if not own:
        return ""
    first = {name: _mean(next(iter(own.values())), name) for name in _names()}
    lines = []
    for cycle, found in own.items():
        ratios = [_mean(found, name) / first[name] for name in _names()]
        peak = _mean(list(levels["silo"].get((0, cycle), {}).values()), "peak lr")
        ours = _mean(found, "peak lr")
        kept = 100 * float(np.mean([point.density for point in found]))
        wanted = ours / ratios[0]
        lines.append(
            [str(cycle), f"{kept:.3g}", *(f"{each:.2f}" for each in ratios), f"{wanted:.3f}", f"{peak:.3f}"]
        )
    head = [
        "cycle",
        "% kept",
        *(name.replace(" spread", "") for name in _names()),
        "lr implied",
        "SILO's lr",
    ]
    return "\n".join(aligned([head, *lines]))


def narrower(points: Sequence[Point]) -> tuple[Answer, str]:
    """Checks SILO's premise: gradients spread less in the sparsest networks than in the first pruned ones."""
    name = _names()[0]
    levels = [own for (_, cycle), own in by_level(points, "warmup-step").items() if cycle]
    first, last = (levels[0], levels[-1]) if levels else ({}, {})
    seeds = [
        seed for seed in first if seed in last and all(name in own[seed].metrics for own in (first, last))
    ]
    if len(seeds) < LEAST_SEEDS or len(levels) < 2:
        return "not testable", f"warmup-step has {len(seeds)} of the {LEAST_SEEDS} seeds needed"
    found = student([last[seed].metrics[name] / first[seed].metrics[name] - 1 for seed in seeds])
    told = f"{found.mean:+.0%} ({found.low:+.0%} to {found.high:+.0%}) over {found.n} seeds, warmup-step"
    if found.high < 0:
        return "confirmed", told
    return "not confirmed", f"{'refuted' if found.low > 0 else 'undecided'}: {told}"


def inside(points: Sequence[Point]) -> tuple[Answer, str]:
    """Checks that SILO's peak is inside the oracle's interval in at least `INSIDE` of all cycles."""
    found = list(_compared(points))
    seeds = {point.seed for _, point, _ in found}
    if len(seeds) < LEAST_SEEDS:
        return "not testable", f"oracle and silo share {len(seeds)} of the {LEAST_SEEDS} seeds needed"
    number = sum(_place(point, peak) == "inside" for _, point, peak in found)
    answer: Answer = "confirmed" if number >= INSIDE * len(found) else "not confirmed"
    return answer, f"inside in {number} of {len(found)} cycles over {len(seeds)} seeds"


def oracle_intervals(points: Sequence[Point]) -> str:
    """Returns the oracle's best peak and interval next to SILO's peak, by cycle; "" without an oracle."""
    lines = []
    for cycle, point, peak in _compared(points):
        interval = f"{point.metrics['interval low']:g} to {point.metrics['interval high']:g}"
        numbers = [str(point.seed), str(cycle), f"{100 * point.density:.3g}", f"{point.metrics['peak lr']:g}"]
        lines.append([*numbers, interval, f"{peak:.4f}", _place(point, peak)])
    if not lines:
        return ""
    head = ["seed", "cycle", "% kept", "oracle's best", "interval", "SILO's lr", "is"]
    number, near = (sum(line[-1] == place for line in lines) for place in ("inside", "near"))
    count = f"SILO's peak is inside the oracle's interval in {number} of {len(lines)} cycles, near in {near}"
    return "\n".join([*aligned([head, *lines]), count])


def _compared(points: Sequence[Point]) -> Iterator[tuple[int, Point, float]]:
    """Yields the cycle, the oracle's network and SILO's peak, for each pruned network that both have."""
    oracle, silo = by_level(points, "oracle"), by_level(points, "silo")
    for level, found in oracle.items():
        for seed, point in found.items():
            if level[1] and seed in silo.get(level, {}):
                yield level[1], point, silo[level][seed].metrics["peak lr"]


def _place(point: Point, peak: float) -> str:
    low, high = point.metrics["interval low"], point.metrics["interval high"]
    if low <= peak <= high:
        return "inside"
    return "near" if low / NEAR <= peak <= high * NEAR else "outside"


def _names() -> list[str]:
    return [f"{what} spread at {share}" for what in ("gradient", "activation") for share in SHARES]


def _mean(points: Sequence[Point], name: str) -> float:
    return float(np.mean([point.metrics[name] for point in points])) if points else float("nan")
