from math import log, sqrt

import pytest
from measured_prunings import losing
from scipy.stats import t

from pruning.measures.intervals import student
from pruning.studies.compression.question import excesses, passage, ratios, thresholds


def found_thresholds(measured):
    return {each.novelty: each for each in thresholds(measured)}


def test_the_excess_is_the_rise_on_novel_cells_less_that_on_training_cells():
    measured = [
        losing({"D4": 10, "A1": 8, "B1": 12}, {"D4": 20, "A1": 20, "B1": 30}),  # 15 - 10 points
        losing({"D4": 10, "A1": 10, "B1": 10}, {"D4": 13, "A1": 20, "B1": 24}, seed=1),  # 12 - 3
    ]
    (found,) = excesses(measured)
    assert (found.brick_set, found.level, found.share) == ("D4", 1, 0.5)
    assert (found.seen, found.novel) == pytest.approx((0.065, 0.135))
    half = t.ppf(0.975, 1) * 0.02  # 0.05 and 0.09: deviations of 0.02, sd 0.02 sqrt 2, over sqrt 2
    excess = found.excess
    assert (excess.mean, excess.low, excess.high) == pytest.approx((0.07, 0.07 - half, 0.07 + half))
    assert excess.n == 2


def test_the_mean_of_levels_is_taken_network_by_network():
    measured = [
        losing(*({"D4": 10, "A1": 10 + n} for n in (0, 1, 5))),
        losing(*({"D4": 10, "A1": 10 + n} for n in (0, 3, 7, 50)), seed=1),
    ]
    found = {each.level: each.excess for each in excesses(measured)}
    assert list(found) == [1, 2, 3, None]
    assert found[3].n == 1 and not found[3].known  # not in the mean: one network alone has it
    mean, expected = found[None], student([0.03, 0.05])
    assert (mean.mean, mean.low, mean.high) == pytest.approx((expected.mean, expected.low, expected.high))


def test_one_seed_gives_no_interval_and_no_novel_cells_no_excess():
    (found,) = excesses([losing({"D4": 1, "A1": 1}, {"D4": 2, "A1": 3})])
    assert not found.excess.known
    assert found.excess.mean == pytest.approx(0.01)
    assert excesses([losing({"D4": 1}, {"D4": 2})]) == []
    assert excesses([losing({"D4": 1, "A1": 1})]) == []


def test_arms_sets_and_simulations_are_apart():
    hits = {"D4": 1, "A1": 1}, {"D4": 2, "A1": 3}
    measured = [losing(*hits), losing(*hits, simulations=100), losing(*hits, arm="rewind")]
    assert [(each.arm, each.simulations) for each in excesses(measured)] == [
        *(("dropnet-layer", 0), ("dropnet-layer", 100), ("rewind", 0))
    ]


def test_a_passage_is_on_a_straight_line_in_the_logarithm_of_what_is_kept():
    shares = (1.0, 0.5, 0.25)
    assert passage(shares, (0.1, 0.105, 0.125)) == pytest.approx(0.5 * 0.5**0.25)  # from 0.5 to 2.5 points
    assert passage(shares, (0.1, 0.12, 0.1)) == pytest.approx(
        0.5**0.5
    )  # the first one, though it falls again
    assert passage(shares, (0.1, 0.09, 0.13)) == pytest.approx(0.5 * 0.5**0.5)
    assert passage(shares, (0.1, 0.11, 0.30), rise=0.1) == pytest.approx(0.5 * 0.5 ** (9 / 19))


@pytest.mark.parametrize("rates", [(0.1, 0.1, 0.1), (0.1, 0.05, 0.0), (0.0, 0.01, 0.01), (0.3,)])
def test_what_never_rises_by_more_has_no_passage(rates):
    assert passage((1.0, 0.5, 0.25)[: len(rates)], rates) is None


def test_a_threshold_is_the_geometric_mean_over_the_networks():
    measured = [
        losing({"D3": 10, "D5": 9}, {"D3": 12, "D5": 9}, {"D3": 30, "D5": 13}, brick_set="D3"),
        losing({"D3": 10, "D5": 9}, {"D3": 10, "D5": 9}, {"D3": 12, "D5": 13}, brick_set="D3", seed=1),
    ]
    found = found_thresholds(measured)
    assert list(found) == ["seen", "mirror"]
    seen = found["seen"]
    assert seen.share.mean == pytest.approx(sqrt(0.5**0.5 * 0.5**1.5)) and not seen.bound
    half = t.ppf(0.975, 1) * log(2) / 2  # deviations of half a halving in the logarithm
    assert log(seen.share.low) == pytest.approx(log(0.5) - half)
    assert seen.share.high == 1.0  # the fraction kept is at most 1
    assert found["mirror"].share.mean == pytest.approx(0.5 * 0.5**0.25)
    assert seen.decisions == 100


def test_networks_that_never_pass_leave_a_bound():
    measured = [
        losing({"D4": 10}, {"D4": 12}, {"D4": 30}),
        losing({"D4": 10}, {"D4": 10}, {"D4": 11}, seed=1),
    ]
    seen = found_thresholds(measured)["seen"]
    assert seen.bound and not seen.share.known
    assert seen.share.mean == pytest.approx(sqrt(0.5**0.5 * 0.25))


def test_novel_cells_are_compared_in_groups_as_noisy_as_the_training_cells():
    # each cell moves up or down by noise like the training cell; the mean of the novel cells stays
    first = {"D4": 10, "A1": 10, "B1": 10}
    measured = [
        losing(first, {"D4": 12, "A1": 12, "B1": 8}),
        losing(first, {"D4": 8, "A1": 12, "B1": 8}, seed=1),
    ]
    found = found_thresholds(measured)
    assert found["novel"].bound and found["novel"].share.mean == pytest.approx(0.5)
    passed, never = log(0.5) / 2, log(0.5)
    matched = (passed + never) / 2
    assert log(found["matched"].share.mean) == pytest.approx(matched)
    assert found["matched"].decisions == found["seen"].decisions == 100
    (ratio,) = ratios(measured)
    assert ratio.ratio.mean == pytest.approx(1.0)
    half = t.ppf(0.975, 1) * (passed - never) / 2
    assert log(ratio.ratio.high) == pytest.approx(half)


def test_groups_have_as_many_cells_as_were_trained_on():
    seen, novel = ("C3", "D3", "D4"), ("A1", "B1", "C1", "A2", "B2", "C2", "E1")
    first = dict.fromkeys((*seen, *novel), 10)
    measured = losing(first, {cell: 12 if cell in seen else 13 for cell in first}, brick_set="R3")
    found = found_thresholds([measured])
    assert found["matched"].decisions == 300
    # two groups of three, every other cell; the seventh, E1, is left over
    assert found["matched"].share.mean == pytest.approx(0.5 ** (1 / 3))
    assert found["seen"].share.mean == pytest.approx(0.5 ** (1 / 2))


def test_fewer_novel_than_training_cells_are_not_compared():
    measured = [
        losing({"C3": 1, "D3": 1, "D4": 1, "A1": 1}, {"C3": 3, "D3": 3, "D4": 3, "A1": 3}, brick_set="R3")
    ]
    assert "matched" not in found_thresholds(measured) and ratios(measured) == []


def test_a_ratio_above_1_says_that_novel_cells_suffer_earlier():
    early, late = {"D4": 10, "A1": 20}, {"D4": 30, "A1": 25}
    (ratio,) = ratios([losing({"D4": 10, "A1": 10}, early, late)])
    assert ratio.ratio.mean == pytest.approx(0.5**0.1 / (0.5 * 0.5**0.05))
    assert not ratio.ratio.known
