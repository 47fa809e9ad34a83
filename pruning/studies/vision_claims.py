"""What the papers claim of pruned image classifiers, judged by what was measured.

A claim compares arms within a range of densities. Networks are compared in pairs: those of one seed and one
level (part and cycle). The differences of a seed are averaged over the levels, and Student's 95% interval of
their mean over the seeds decides; p is that of a paired t test against no difference. A level is in the range
if the first arm's mean density is, ends included; the dense network, cycle 0, is no level. Levels that the
other arm does not have are left out; where it keeps another density at a level, the evidence says so.

A claim is "confirmed" if the whole interval says so, and "not confirmed" otherwise: then the evidence says
"refuted" where the whole interval says the contrary, and else "undecided". It is "not testable" where the
points cannot say: an arm is missing, or no level is in the range, or fewer than `LEAST_SEEDS` seeds have all
levels in both arms, or the networks of both arms only guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log
from typing import Literal

import numpy as np

from pruning.intervals import Interval, paired
from pruning.studies.vision_points import Point, by_level

Answer = Literal["confirmed", "not confirmed", "not testable"]
Check = Callable[[Sequence[Point]], tuple[Answer, str]]
Range = tuple[float, float]
"""Lowest and highest density."""
WORST_FIRST: tuple[Answer, ...] = ("not confirmed", "not testable", "confirmed")
LEAST_SEEDS = 3
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
        others: That of the other arm, which cuts as often but may cut less.
    """

    by_seed: dict[int, float]
    by_level: list[float]
    densities: list[float]
    others: list[float]


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
    """Returns the check that an arm is less than `margin` above or below another."""
    return _difference_check(arm, other, densities, -_margin(margin), margin)


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
    levels = [
        level for level in ones if level in others and level[1] and _within(_density(ones[level]), densities)
    ]
    if not levels:
        raise _NotTestableError(f"{arm} and {other} share no level of density {_told(densities)}")
    seeds = sorted(set.intersection(*(set(ones[level]) & set(others[level]) for level in levels)))
    if len(seeds) < LEAST_SEEDS:
        told = f"{len(seeds)} seed{'s' * (len(seeds) != 1)}"
        raise _NotTestableError(f"{arm} and {other} share {told}, and {LEAST_SEEDS} are needed")
    pairs = [[(ones[level][seed], others[level][seed]) for level in levels] for seed in seeds]
    if all(_guesses(point) for own in pairs for pair in own for point in pair):
        raise _NotTestableError(f"{arm} and {other} only guess at density {_told(densities)}")
    table = np.array([[one.accuracy - two.accuracy for one, two in own] for own in pairs])
    by_seed = dict(zip(seeds, table.mean(axis=1).tolist(), strict=True))
    kept = ([_density(found[level]) for level in levels] for found in (ones, others))
    return _Compared(by_seed, table.mean(axis=0).tolist(), *kept)


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
    """Returns the densities that were compared, as text; both arms' where they are not much the same."""
    own, other = (_told((min(each), max(each))) for each in (compared.densities, compared.others))
    apart = not np.allclose(compared.densities, compared.others, rtol=SAME, atol=0)
    return f"at {own} kept" + f" against {other}" * apart


def _told(densities: Range) -> str:
    low, high = densities
    return f"{high:.3g}" if low == high else f"{high:.3g} to {low:.3g}"


def _points(difference: float) -> str:
    return f"{100 * difference:+.2f}"
