import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from pruning.studies.experiment.claims import Claim, Finding, all_of, judge
from pruning.studies.vision.claims import (
    ahead,
    ahead_in,
    as_dense,
    larger_gap,
    near,
    not_behind,
    not_behind_in,
    wider_lead,
)
from pruning.studies.vision.points import Point

LOW = (0.0, 0.5)
DENSITIES = (1.0, 0.5, 0.25)
NOISE = (-0.001, 0.0, 0.001)


def points(arm, accuracies, *, densities=DENSITIES, noise=NOISE, part=0, metrics=None):
    """Points of a variant with these accuracies by cycle; each entry of `noise` is one seed."""
    return [
        Point(arm, seed, part, cycle, density, accuracy + extra, metrics or {})
        for seed, extra in enumerate(noise)
        for cycle, (density, accuracy) in enumerate(zip(densities, accuracies, strict=True))
    ]


def two(ones, others, *, noise=NOISE):
    return points("one", ones, noise=noise) + points("two", others, noise=[0] * len(noise))


def answer(check, given):
    (found,) = judge([Claim("a claim", check)], given)
    return found.verdict


def evidence(check, given):
    return check(given)[1]


def without_p(found):
    """An answer without its p value, which is arbitrary where differences are equal up to rounding."""
    return found[0], re.sub(r", p [^)]+", "", found[1])


def test_a_lead_of_five_points_is_confirmed_with_its_figures():
    given = two((0.9, 0.88, 0.82), (0.9, 0.84, 0.76))
    (found,) = judge([Claim("one is better", ahead("one", "two", densities=LOW))], given)
    half = 100 * stats.t.ppf(0.975, 2) * 0.001 / np.sqrt(3)
    p = stats.ttest_1samp([0.049, 0.05, 0.051], 0).pvalue
    assert found == Finding(
        "one is better",
        "confirmed",
        f"one minus two, at 0.5 to 0.25 kept, by level +4.00 to +6.00: "
        f"+5.00 points ({5 - half:+.2f} to {5 + half:+.2f}, p {p:.1g}) over 3 seeds",
    )
    assert answer(ahead("one", "two", densities=LOW, by=0.045), given) == "confirmed"
    assert answer(ahead("one", "two", densities=LOW, by=0.049), given) == "not confirmed"
    assert answer(ahead("one", "two", densities=(0.2, 0.3), by=0.055), given) == "confirmed"


@pytest.mark.parametrize(
    ("difference", "noise", "expected"),
    [
        (0.03, NOISE, ("confirmed", "confirmed", "not confirmed")),
        (0.0, NOISE, ("not confirmed", "confirmed", "confirmed")),
        (-0.005, NOISE, ("not confirmed", "confirmed", "confirmed")),
        (-0.03, NOISE, ("not confirmed", "not confirmed", "not confirmed")),
        (0.03, (-0.05, 0.0, 0.05), ("not confirmed",) * 3),  # wide interval: undecided
    ],
)
def test_the_answers_by_difference_and_spread(difference, noise, expected):
    given = two([0.7 + difference] * 3, [0.7] * 3, noise=noise)
    ranges = {"densities": LOW}
    checks = (
        ahead("one", "two", **ranges),
        not_behind("one", "two", margin=0.01, **ranges),
        near("one", "two", margin=0.01, **ranges),
    )
    assert tuple(answer(check, given) for check in checks) == expected


