"""What the papers claim of pruned image classifiers, judged by what was measured.

A claim compares arms within a range of densities. Networks are compared in pairs: those of one seed and one
level (part and cycle). Where the other arm keeps more or less there, as layer by layer it does, its accuracy
at the first arm's density is taken, on a straight line over log density between its own levels. The
differences of a seed are averaged over the levels, and Student's 95% interval of their mean over the seeds
decides; p is that of a paired t test against no difference. A level is in the range if the first arm's mean
density is, ends included; the dense network, cycle 0, and one that keeps nothing are no levels. Levels that
the other arm does not reach, or at which the networks of both only guess, are left out.

A claim is "confirmed" if the whole interval says so, and "not confirmed" otherwise: then the evidence says
"refuted" where the whole interval says the contrary, and else "undecided". It is "not testable" where the
points cannot say: an arm is missing, or no level is in the range, or fewer than `LEAST_SEEDS` seeds have all
levels in both arms, or the networks of both arms only guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, log
from typing import Literal

import numpy as np

from pruning.measures import Interval, paired
from pruning.studies.experiment.points import Point, by_level

Answer = Literal["confirmed", "not confirmed", "not testable"]
Check = Callable[[Sequence[Point]], tuple[Answer, str]]
Range = tuple[float, float]
"""Lowest and highest density."""
WORST_FIRST: tuple[Answer, ...] = ("not confirmed", "not testable", "confirmed")
LEAST_SEEDS = 3
LEVEL_MARGINS = 2
AS_DENSE = 1.25
"""Densities count as about the same where one is at most so many times the other."""
CHANCE = "chance"
"""Metric of a point: the accuracy of a guess, which is 1 over the number of classes."""
ANY_CHANCE = 0.1
"""That of ten classes, where the points do not say."""
GUESSING = 1.2
"""Networks up to so many times chance guess: the commonest class may be that much commoner."""

ROUNDING = 1e-9
"""Of a mean density: that of 0.1, 0.1 and 0.1 is above 0.1 in binary digits."""
SAME = 0.02
"""Part by which densities of one level may differ between arms without a word."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the points say to a claim.

    Attributes:
        claim: The claim, as a sentence.
        verdict: The answer.
        evidence: The figures that it rests on, or why there is none.
    """

    claim: str
    verdict: Answer
    evidence: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, and how it is tested: by the builders below, or by any function of the points."""

    text: str
    check: Check


