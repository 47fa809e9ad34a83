"""Claims of papers, each with a check that tests it on the points an experiment measured.

Checks are generic over the point, since each kind of experiment has its own. All checks share the answers.
The answer is "confirmed" if the whole 95% interval agrees with the claim, otherwise "not confirmed". The
evidence then states "refuted" if the whole interval contradicts the claim, else "undecided". The answer is
"not testable" if the points cannot decide.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pruning.measures import Interval

PointT = TypeVar("PointT")
Answer = Literal["confirmed", "not confirmed", "not testable"]
Check = Callable[[Sequence[PointT]], tuple[Answer, str]]
"""Points -> the answer, and the figures that support it."""
Standing = Literal["confirmed", "refuted", "undecided"]
WORST_FIRST: tuple[Answer, ...] = ("not confirmed", "not testable", "confirmed")
LEAST_SEEDS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on a claim.

    Attributes:
        claim: The claim, as a sentence.
        verdict: The answer.
        evidence: The figures that support the answer, or the reason why there are none.
    """

    claim: str
    verdict: Answer
    evidence: str


@dataclass(frozen=True, slots=True)
class Claim(Generic[PointT]):
    """A sentence and the check that tests it."""

    text: str
    check: Check[PointT]


class NotTestableError(Exception):
    """The reason why the points cannot decide whether a claim holds."""


def judge(claims: Sequence[Claim[PointT]], points: Sequence[PointT]) -> list[Finding]:
    """Returns a finding for each claim, in the order of the claims."""
    return [Finding(claim.text, *claim.check(points)) for claim in claims]


def all_of(*checks: Check[PointT]) -> Check[PointT]:
    """Returns the check that all checks hold; one not confirmed outranks one not testable."""
    if not checks:
        raise ValueError("all_of needs at least one check")

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
    """Returns what an interval shows about the claim that a value is above `low` and below `high`."""
    if low < found.low and found.high < high:
        return "confirmed"
    return "refuted" if found.high < low or found.low > high else "undecided"


def common_seeds(who: str, *runs: Collection[int]) -> list[int]:
    """Returns the seeds that all runs have, ascending.

    Args:
        who: Start of the message if there are too few seeds, for example "A and B share".
        runs: Seeds of each variant or level.

    Raises:
        NotTestableError: There are fewer than `LEAST_SEEDS`.
    """
    seeds = sorted(set.intersection(*map(set, runs)))
    if len(seeds) < LEAST_SEEDS:
        raise NotTestableError(f"{who} {len(seeds)} of the {LEAST_SEEDS} seeds needed")
    return seeds