def test_not_confirmed_is_refuted_or_undecided():
    for difference, told in ((-0.03, "refuted"), (0.0, "undecided")):
        given = two([0.7 + difference] * 3, [0.7] * 3)
        assert evidence(ahead("one", "two", densities=LOW), given).startswith(f"{told}: one minus two")
    behind, level, above = (two([0.7 + difference] * 3, [0.7] * 3) for difference in (-0.03, -0.01, 0.03))
    equal = near("one", "two", densities=LOW, margin=0.01)
    assert [evidence(equal, each).partition(":")[0] for each in (behind, level, above)] == [
        "refuted",
        "undecided",
        "refuted",
    ]
    close = not_behind("one", "two", densities=LOW, margin=0.01)
    assert [evidence(close, each).partition(":")[0] for each in (behind, level)] == ["refuted", "undecided"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (two((0.9, 0.8, 0.7), (0.9, 0.7, 0.6), noise=(0.0, 0.001)), "share 2 seeds, and 3 are needed"),
        (two((0.9, 0.8, 0.7), (0.9, 0.7, 0.6), noise=(0.0,)), "share 1 seed, and 3 are needed"),
        (points("one", (0.9, 0.8, 0.7)), "the variant two is missing"),
        (points("two", (0.9, 0.8, 0.7)), "the variant one is missing"),
        ([], "the variant one is missing"),
        (
            points("one", (0.9, 0.8), densities=(1.0, 0.6)) + points("two", (0.9, 0.7), densities=(1.0, 0.6)),
            "share no level of density 0.5 to 0",
        ),
        (
            points("one", (0.9, 0.8, 0.7)) + points("two", (0.9, 0.7), densities=(1.0, 0.6)),
            "share no level of density 0.5 to 0",
        ),
        (two((0.9, 0.102, 0.1), (0.9, 0.1, 0.1)), "are no better than chance at density 0.5 to 0"),
    ],
)
def test_what_cannot_be_tested_says_why(given, reason):
    checks = (
        ahead("one", "two", densities=LOW),
        near("one", "two", densities=LOW, margin=0.01),
        not_behind("one", "two", densities=LOW, margin=0.01),
        larger_gap("one", "two", densities=LOW, lower=LOW),
        wider_lead(("one", "two"), ("one", "two"), densities=LOW),
    )
    for check in checks:
        assert answer(check, given) == "not testable"
        assert reason in evidence(check, given)


def test_an_arm_that_still_learns_is_ahead_of_one_that_guesses():
    given = two((0.9, 0.6, 0.5), (0.9, 0.1, 0.1))
    assert answer(ahead("one", "two", densities=LOW), given) == "confirmed"
    assert answer(ahead("two", "one", densities=LOW), given) == "not confirmed"


def test_chance_is_that_of_the_number_of_classes():
    given = two((0.3, 0.09, 0.08), (0.3, 0.05, 0.05))
    check = ahead("one", "two", densities=LOW)
    assert answer(check, given) == "not testable"  # of ten classes
    assert answer(check, [replace(point, metrics={"chance": 0.01}) for point in given]) == "confirmed"


def test_the_dense_network_is_no_level():
    given = points("one", (0.95, 0.8), densities=(1, 0.9)) + points("two", (0.2, 0.8), densities=(1, 0.9))
    assert answer(ahead("one", "two", densities=(0, 1)), given) == "not confirmed"
    assert answer(near("one", "two", densities=(0, 1), margin=0.01), given) == "confirmed"


def test_the_first_arm_s_mean_density_says_what_is_in_the_range():
    ones = [
        replace(point, density=point.density + 0.02 * (point.seed - 1) * (point.cycle > 0))
        for point in points("one", (0.9, 0.8, 0.7))
    ]
    others = points("two", (0.9, 0.7, 0.69), densities=(1, 0.6, 0.2))
    given = ones + others
    assert answer(ahead("one", "two", densities=(0.5, 0.5), by=0.09), given) == "confirmed"
    assert answer(ahead("two", "one", densities=(0.5, 0.5)), given) == "not testable"
    assert evidence(ahead("one", "two", densities=(0.24, 0.26)), given).startswith(
        "one minus two, at 0.25 kept (interpolated): +"
    )


def test_the_ends_of_a_range_are_in_it():
    assert (0.1 + 0.1 + 0.1) / 3 > 0.1
    given = points("one", (0.9, 0.8), densities=(1, 0.1)) + points("two", (0.9, 0.7), densities=(1, 0.1))
    for densities in ((0.1, 0.1), (0.0, 0.1), (0.1, 1.0)):
        assert answer(ahead("one", "two", densities=densities), given) == "confirmed"
    for densities in ((0.0, 0.099), (0.101, 1.0)):
        assert answer(ahead("one", "two", densities=densities), given) == "not testable"