class _NotTestableError(Exception):
    """Why the points say nothing."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """An arm less another.

    Attributes:
        by_seed: Mean difference of accuracies over the levels, by seed.
        by_level: Mean difference over the seeds, by level.
        densities: Mean density of the first arm, by level.
        interpolated: Whether the other arm's accuracies are, at some level.
    """

    by_seed: dict[int, float]
    by_level: list[float]
    densities: list[float]
    interpolated: bool


def judge(claims: Sequence[Claim], points: Sequence[Point]) -> list[Finding]:
    """Returns a finding for each claim, in their order."""
    return [Finding(claim.text, *claim.check(points)) for claim in claims]


def ahead(arm: str, other: str, *, densities: Range, by: float = 0.0) -> Check:
    """Returns the check that an arm's accuracy is above another's by more than `by`, in [0, 1]."""
    return _difference_check(arm, other, densities, by, inf)


def not_behind(arm: str, other: str, *, densities: Range, margin: float) -> Check:
    """Returns the check that an arm is less than `margin` below another, or above it."""
    return _difference_check(arm, other, densities, -_margin(margin), inf)


def near(arm: str, other: str, *, densities: Range, margin: float) -> Check:
    """Returns the check that an arm is less than `margin` above or below another.

    And at no level, on average over the seeds, more than `LEVEL_MARGINS` times that: differences that cancel
    out are no equality.
    """
    on_average = _difference_check(arm, other, densities, -_margin(margin), margin)

    def check(points: Sequence[Point]) -> tuple[Answer, str]:
        answer, told = on_average(points)
        if answer == "confirmed":
            found = _compare(points, arm, other, densities)
            worst = max(found.by_level, key=abs)
            if abs(worst) > LEVEL_MARGINS * margin:
                return "not confirmed", f"undecided: not at every level: {told}"
        return answer, told

    return check


def as_dense(arm: str, *, densities: Range, margin: float) -> Check:
    """Returns the check that an arm is less than `margin` below the dense networks that it prunes."""
    wanted = _range(densities)

    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        found = by_level(points, arm)
        levels = [level for level, own in found.items() if level[1] and _within(_density(own), wanted)]
        if not levels:
            raise _NotTestableError(f"{arm} has no level of density {_told(wanted)}")
        if any((level[0], 0) not in found for level in levels):
            raise _NotTestableError(f"{arm} prunes untrained networks, it has no level that is dense")
        seeds = sorted(set.intersection(*(set(found[level]) & set(found[level[0], 0]) for level in levels)))
        if len(seeds) < LEAST_SEEDS:
            raise _NotTestableError(f"{arm} has {len(seeds)} of the {LEAST_SEEDS} seeds needed")
        if all(_guesses(found[level[0], 0][seed]) for level in levels for seed in seeds):
            raise _NotTestableError(f"the dense networks of {arm} only guess")
        table = {
            seed: float(
                np.mean([found[each][seed].accuracy - found[each[0], 0][seed].accuracy for each in levels])
            )
            for seed in seeds
        }
        kept = [_density(found[level]) for level in levels]
        return table, f"{arm} less its dense networks, at {_told((min(kept), max(kept)))} kept"

    return _check(measure, -_margin(margin), inf)


def larger_gap(arm: str, other: str, *, densities: Range, lower: Range, by: float = 0.0) -> Check:
    """Returns the check that an arm gains on another as networks get sparser, by more than `by`.

    Args:
        arm: The arm.
        other: The one that it gains on.
        densities: The range where its lead is smaller; it may be negative.
        lower: The range where it is larger.
        by: How much larger, in [0, 1].
    """
    ranges = _range(lower), _range(densities)

    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        more, less = (_compare(points, arm, other, each) for each in ranges)
        return _more(more, less), f"{arm} less {other}, {_kept(more)} less {_kept(less)}"

    return _check(measure, by, inf)


def wider_lead(pair: tuple[str, str], than: tuple[str, str], *, densities: Range, by: float = 0.0) -> Check:
    """Returns the check that an arm leads another by more than a third leads a fourth: by more than `by`."""
    wanted = _range(densities)

    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        more, less = (_compare(points, *each, wanted) for each in (pair, than))
        return _more(more, less), f"({pair[0]} less {pair[1]}) less ({than[0]} less {than[1]}), {_kept(more)}"

    return _check(measure, by, inf)


def ahead_at(arm: str, other: str, *, density: float, by: float = 0.0) -> Check:
    """Returns the check that an arm is ahead where each keeps about a density, in however many cycles.

    Of each arm's levels the one of the nearest density counts, if neither is more than `AS_DENSE` times the
    other.
    """

    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        ones, others = (_nearest(points, each, density) for each in (arm, other))
        seeds = sorted(set(ones) & set(others))
        if len(seeds) < LEAST_SEEDS:
            raise _NotTestableError(f"{arm} and {other} share {len(seeds)} of the {LEAST_SEEDS} seeds needed")
        if all(_guesses(own[seed]) for own in (ones, others) for seed in seeds):
            raise _NotTestableError(f"{arm} and {other} only guess at about {density:.3g} kept")
        found = {seed: ones[seed].accuracy - others[seed].accuracy for seed in seeds}
        kept = [float(np.mean([own[seed].density for seed in seeds])) for own in (ones, others)]
        return found, f"{arm} at {kept[0]:.3g} kept less {other} at {kept[1]:.3g}"

    return _check(measure, by, inf)


def ahead_in(arm: str, other: str, *, parts: Sequence[int], by: float = 0.0) -> Check:
    """Returns the check that an arm is ahead of another in the same parts, whatever each of them keeps.

    So arms are compared that are equal in something else: in multiply-adds, or in the weights of a narrower
    network. Of each part the last cycle counts.
    """
    return _part_check(arm, other, parts, by)


def not_behind_in(arm: str, other: str, *, parts: Sequence[int], margin: float) -> Check:
    """Returns the check that an arm is less than `margin` below another, compared as `ahead_in`."""
    return _part_check(arm, other, parts, -_margin(margin))


def all_of(*checks: Check) -> Check:
    """Returns the check that all of several hold: refuted or undecided by one, else not testable by one."""
    if not checks:
        raise ValueError("all_of needs one check or more")

    def check(points: Sequence[Point]) -> tuple[Answer, str]:
        answers, evidence = zip(*(each(points) for each in checks), strict=True)
        return min(answers, key=WORST_FIRST.index), "; ".join(evidence)

    return check


def _difference_check(arm: str, other: str, densities: Range, low: float, high: float) -> Check:
    wanted = _range(densities)

    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        found = _compare(points, arm, other, wanted)
        spread = f", by level {_points(min(found.by_level))} to {_points(max(found.by_level))}"
        return found.by_seed, f"{arm} less {other}, {_kept(found)}{spread * (len(found.by_level) > 1)}"

    return _check(measure, low, high)


def _part_check(arm: str, other: str, parts: Sequence[int], low: float) -> Check:
    def measure(points: Sequence[Point]) -> tuple[dict[int, float], str]:
        pairs = [[_last(points, each, part) for each in (arm, other)] for part in parts]
        seeds = sorted(set.intersection(*(set(own) for pair in pairs for own in pair)))
        if len(seeds) < LEAST_SEEDS:
            raise _NotTestableError(f"{arm} and {other} share {len(seeds)} of the {LEAST_SEEDS} seeds needed")
        pairs = [pair for pair in pairs if not all(_guesses(own[seed]) for own in pair for seed in seeds)]
        if not pairs:
            raise _NotTestableError(f"{arm} and {other} only guess")
        found = {
            seed: float(np.mean([own[seed].accuracy - its[seed].accuracy for own, its in pairs]))
            for seed in seeds
        }
        kept = (", ".join(f"{_density(own):.3g}" for own in each) for each in zip(*pairs, strict=True))
        return found, f"{arm} at {next(kept)} kept less {other} at {next(kept)} kept"

    return _check(measure, low, inf)


def _last(points: Sequence[Point], arm: str, part: int) -> dict[int, Point]:
    """Returns the pruned networks of a part's last cycle, by seed."""
    cycles = [own for level, own in by_level(points, arm).items() if level[0] == part and level[1]]
    if not cycles:
        raise _NotTestableError(f"the arm {arm} has no level of part {part}")
    return cycles[-1]


