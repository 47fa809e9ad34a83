"""The measurements of a vision experiment: the test accuracy of each trained network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

KEPT = "kept "
"""Prefix of the metrics that give the fraction kept in each layer."""


@dataclass(frozen=True, slots=True)
class Point:
    """A trained network.

    Attributes:
        arm: Name of the variant.
        seed: Seed of the run.
        part: Number of the pruning run within the variant: one for each density of one-shot variants, else 0.
        cycle: Cycle of the pruning run; 0 is the dense network.
        density: Fraction of the prunable entries that are kept, in [0, 1].
        accuracy: Fraction of test images classified correctly after the last training step.
        metrics: All other measurements of the network.
    """

    arm: str
    seed: int
    part: int
    cycle: int
    density: float
    accuracy: float
    metrics: Mapping[str, float]


def by_level(points: Iterable[Point], arm: str) -> dict[tuple[int, int], dict[int, Point]]:
    """Returns a variant's networks by (part, cycle), then by seed."""
    levels: dict[tuple[int, int], dict[int, Point]] = {}
    for point in points:
        if point.arm == arm:
            levels.setdefault((point.part, point.cycle), {})[point.seed] = point
    return dict(sorted(levels.items()))