def test_the_other_arm_is_taken_at_the_same_density():
    ones = points("one", (0.9, 0.8, 0.7))
    close = points("two", (0.9, 0.7, 0.6), densities=(1.0, 0.495, 0.252))
    apart = points("two", (0.9, 0.7, 0.5), densities=(1.0, 0.5, 0.125))  # 0.6 halfway in log density
    beyond = points("two", (0.9, 0.7, 0.6), densities=(1.0, 0.5, 0.3))
    check = ahead("one", "two", densities=LOW)
    assert evidence(check, ones + close).startswith("one minus two, at 0.5 to 0.25 kept, by level ")
    assert evidence(check, ones + apart).startswith(
        "one minus two, at 0.5 to 0.25 kept (interpolated), by level +10.00 to +10.00: +10.00 points"
    )
    assert evidence(check, ones + beyond).startswith("one minus two, at 0.5 kept: +10.00 points")
    # the same curve, pruned in more cycles
    finer = points("two", (0.9, 0.8, 0.75, 0.7, 0.6), densities=(1.0, 0.5, 0.5**1.5, 0.25, 0.125))
    assert answer(near("one", "two", densities=LOW, margin=1e-6), ones + finer) == "confirmed"


def test_what_is_pruned_is_compared_with_the_dense_network_it_came_from():
    given = points("one", (0.9, 0.895, 0.7), noise=(0.0, 0.001, 0.0))
    assert answer(as_dense("one", densities=(0.5, 0.5), margin=0.01), given) == "confirmed"
    assert evidence(as_dense("one", densities=LOW, margin=0.01), given).startswith(
        "refuted: one minus its dense"
    )
    assert answer(as_dense("one", densities=(0.6, 0.9), margin=0.01), given) == "not testable"
    assert answer(as_dense("one", densities=LOW, margin=0.01), given[:6]) == "not testable"
    parts = points("two", (0.5, 0.6), densities=(1.0, 0.5), part=1) + points(
        "two", (0.5, 0.6), densities=(1, 0.4)
    )
    assert answer(as_dense("two", densities=LOW, margin=0.01), parts) == "confirmed"


def test_levels_at_which_both_only_guess_are_left_out():
    given = two((0.9, 0.8, 0.1), (0.9, 0.7, 0.11))
    assert evidence(ahead("one", "two", densities=LOW), given).startswith(
        "one minus two, at 0.5 kept: +10.00"
    )
    one_learns = two((0.9, 0.8, 0.2), (0.9, 0.7, 0.1))
    assert "at 0.5 to 0.25 kept" in evidence(ahead("one", "two", densities=LOW), one_learns)


def test_an_arm_without_a_unit_is_no_evidence():
    ones = points("one", (0.9, 0.8, 0.1), densities=(1.0, 0.5, 0.0))
    others = points("two", (0.9, 0.7, 0.1), densities=(1.0, 0.5, 0.0))
    assert evidence(ahead("one", "two", densities=(0, 0.5)), ones + others).startswith(
        "one minus two, at 0.5 kept: +10.00 points"
    )


def test_differences_that_cancel_out_are_no_equality():
    given = points("one", (0.9, 0.8, 0.7)) + points("two", (0.9, 0.83, 0.67))
    check = near("one", "two", densities=LOW, margin=0.01)
    assert check(given)[0] == "not confirmed" and "not at every level" in evidence(check, given)
    assert answer(near("one", "two", densities=LOW, margin=0.016), given) == "confirmed"


