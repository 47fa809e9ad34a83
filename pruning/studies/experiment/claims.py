"""Claims of papers, each with the check that judges it by the points that an experiment measured.

Checks are generic over the point: each kind of experiment has its own. What they share is the answer. It is
"confirmed" if the whole 95% interval agrees with the claim, and "not confirmed" otherwise. The evidence then
says "refuted" if the whole interval contradicts the claim, else "undecided". The answer is "not testable"
where the points cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pruning.measures import Interval

PointT = TypeVar("PointT")
Answer = Literal["confirmed", "not confirmed", "not testable"]
Check = Callable[[Sequence[PointT]], tuple[Answer, str]]
"""Points -> the answer, and the figures that it rests on."""
Standing = Literal["confirmed", "refuted", "undecided"]
WORST_FIRST: tuple[Answer, ...] = ("not confirmed", "not testable", "confirmed")
LEAST_SEEDS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on a claim.

    Attributes:
        claim: The claim, as a sentence.
        verdict: The answer.
        evidence: The figures that it rests on, or why there is none.
    """

    claim: str
    verdict: Answer
    evidence: str


@dataclass(frozen=True, slots=True)
class Claim(Generic[PointT]):
    """A sentence and the check that judges it."""

    text: str
    check: Check[PointT]


class NotTestableError(Exception):
    """The reason why the points cannot say whether a claim holds."""


def judge(claims: Sequence[Claim[PointT]], points: Sequence[PointT]) -> list[Finding]:
    """Returns a finding for each claim, in their order."""
    return [Finding(claim.text, *claim.check(points)) for claim in claims]


def all_of(*checks: Check[PointT]) -> Check[PointT]:
    """Returns the check that all of several hold: refuted or undecided by one, else not testable by one."""
    if not checks:
        raise ValueError("all_of needs one check or more")

    def check(points: Sequence[PointT]) -> tuple[Answer, str]:
        answers, evidence = zip(*(each(points) for each in checks), strict=True)
        return min(answers, key=WORST_FIRST.index), "; ".join(evidence)

    return check


def where_testable(check: Check[PointT]) -> Check[PointT]:
    """Returns a check that answers "not testable" where the given one raises `NotTestableError`."""

    def guarded(points: Sequence[PointT]) -> tuple[Answer, str]:
        try:
            return check(points)
        except NotTestableError as reason:
            return "not testable", str(reason)

    return guarded


def standing(found: Interval, low: float, high: float) -> Standing:
    """Returns how an interval stands to the claim that a value is above `low` and below `high`."""
    if low < found.low and found.high < high:
        return "confirmed"
    return "refuted" if found.high < low or found.low > high else "undecided"


def common_seeds(who: str, *runs: Collection[int]) -> list[int]:
    """Returns the seeds that all runs have, ascending.

    Args:
        who: Begins the reason where they are too few, for example "A and B share".
        runs: Seeds of each arm or level.

    Raises:
        NotTestableError: They are fewer than `LEAST_SEEDS`.
    """
    seeds = sorted(set.intersection(*map(set, runs)))
    if len(seeds) < LEAST_SEEDS:
        raise NotTestableError(f"{who} {len(seeds)} of the {LEAST_SEEDS} seeds needed")
    return seeds
