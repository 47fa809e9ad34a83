"""The papers' claims about pruned image classifiers, checked against the measured points.

A claim compares variants within a range of densities (`pruning.studies.vision.comparison`). The differences
of each seed are averaged over the levels; Student's 95% interval of their mean over the seeds decides. The p
value comes from a paired t test against no difference.

A claim is "not testable" if a variant is missing, no level is in the range, or fewer than `LEAST_SEEDS` seeds
have all levels in both variants. Nor is it testable if both variants' networks are no better than chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, log

import numpy as np

from pruning.measures import paired
from pruning.studies.experiment import (
    Answer,
    Check,
    NotTestableError,
    common_seeds,
    standing,
    where_testable,
)
from pruning.studies.vision.comparison import (
    Range,
    compare,
    guesses,
    larger,
    mean_density,
    range_text,
    within,
)
from pruning.studies.vision.points import Point, by_level

LEVEL_MARGINS = 2
AS_DENSE = 1.25
"""Two densities count as equal if their ratio is at most this."""
Difference = Callable[[Sequence[Point]], tuple[dict[int, float], str]]
"""Points -> a difference by seed, and its description."""


def ahead(arm: str, other: str, *, densities: Range, by: float = 0.0) -> Check[Point]:
    """Returns the check that a variant's accuracy exceeds another's by more than `by`, in [0, 1]."""
    return _difference_check(arm, other, densities, by, inf)


def not_behind(arm: str, other: str, *, densities: Range, margin: float) -> Check[Point]:
    """Returns the check that a variant is no worse than another, up to `margin`."""
    return _difference_check(arm, other, densities, -_margin(margin), inf)


def near(arm: str, other: str, *, densities: Range, margin: float) -> Check[Point]:
    """Returns the check that a variant is less than `margin` above or below another.

    At each level the mean difference over the seeds must also stay within `LEVEL_MARGINS` times the margin:
    differences that cancel out do not show equality.
    """
    on_average = _difference_check(arm, other, densities, -_margin(margin), margin)

    def check(points: Sequence[Point]) -> tuple[Answer, str]:
        answer, told = on_average(points)
        if answer == "confirmed":
            found = compare(points, arm, other, densities)
            worst = max(found.by_level, key=abs)
            if abs(worst) > LEVEL_MARGINS * margin:
                return "not confirmed", f"undecided: not at every level: {told}"
        return answer, told

    return check


def as_dense(arm: str, *, densities: Range, margin: float) -> Check[Point]:
    """Returns the check that a variant is less than `margin` below the dense networks that it prunes."""
    wanted = _range(densities)

    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        found = by_level(points, arm)
        levels = [level for level, own in found.items() if level[1] and within(mean_density(own), wanted)]
        if not levels:
            raise NotTestableError(f"{arm} has no level of density {range_text(wanted)}")
        if any((level[0], 0) not in found for level in levels):
            raise NotTestableError(f"{arm} prunes untrained networks and has no dense level")
        pairs = [(found[level], found[level[0], 0]) for level in levels]
        seeds = common_seeds(f"{arm} has", *(each for pair in pairs for each in pair))
        if all(guesses(dense[seed]) for _, dense in pairs for seed in seeds):
            raise NotTestableError(f"the dense networks of {arm} are no better than chance")
        table = {
            seed: float(np.mean([own[seed].accuracy - dense[seed].accuracy for own, dense in pairs]))
            for seed in seeds
        }
        kept = [mean_density(own) for own, _ in pairs]
        return table, f"{arm} minus its dense networks, at {range_text((min(kept), max(kept)))} kept"

    return _check(measure, -_margin(margin), inf)


def larger_gap(arm: str, other: str, *, densities: Range, lower: Range, by: float = 0.0) -> Check[Point]:
    """Returns the check that a variant gains on another as networks get sparser, by more than `by`.

    Args:
        arm: The variant that gains.
        other: The variant that it gains on.
        densities: The range where its lead is smaller; the lead may be negative.
        lower: The range where its lead is larger.
        by: How much larger the lead is, in [0, 1].
    """
    ranges = _range(lower), _range(densities)

    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        more, less = (compare(points, arm, other, each) for each in ranges)
        return larger(more, less), f"{arm} minus {other}, {more.kept} minus {less.kept}"

    return _check(measure, by, inf)


def wider_lead(
    pair: tuple[str, str], than: tuple[str, str], *, densities: Range, by: float = 0.0
) -> Check[Point]:
    """Returns the check that the lead of `pair` exceeds the lead of `than` by more than `by`."""
    wanted = _range(densities)

    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        more, less = (compare(points, *each, wanted) for each in (pair, than))
        return larger(
            more, less
        ), f"({pair[0]} minus {pair[1]}) minus ({than[0]} minus {than[1]}), {more.kept}"

    return _check(measure, by, inf)


def ahead_at(arm: str, other: str, *, density: float, by: float = 0.0) -> Check[Point]:
    """Returns the check that a variant is ahead of another at about one density, after any number of cycles.

    For each variant the level with the nearest density counts, if its ratio to `density` is at most
    `AS_DENSE` either way.
    """

    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        ones, others = (_nearest(points, each, density) for each in (arm, other))
        seeds = common_seeds(f"{arm} and {other} share", ones, others)
        if all(guesses(own[seed]) for own in (ones, others) for seed in seeds):
            raise NotTestableError(f"{arm} and {other} are no better than chance at about {density:.3g} kept")
        found = {seed: ones[seed].accuracy - others[seed].accuracy for seed in seeds}
        kept = [float(np.mean([own[seed].density for seed in seeds])) for own in (ones, others)]
        return found, f"{arm} at {kept[0]:.3g} kept minus {other} at {kept[1]:.3g}"

    return _check(measure, by, inf)


def ahead_in(arm: str, other: str, *, parts: Sequence[int], by: float = 0.0) -> Check[Point]:
    """Returns the check that a variant is ahead of another in the same parts, at any densities.

    This compares variants that are equal in another cost, for example in multiply-adds or in the number of
    weights of a narrower network. For each part the last cycle counts.
    """
    return _part_check(arm, other, parts, by)


def not_behind_in(arm: str, other: str, *, parts: Sequence[int], margin: float) -> Check[Point]:
    """Returns the check that a variant is less than `margin` below another, compared as in `ahead_in`."""
    return _part_check(arm, other, parts, -_margin(margin))


def _difference_check(arm: str, other: str, densities: Range, low: float, high: float) -> Check[Point]:
    wanted = _range(densities)

    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        found = compare(points, arm, other, wanted)
        spread = f", by level {_points(min(found.by_level))} to {_points(max(found.by_level))}"
        return found.by_seed, f"{arm} minus {other}, {found.kept}{spread * (len(found.by_level) > 1)}"

    return _check(measure, low, high)


def _part_check(arm: str, other: str, parts: Sequence[int], low: float) -> Check[Point]:
    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        pairs = [[_last(points, each, part) for each in (arm, other)] for part in parts]
        seeds = common_seeds(f"{arm} and {other} share", *(own for pair in pairs for own in pair))
        pairs = [pair for pair in pairs if not all(guesses(own[seed]) for own in pair for seed in seeds)]
        if not pairs:
            raise NotTestableError(f"{arm} and {other} are no better than chance")
        found = {
            seed: float(np.mean([own[seed].accuracy - its[seed].accuracy for own, its in pairs]))
            for seed in seeds
        }
        kept = (", ".join(f"{mean_density(own):.3g}" for own in each) for each in zip(*pairs, strict=True))
        return found, f"{arm} at {next(kept)} kept minus {other} at {next(kept)} kept"

    return _check(measure, low, inf)


def _check(measure: Difference, low: float, high: float) -> Check[Point]:
    """Returns the check that a difference, measured by seed, is above `low` and below `high`."""

    def check(points: Sequence[Point]) -> tuple[Answer, str]:
        by_seed, what = measure(points)
        tested = paired(list(by_seed.values()), [0.0] * len(by_seed))
        found = tested.difference
        ends = f"{_points(found.low)} to {_points(found.high)}"
        told = f"{what}: {_points(found.mean)} points ({ends}, p {tested.p:.1g}) over {found.n} seeds"
        word = standing(found, low, high)
        return ("confirmed", told) if word == "confirmed" else ("not confirmed", f"{word}: {told}")

    return where_testable(check)


def _last(points: Sequence[Point], arm: str, part: int) -> dict[int, Point]:
    """Returns the pruned networks of a part's last cycle, by seed."""
    cycles = [own for level, own in by_level(points, arm).items() if level[0] == part and level[1]]
    if not cycles:
        raise NotTestableError(f"the variant {arm} has no level of part {part}")
    return cycles[-1]


def _nearest(points: Sequence[Point], arm: str, density: float) -> dict[int, Point]:
    """Returns a variant's pruned networks by seed, at the level with the density nearest to `density`."""
    levels = [list(own.values()) for level, own in by_level(points, arm).items() if level[1]]
    distances = [abs(log(np.mean([point.density for point in own]) / density)) for own in levels]
    if not levels or min(distances) > log(AS_DENSE):
        raise NotTestableError(f"{arm} has no level of about {density:.3g} kept")
    return {point.seed: point for point in levels[int(np.argmin(distances))]}


def _range(densities: Range) -> Range:
    low, high = densities
    if not 0 <= low <= high <= 1:
        raise ValueError(f"a range of densities must be ascending and in [0, 1], got {densities}")
    return densities


def _margin(margin: float) -> float:
    if not margin > 0:
        raise ValueError(f"margin must be above 0, got {margin}")
    return margin


def _points(difference: float) -> str:
    return f"{100 * difference:+.2f}"