def test_seeds_and_cycles_are_paired():
    hard = (0.0, -0.2, -0.4)  # some seeds are far harder, for both arms
    given = points("one", (0.9, 0.81, 0.71), noise=hard) + points("two", (0.9, 0.8, 0.7), noise=hard)
    given = [
        replace(point, accuracy=point.accuracy + 0.001 * point.seed * (point.arm == "one")) for point in given
    ]
    assert answer(ahead("one", "two", densities=LOW), given) == "confirmed"
    mixed = [replace(point, seed=(point.seed + 1) % 3) if point.arm == "two" else point for point in given]
    assert answer(ahead("one", "two", densities=LOW), mixed) == "not confirmed"
    assert answer(ahead("one", "two", densities=LOW), given[::-1]) == "confirmed"  # in any order


def test_a_seed_counts_with_all_levels_or_not_at_all():
    given = two((0.9, 0.8, 0.7), (0.9, 0.7, 0.6), noise=(-0.001, 0.0, 0.001, 0.002))
    late = [point for point in given if not (point.seed == 3 and point.cycle == 2)]
    assert evidence(ahead("one", "two", densities=LOW), given).endswith("over 4 seeds")
    assert evidence(ahead("one", "two", densities=LOW), late).endswith("over 3 seeds")
    fewer = [point for point in late if not (point.seed == 2 and point.arm == "two" and point.cycle == 1)]
    assert answer(ahead("one", "two", densities=LOW), fewer) == "not testable"


def test_levels_that_only_the_first_arm_has_are_left_out():
    given = points("one", (0.9, 0.8, 0.1)) + points("two", (0.9, 0.7), densities=(1.0, 0.5))
    assert evidence(ahead("one", "two", densities=LOW), given).startswith("one minus two, at 0.5 kept: +10")


def test_parts_of_one_shot_arms_are_levels():
    given = [
        point
        for part, (density, lead) in enumerate(((0.5, 0.01), (0.1, 0.03)))
        for arm, more in (("one", lead), ("two", 0.0))
        for point in points(arm, (0.9, 0.8 + more), densities=(1.0, density), part=part)
    ]
    assert evidence(ahead("one", "two", densities=LOW), given).startswith(
        "one minus two, at 0.5 to 0.1 kept, by level +1.00 to +3.00: +2.00"
    )


def test_a_lead_that_grows_is_measured_between_two_ranges():
    given = two((0.9, 0.81, 0.75), (0.9, 0.80, 0.70))
    grows = larger_gap("one", "two", densities=(0.4, 0.6), lower=(0.2, 0.3))
    assert without_p(grows(given)) == (
        "confirmed",
        "one minus two, at 0.25 kept minus at 0.5 kept: +4.00 points (+4.00 to +4.00) over 3 seeds",
    )
    assert (
        answer(larger_gap("one", "two", densities=(0.4, 0.6), lower=(0.2, 0.3), by=0.05), given)
        == "not confirmed"
    )
    shrinks = larger_gap("one", "two", densities=(0.2, 0.3), lower=(0.4, 0.6))
    assert evidence(shrinks, given).startswith("refuted: ")


def test_leads_of_two_pairs_are_compared_by_seed():
    given = [
        *points("l1, ft", (0.9, 0.8, 0.7)),
        *points("random, ft", (0.9, 0.7, 0.6)),
        *points("l1, clr", (0.9, 0.85, 0.8)),
        *points("random, clr", (0.9, 0.84, 0.79)),
    ]
    pairs = ("l1, ft", "random, ft"), ("l1, clr", "random, clr")
    assert without_p(wider_lead(*pairs, densities=LOW, by=0.08)(given)) == (
        "confirmed",
        "(l1, ft minus random, ft) minus (l1, clr minus random, clr), at 0.5 to 0.25 kept: "
        "+9.00 points (+9.00 to +9.00) over 3 seeds",
    )
    assert evidence(wider_lead(*pairs[::-1], densities=LOW), given).startswith("refuted: ")
    late = [point for point in given if point.seed or point.arm != "l1, clr"]
    assert answer(wider_lead(*pairs, densities=LOW), late) == "not testable"


