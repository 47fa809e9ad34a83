"""Differences between two variants of a vision experiment, by seed, within a range of densities.

Networks are compared in pairs of the same seed and level (part and cycle). If the other variant has another
density at that level, its accuracy at the first variant's density is interpolated: linearly over log density,
between its own levels. A level is in the range if the first variant's mean density is, ends included. The
dense network (cycle 0) and a network that keeps nothing do not count as levels. Levels that the other variant
does not reach, or at which the networks of both are no better than chance, are excluded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np

from pruning.studies.experiment import LEAST_SEEDS, NotTestableError, common_seeds
from pruning.studies.vision.points import Point, by_level

Range = tuple[float, float]
"""Lowest and highest density."""
CHANCE = "chance"
"""Metric of a point: the chance accuracy, which is 1 over the number of classes."""
ANY_CHANCE = 0.1
"""The chance accuracy of ten classes, used if the points do not record it."""
GUESSING = 1.2
"""Networks up to this multiple of chance count as guessing: the most common class may be that frequent."""
ROUNDING = 1e-9
"""Rounding tolerance of a mean density: in binary, the mean of 0.1, 0.1 and 0.1 exceeds 0.1."""
SAME = 0.02
"""Relative difference of densities at one level up to which two variants count as equally dense."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The differences between two variants' accuracies.

    Attributes:
        by_seed: Mean difference of accuracies over the levels, by seed.
        by_level: Mean difference over the seeds, by level.
        densities: Mean density of the first variant, by level.
        interpolated: Whether the other variant's accuracies are interpolated at any level.
    """

    by_seed: dict[int, float]
    by_level: list[float]
    densities: list[float]
    interpolated: bool

    @property
    def kept(self) -> str:
        """The compared densities, as text."""
        own = range_text((min(self.densities), max(self.densities)))
        return f"at {own} kept" + " (interpolated)" * self.interpolated


def compare(points: Sequence[Point], arm: str, other: str, densities: Range) -> Compared:
    """Returns how far a variant is above another; raises NotTestableError if they cannot be compared."""
    ones, others = (by_level(points, each) for each in (arm, other))
    for name, found in ((arm, ones), (other, others)):
        if not found:
            raise NotTestableError(f"the variant {name} is missing")
    levels = [level for level, own in ones.items() if level[1] and mean_density(own) > 0]
    levels = [level for level in levels if within(mean_density(ones[level]), densities)]
    pairs = {level: _pairs(ones[level], level, others) for level in levels}
    levels = [level for level in levels if pairs[level]]
    if not levels:
        raise NotTestableError(f"{arm} and {other} share no level of density {range_text(densities)}")
    seeds = sorted(set.intersection(*(set(pairs[level]) for level in levels)))
    if len(seeds) < LEAST_SEEDS:
        told = f"{len(seeds)} seed{'s' * (len(seeds) != 1)}"
        raise NotTestableError(f"{arm} and {other} share {told}, and {LEAST_SEEDS} are needed")
    levels = [
        level for level in levels if not all(guesses(each) for seed in seeds for each in pairs[level][seed])
    ]
    if not levels:
        raise NotTestableError(
            f"{arm} and {other} are no better than chance at density {range_text(densities)}"
        )
    chosen = [[pairs[level][seed] for level in levels] for seed in seeds]
    table = np.array([[one.accuracy - two.accuracy for one, two in own] for own in chosen])
    by_seed = dict(zip(seeds, table.mean(axis=1).tolist(), strict=True))
    kept = [mean_density(ones[level]) for level in levels]
    interpolated = not all(_same_level(ones[level], others.get(level)) for level in levels)
    return Compared(by_seed, table.mean(axis=0).tolist(), kept, interpolated)


def larger(more: Compared, less: Compared) -> dict[int, float]:
    """Returns by how much the first difference exceeds the second, by seed."""
    seeds = common_seeds("the two differences share", more.by_seed, less.by_seed)
    return {seed: more.by_seed[seed] - less.by_seed[seed] for seed in seeds}


def mean_density(seeds: Mapping[int, Point]) -> float:
    """Returns the mean density of a level's networks."""
    return sum(point.density for point in seeds.values()) / len(seeds)


def guesses(point: Point) -> bool:
    """Returns whether a network is no better than guessing."""
    return point.accuracy <= GUESSING * point.metrics.get(CHANCE, ANY_CHANCE)


def within(density: float, densities: Range) -> bool:
    """Returns whether a mean density is in a range, ends included."""
    low, high = densities
    return low - ROUNDING <= density <= high + ROUNDING


def range_text(densities: Range) -> str:
    """Returns a range of densities as text, the highest first."""
    low, high = densities
    return f"{high:.3g}" if low == high else f"{high:.3g} to {low:.3g}"


def _pairs(
    own: Mapping[int, Point], level: tuple[int, int], others: Mapping[tuple[int, int], Mapping[int, Point]]
) -> dict[int, tuple[Point, Point]]:
    """Returns a level's networks by seed, each paired with the other variant's at the same density."""
    if _same_level(own, others.get(level)):
        return {seed: (point, others[level][seed]) for seed, point in own.items() if seed in others[level]}
    found = {
        seed: _between([each[seed] for each in others.values() if seed in each], own[seed]) for seed in own
    }
    return {seed: (own[seed], other) for seed, other in found.items() if other is not None}


def _same_level(own: Mapping[int, Point], other: Mapping[int, Point] | None) -> bool:
    return other is not None and bool(np.isclose(mean_density(own), mean_density(other), rtol=SAME, atol=0))


def _between(points: Sequence[Point], at: Point) -> Point | None:
    """Returns a network interpolated at the density of `at`; None outside the range of the points."""
    known = sorted((point for point in points if point.density > 0), key=lambda point: point.density)
    if not known or not known[0].density <= at.density <= known[-1].density:
        return None
    place = np.interp(log(at.density), [log(point.density) for point in known], range(len(known)))
    below, above = known[int(place)], known[int(np.ceil(place))]
    share = float(place) - int(place)
    accuracy = (1 - share) * below.accuracy + share * above.accuracy
    return replace(below, density=at.density, accuracy=accuracy)