def _check(
    measure: Callable[[Sequence[Point]], tuple[dict[int, float], str]], low: float, high: float
) -> Check:
    """Returns the check that a difference, measured by seed, is above `low` and below `high`."""

    def check(points: Sequence[Point]) -> tuple[Answer, str]:
        try:
            by_seed, what = measure(points)
        except _NotTestableError as reason:
            return "not testable", str(reason)
        tested = paired(list(by_seed.values()), [0.0] * len(by_seed))
        found = tested.difference
        ends = f"{_points(found.low)} to {_points(found.high)}"
        told = f"{_points(found.mean)} points ({ends}, p {tested.p:.1g}) of {found.n} seeds"
        if low < found.low and found.high < high:
            return "confirmed", f"{what}: {told}"
        return "not confirmed", f"{_denial(found, low, high)}: {what}: {told}"

    return check


def _denial(found: Interval, low: float, high: float) -> str:
    return "refuted" if found.high < low or found.low > high else "undecided"


def _compare(points: Sequence[Point], arm: str, other: str, densities: Range) -> _Compared:
    """Returns how far an arm is above another, or raises why that cannot be said."""
    ones, others = (by_level(points, each) for each in (arm, other))
    for name, found in ((arm, ones), (other, others)):
        if not found:
            raise _NotTestableError(f"the arm {name} is missing")
    levels = [level for level, own in ones.items() if level[1] and _density(own) > 0]
    levels = [level for level in levels if _within(_density(ones[level]), densities)]
    pairs = {level: _pairs(ones[level], level, others) for level in levels}
    levels = [level for level in levels if pairs[level]]
    if not levels:
        raise _NotTestableError(f"{arm} and {other} share no level of density {_told(densities)}")
    seeds = sorted(set.intersection(*(set(pairs[level]) for level in levels)))
    if len(seeds) < LEAST_SEEDS:
        told = f"{len(seeds)} seed{'s' * (len(seeds) != 1)}"
        raise _NotTestableError(f"{arm} and {other} share {told}, and {LEAST_SEEDS} are needed")
    levels = [
        level for level in levels if not all(_guesses(each) for seed in seeds for each in pairs[level][seed])
    ]
    if not levels:
        raise _NotTestableError(f"{arm} and {other} only guess at density {_told(densities)}")
    chosen = [[pairs[level][seed] for level in levels] for seed in seeds]
    table = np.array([[one.accuracy - two.accuracy for one, two in own] for own in chosen])
    by_seed = dict(zip(seeds, table.mean(axis=1).tolist(), strict=True))
    kept = [_density(ones[level]) for level in levels]
    interpolated = not all(_same_level(ones[level], others.get(level)) for level in levels)
    return _Compared(by_seed, table.mean(axis=0).tolist(), kept, interpolated)