def test_two_differences_need_the_same_seeds():
    noise = (0.0, 0.001, 0.002, 0.003)
    given = two((0.9, 0.8, 0.7), (0.9, 0.7, 0.6), noise=noise)
    more = [replace(p, arm=p.arm + "'", seed=p.seed + 2) for p in given]
    check = wider_lead(("one", "two"), ("one'", "two'"), densities=LOW)
    assert check(given + more) == ("not testable", "the two differences share 2 of the 3 seeds needed")


def test_all_of_several_is_the_worst():
    given = two((0.9, 0.8, 0.7), (0.9, 0.7, 0.6))
    good, bad = ahead("one", "two", densities=LOW), ahead("two", "one", densities=LOW)
    unknown = ahead("one", "three", densities=LOW)
    assert answer(all_of(good, good), given) == "confirmed"
    assert answer(all_of(good, unknown), given) == "not testable"
    assert answer(all_of(unknown, bad, good), given) == "not confirmed"
    assert evidence(all_of(good, unknown), given) == f"{good(given)[1]}; the variant three is missing"
    with pytest.raises(ValueError, match="at least one check"):
        all_of()


def test_claims_are_judged_in_their_order():
    given = two((0.9, 0.8, 0.7), (0.9, 0.7, 0.6))
    claims = [
        Claim(name, ahead(*arms, densities=LOW))
        for name, arms in (("b", ("two", "one")), ("a", ("one", "two")))
    ]
    assert [(found.claim, found.verdict) for found in judge(claims, given)] == [
        ("b", "not confirmed"),
        ("a", "confirmed"),
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ahead("one", "two", densities=(0.5, 0.1)), "ascending and in [0, 1], got (0.5, 0.1)"),
        (lambda: near("one", "two", densities=(10, 50), margin=0.1), "got (10, 50)"),
        (lambda: larger_gap("one", "two", densities=(0, 1), lower=(-1, 0)), "got (-1, 0)"),
        (lambda: wider_lead(("a", "b"), ("c", "d"), densities=(0, 2)), "got (0, 2)"),
        (lambda: near("one", "two", densities=(0, 1), margin=0.0), "margin must be above 0, got 0.0"),
        (lambda: not_behind("one", "two", densities=(0, 1), margin=-0.1), "got -0.1"),
    ],
)
def test_wrong_ranges_and_margins_are_refused(make, message):
    with pytest.raises(ValueError) as caught:
        make()
    assert message in str(caught.value)


accuracies = st.lists(st.floats(0, 1), min_size=9, max_size=9)


def drawn(arm, values):
    return [
        Point(arm, seed, 0, cycle, density, values[3 * seed + cycle], {})
        for seed in range(3)
        for cycle, density in enumerate(DENSITIES)
    ]


@given(accuracies, accuracies, st.floats(0, 0.2))
def test_of_two_arms_at_most_one_is_ahead(ones, others, by):
    given = drawn("one", ones) + drawn("two", others)
    found = [answer(ahead(*arms, densities=LOW, by=by), given) for arms in (("one", "two"), ("two", "one"))]
    assert found.count("confirmed") <= 1
    if "not testable" not in found and "confirmed" in found:
        told = evidence(
            ahead(*(("two", "one") if found[0] == "confirmed" else ("one", "two")), densities=LOW), given
        )
        assert told.startswith("refuted")


@given(accuracies, accuracies, st.floats(0.001, 0.3))
def test_who_is_near_is_not_behind_both_ways(ones, others, margin):
    given = drawn("one", ones) + drawn("two", others)
    options = {"densities": LOW, "margin": margin}
    if answer(near("one", "two", **options), given) == "confirmed":
        both = all_of(not_behind("one", "two", **options), not_behind("two", "one", **options))
        assert answer(both, given) == "confirmed"


