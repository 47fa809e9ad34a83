"""What claims of all kinds share, on points that are plain numbers."""

from math import inf, nan

import pytest

from pruning.measures import Interval
from pruning.studies.experiment.claims import (
    Claim,
    Finding,
    NotTestableError,
    all_of,
    common_seeds,
    judge,
    standing,
    where_testable,
)


def answering(answer):
    return lambda points: (answer, f"{answer} by {sum(points)}")


def test_a_finding_is_the_claim_with_its_check_s_answer():
    claims = [Claim("one", answering("confirmed")), Claim("two", answering("not confirmed"))]
    assert judge(claims, [1, 2]) == [
        Finding("one", "confirmed", "confirmed by 3"),
        Finding("two", "not confirmed", "not confirmed by 3"),
    ]


@pytest.mark.parametrize(
    ("answers", "worst"),
    [
        (("confirmed", "confirmed"), "confirmed"),
        (("confirmed", "not testable"), "not testable"),
        (("not testable", "not confirmed", "confirmed"), "not confirmed"),
    ],
)
def test_all_of_is_as_good_as_the_worst_and_tells_all(answers, worst):
    found = all_of(*map(answering, answers))([4])
    assert found == (worst, "; ".join(f"{answer} by 4" for answer in answers))


def test_all_of_nothing_is_refused():
    with pytest.raises(ValueError, match="needs at least one check"):
        all_of()


def test_a_check_that_cannot_be_made_says_why():
    def check(points):
        if not points:
            raise NotTestableError("there are no points")
        return "confirmed", "there are some"

    assert where_testable(check)([]) == ("not testable", "there are no points")
    assert where_testable(check)([1]) == ("confirmed", "there are some")


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.0, inf, "confirmed"),
        (0.1, inf, "undecided"),  # an end that touches does not confirm
        (0.2, inf, "undecided"),
        (0.3, inf, "undecided"),
        (0.31, inf, "refuted"),
        (-inf, 0.4, "confirmed"),
        (-inf, 0.05, "refuted"),
        (0.0, 0.2, "undecided"),
        (0.0, 0.3, "undecided"),
    ],
)
def test_an_interval_confirms_refutes_or_leaves_open(low, high, word):
    assert standing(Interval(0.2, 0.1, 0.3, 3), low, high) == word
    assert standing(Interval(-0.2, -0.3, -0.1, 3), -high, -low) == word


def test_without_an_interval_nothing_is_decided():
    assert standing(Interval(0.2, nan, nan, 1), 0.0, inf) == "undecided"


def test_seeds_are_common_to_all_runs_or_too_few():
    assert common_seeds("they share", [3, 1, 0, 2], {0: "", 2: "", 1: ""}) == [0, 1, 2]
    with pytest.raises(NotTestableError, match="they share 2 of the 3 seeds needed"):
        common_seeds("they share", [0, 1, 2], [1, 2, 3])
