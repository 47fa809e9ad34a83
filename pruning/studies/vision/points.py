"""What a vision experiment measures: the test accuracy of each network that it trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

KEPT = "kept "
"""Metrics of a point whose names begin so are the shares that its layers keep."""


@dataclass(frozen=True, slots=True)
class Point:
    """A trained network.

    Attributes:
        arm: The way of pruning and training, by name.
        seed: Seed of the run.
        part: Number of the pruning within the arm: one-shot arms have one for each density, others only 0.
        cycle: Cycle of the pruning; 0 is the dense network.
        density: Share of the prunable entries that is kept, in [0, 1].
        accuracy: Share of test images that it classifies correctly after the last step of its training.
        metrics: All else that was measured of it.
    """

    arm: str
    seed: int
    part: int
    cycle: int
    density: float
    accuracy: float
    metrics: Mapping[str, float]


def by_level(points: Iterable[Point], arm: str) -> dict[tuple[int, int], dict[int, Point]]:
    """Returns an arm's networks by (part, cycle) and then by seed."""
    levels: dict[tuple[int, int], dict[int, Point]] = {}
    for point in points:
        if point.arm == arm:
            levels.setdefault((point.part, point.cycle), {})[point.seed] = point
    return dict(sorted(levels.items()))