@given(accuracies, accuracies, st.floats(0.0, 0.1), st.floats(0.0, 0.1))
def test_who_is_ahead_by_more_is_ahead_by_less_and_not_behind(ones, others, by, less):
    assume(less <= by)
    given = drawn("one", ones) + drawn("two", others)
    if answer(ahead("one", "two", densities=LOW, by=by), given) == "confirmed":
        assert answer(ahead("one", "two", densities=LOW, by=less), given) == "confirmed"
        assert answer(not_behind("one", "two", densities=LOW, margin=0.001), given) == "confirmed"


@given(accuracies, accuracies)
def test_a_lead_over_oneself_is_never_confirmed_and_a_fourth_arm_at_rest_changes_nothing(ones, others):
    given = drawn("one", ones) + drawn("two", others) + drawn("rest", [0.5] * 9)
    plain = answer(ahead("one", "two", densities=LOW), given)
    led = answer(wider_lead(("one", "two"), ("rest", "rest"), densities=LOW), given)
    assert led == plain
    assert answer(ahead("rest", "rest", densities=LOW), given) == "not confirmed"


# --------------------------------------------------------------------- parts, at any density


def parts(arm, accuracies, densities, *, noise=NOISE, metrics=None):
    """A variant that prunes once, untrained, in each of its parts."""
    return [
        Point(arm, seed, part, 1, density, accuracy + extra, metrics or {})
        for seed, extra in enumerate(noise)
        for part, (density, accuracy) in enumerate(zip(densities, accuracies, strict=True))
    ]


def test_parts_are_compared_whatever_they_keep():
    given = parts("one", (0.8, 0.7), (0.1, 0.05)) + parts("two", (0.75, 0.68), (0.04, 1.0), noise=[0] * 3)
    assert answer(ahead("one", "two", densities=LOW), given) == "confirmed"  # two at 0.1, between its levels
    found = ahead_in("one", "two", parts=(0, 1))(given)
    assert found[0] == "confirmed"
    assert found[1].startswith("one at 0.1, 0.05 kept minus two at 0.04, 1 kept: +3.50 points")
    assert evidence(ahead_in("one", "two", parts=(1,)), given).startswith(
        "one at 0.05 kept minus two at 1 kept: +2.00 points"
    )
    assert answer(ahead_in("one", "two", parts=(0, 1), by=0.04), given) == "not confirmed"
    assert answer(ahead_in("two", "one", parts=(0, 1)), given) == "not confirmed"
    assert answer(not_behind_in("two", "one", parts=(1,), margin=0.03), given) == "confirmed"
    assert answer(not_behind_in("two", "one", parts=(0,), margin=0.03), given) == "not confirmed"


def test_an_arm_that_prunes_untrained_networks_has_no_dense_one():
    found = as_dense("one", densities=LOW, margin=0.01)(parts("one", (0.8,), (0.1,)))
    assert found == ("not testable", "one prunes untrained networks and has no dense level")


def test_of_a_part_the_last_cycle_counts():
    given = points("one", (0.5, 0.6, 0.9)) + points("two", (0.9, 0.9, 0.7), noise=[0] * 3)
    assert answer(ahead_in("one", "two", parts=(0,)), given) == "confirmed"


def test_parts_that_are_not_there_or_only_guess_are_not_testable():
    given = parts("one", (0.8,), (0.1,)) + parts("two", (0.75,), (0.1,))
    for check, reason in (
        (ahead_in("one", "two", parts=(0, 1)), "the variant one has no level of part 1"),
        (ahead_in("one", "three", parts=(0,)), "the variant three has no level of part 0"),
    ):
        assert check(given) == ("not testable", reason)
    few = [point for point in given if point.seed < 2]
    assert "share 2 of the 3 seeds" in evidence(ahead_in("one", "two", parts=(0,)), few)
    guesses = parts("one", (0.1,), (0.1,)) + parts("two", (0.1,), (0.1,))
    assert ahead_in("one", "two", parts=(0,))(guesses) == (
        "not testable",
        "one and two are no better than chance",
    )
    with pytest.raises(ValueError, match="margin must be above 0, got 0"):
        not_behind_in("one", "two", parts=(0,), margin=0)