def _pairs(
    own: Mapping[int, Point], level: tuple[int, int], others: Mapping[tuple[int, int], Mapping[int, Point]]
) -> dict[int, tuple[Point, Point]]:
    """Returns a level's networks, each with the other arm's at the same density, by seed."""
    if _same_level(own, others.get(level)):
        return {seed: (point, others[level][seed]) for seed, point in own.items() if seed in others[level]}
    found = {
        seed: _between([each[seed] for each in others.values() if seed in each], own[seed]) for seed in own
    }
    return {seed: (own[seed], other) for seed, other in found.items() if other is not None}


def _same_level(own: Mapping[int, Point], other: Mapping[int, Point] | None) -> bool:
    return other is not None and bool(np.isclose(_density(own), _density(other), rtol=SAME, atol=0))


def _between(points: Sequence[Point], at: Point) -> Point | None:
    """Returns a network as it would be at another's density, between its neighbours; None beyond the last."""
    known = sorted((point for point in points if point.density > 0), key=lambda point: point.density)
    if not known or not known[0].density <= at.density <= known[-1].density:
        return None
    place = np.interp(log(at.density), [log(point.density) for point in known], range(len(known)))
    below, above = known[int(place)], known[int(np.ceil(place))]
    share = float(place) - int(place)
    accuracy = (1 - share) * below.accuracy + share * above.accuracy
    return replace(below, density=at.density, accuracy=accuracy)


def _density(seeds: Mapping[int, Point]) -> float:
    """Returns the mean density of a level's networks."""
    return sum(point.density for point in seeds.values()) / len(seeds)


def _nearest(points: Sequence[Point], arm: str, density: float) -> dict[int, Point]:
    """Returns an arm's pruned networks by seed, at the level whose density is nearest to one."""
    levels = [list(own.values()) for level, own in by_level(points, arm).items() if level[1]]
    distances = [abs(log(np.mean([point.density for point in own]) / density)) for own in levels]
    if not levels or min(distances) > log(AS_DENSE):
        raise _NotTestableError(f"{arm} has no level of about {density:.3g} kept")
    return {point.seed: point for point in levels[int(np.argmin(distances))]}


def _more(more: _Compared, less: _Compared) -> dict[int, float]:
    """Returns by how much one difference is the larger, by seed."""
    seeds = [seed for seed in more.by_seed if seed in less.by_seed]
    if len(seeds) < LEAST_SEEDS:
        raise _NotTestableError(f"the two differences share {len(seeds)} of the {LEAST_SEEDS} seeds needed")
    return {seed: more.by_seed[seed] - less.by_seed[seed] for seed in seeds}


def _guesses(point: Point) -> bool:
    return point.accuracy <= GUESSING * point.metrics.get(CHANCE, ANY_CHANCE)


def _within(density: float, densities: Range) -> bool:
    low, high = densities
    return low - ROUNDING <= density <= high + ROUNDING


def _range(densities: Range) -> Range:
    low, high = densities
    if not 0 <= low <= high <= 1:
        raise ValueError(f"a range of densities must be ascending and in [0, 1], got {densities}")
    return densities


def _margin(margin: float) -> float:
    if not margin > 0:
        raise ValueError(f"margin must be above 0, got {margin}")
    return margin


def _kept(compared: _Compared) -> str:
    """Returns the densities that were compared, as text."""
    own = _told((min(compared.densities), max(compared.densities)))
    return f"at {own} kept" + " (interpolated)" * compared.interpolated


def _told(densities: Range) -> str:
    low, high = densities
    return f"{high:.3g}" if low == high else f"{high:.3g} to {low:.3g}"


def _points(difference: float) -> str:
    return f"{100 * difference:+.2f}"
