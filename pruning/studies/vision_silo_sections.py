"""What a SILO experiment shows beside accuracies: gradients' and activations' spreads, the oracle's peaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pruning.studies.vision_points import Point, by_level
from tournaments.crosstable import aligned

SHARES = ("0.25", "1")
"""Of the training, where spreads are measured (see `vision_task.SPREAD_AT`)."""
NEAR = 1.25
"""A peak outside the oracle's interval by less than this factor is near it."""


def spreads(points: Sequence[Point]) -> str:
    """Returns the spreads by cycle, of the arm with a fixed peak, relative to the first pruned network.

    SILO's reasoning: what is pruned has narrower activations and gradients, so that the learning rate that
    keeps the updates' size goes with the inverse of the gradients' spread. It stands beside SILO's own peak.
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
        "lr it asks for",
        "SILO's lr",
    ]
    return "\n".join(aligned([head, *lines]))


def oracle_intervals(points: Sequence[Point]) -> str:
    """Returns the oracle's best peak and interval by cycle beside SILO's peak; "" where there is none."""
    oracle, silo = by_level(points, "oracle"), by_level(points, "silo")
    lines, inside, near = [], 0, 0
    for level, found in oracle.items():
        for seed, point in found.items():
            if seed not in silo.get(level, {}):
                continue
            peak, low, high = silo[level][seed].metrics["peak lr"], *_interval(point.metrics)
            is_in = low <= peak <= high
            is_near = low / NEAR <= peak <= high * NEAR
            inside, near = inside + is_in, near + is_near
            told = "inside" if is_in else "near" if is_near else "outside"
            best = f"{point.metrics['peak lr']:g}"
            kept = f"{100 * point.density:.3g}"
            lines.append([str(seed), str(level[1]), kept, best, f"{low:g} to {high:g}", f"{peak:.4f}", told])
    if not lines:
        return ""
    head = ["seed", "cycle", "% kept", "oracle's best", "interval", "SILO's lr", "is"]
    count = (
        f"SILO's peak is inside the oracle's interval in {inside} of {len(lines)} cycles, "
        f"in {near} at least near"
    )
    return "\n".join([*aligned([head, *lines]), count])


def _names() -> list[str]:
    return [f"{what} spread at {share}" for what in ("gradient", "activation") for share in SHARES]


def _mean(points: Sequence[Point], name: str) -> float:
    return float(np.mean([point.metrics[name] for point in points])) if points else float("nan")


def _interval(metrics: Mapping[str, float]) -> tuple[float, float]:
    return metrics["interval low"], metrics["interval high"]
