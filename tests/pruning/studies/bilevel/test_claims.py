"""Claims on bilevel methods: when they are confirmed, refuted or undecided."""

import pytest

from pruning.studies.bilevel.claims import above, at_the_end, higher, lower, over_the_budget
from pruning.studies.bilevel.experiment import BilevelPoint

LOSS = at_the_end("loss")


def points(arm, values, *, level=0.4, steps=5, middle=1.0):
    """Runs of a variant: one seed for each final value."""
    return [
        BilevelPoint(arm, level, seed, spent, {"loss": loss, "outer steps": steps})
        for seed, value in enumerate(values)
        for spent, loss in ((0.5, middle), (1.0, value))
    ]


LOW, HIGH = points("low", [0.1, 0.12, 0.11]), points("high", [0.5, 0.53, 0.52])


def test_a_difference_of_one_sign_is_confirmed_and_of_the_other_refuted():
    assert higher([("high", "low")], LOSS, levels=(0.4,))(LOW + HIGH)[0] == "confirmed"
    assert lower([("low", "high")], LOSS, levels=(0.4,))(LOW + HIGH)[0] == "confirmed"
    for check in (
        higher([("low", "high")], LOSS, levels=(0.4,)),
        lower([("high", "low")], LOSS, levels=(0.4,)),
    ):
        answer, evidence = check(LOW + HIGH)
        assert answer == "not confirmed" and evidence.startswith("refuted: 0 of 1 hold; failed: ")
        assert "(contradicts)" in evidence


def test_seeds_are_pairs():
    """The values vary much over the seeds, but the difference is the same in each seed."""
    one, other = points("one", [0.1, 0.5, 0.9]), points("other", [0.2, 0.61, 1.0])
    answer, evidence = lower([("one", "other")], LOSS, levels=(0.4,))(one + other)
    assert answer == "confirmed" and "one minus other at 0.4 -0.1033" in evidence
    shuffled = points("other", [1.0, 0.2, 0.61])
    assert lower([("one", "other")], LOSS, levels=(0.4,))(one + shuffled)[0] == "not confirmed"


def test_what_the_spread_does_not_decide_is_undecided():
    wide = points("wide", [0.1, 0.9, 0.3])
    answer, evidence = lower([("low", "wide")], LOSS, levels=(0.4,))(LOW + wide)
    assert answer == "not confirmed" and evidence.startswith("undecided")


def test_it_must_hold_for_every_pair_and_level():
    elsewhere = points("low", [0.5, 0.53, 0.52], level=0.1) + points("high", [0.1, 0.1, 0.12], level=0.1)
    check = higher([("high", "low")], LOSS, levels=(0.1, 0.4))
    answer, evidence = check(LOW + HIGH + elsewhere)
    assert answer == "not confirmed" and "1 of 2 hold; failed: high minus low at 0.1" in evidence
    both = higher([("high", "low"), ("low", "high")], LOSS, levels=(0.4,))
    assert both(LOW + HIGH)[0] == "not confirmed"


def test_of_what_holds_the_narrowest_is_told():
    near = points("near", [0.4, 0.43, 0.42])
    answer, evidence = lower([("low", "high"), ("near", "high")], LOSS, levels=(0.4,))(LOW + HIGH + near)
    assert answer == "confirmed" and "all 2 hold; narrowest margin: near minus high" in evidence


def test_a_mean_over_the_budget_is_of_all_marks():
    read = over_the_budget("loss")
    assert read(points("one", [0.0, 0.5, 1.0], middle=2.0), "one", 0.4) == {0: 1.0, 1: 1.25, 2: 1.5}


def test_above_is_of_the_mean():
    assert above(["high"], LOSS, 0.4, levels=(0.4,))(HIGH)[0] == "confirmed"
    assert above(["high"], LOSS, 0.51, levels=(0.4,))(HIGH)[1].startswith("undecided")
    assert above(["high"], LOSS, 0.9, levels=(0.4,))(HIGH)[1].startswith("refuted")


@pytest.mark.parametrize("found", [LOW, LOW + HIGH[:4], LOW + points("high", [0.5, 0.53, 0.52], steps=0)])
def test_missing_arms_few_seeds_and_methods_that_have_not_moved_test_nothing(found):
    answer, evidence = lower([("low", "high")], LOSS, levels=(0.4,))(found)
    assert answer == "not testable" and "of the 3 seeds needed" in evidence
    assert above(["high"], LOSS, 0.0, levels=(0.4,))(found)[0] == "not testable"
