from math import isnan, nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pruning.measures.intervals import lower_bound, normal, paired, student

numbers = st.floats(-100, 100).map(lambda value: round(value, 3))
samples = st.lists(numbers, min_size=2, max_size=12).filter(lambda values: np.std(values) > 1e-3)
levels = st.sampled_from([0.5, 0.9, 0.95, 0.999])


@given(samples, levels)
def test_student_s_interval_is_scipy_s(values, confidence):
    found = student(values, confidence)
    ends = stats.t.interval(confidence, len(values) - 1, np.mean(values), stats.sem(values))
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(values), *ends), rel=1e-9, abs=1e-9)
    assert found.n == len(values) and found.known


@given(samples, levels)
def test_the_papers_interval_is_scipy_s_normal_one(values, confidence):
    found = normal(values, confidence)
    ends = stats.norm.interval(confidence, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-9, abs=1e-9)


def test_the_papers_interval_is_1_96_standard_errors():
    found = normal([0.90, 0.92, 0.97])
    error = sqrt(((0.03**2) + (0.01**2) + (0.04**2)) / 2) / sqrt(3)
    assert found.high - found.mean == pytest.approx(1.96 * error, rel=1e-4)
    assert student([0.90, 0.92, 0.97]).high - found.mean > 2 * 1.96 * error  # what a few seeds really tell


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12))
def test_the_paired_test_is_scipy_s(pairs):
    ones, others = zip(*pairs, strict=True)
    found = paired(ones, others)
    expected = student(np.subtract(ones, others))
    assert found.difference == expected
    if np.std(np.subtract(ones, others)) > 1e-3:
        assert found.p == pytest.approx(stats.ttest_rel(ones, others).pvalue, rel=1e-7, abs=1e-12)
        assert (found.p < 0.05) == (not expected.low <= 0 <= expected.high)


@given(samples, levels)
def test_the_lower_bound_is_that_of_scipy_s_one_sided_test(values, confidence):
    bound = lower_bound(values, confidence)
    test = stats.ttest_1samp(values, bound, alternative="greater")
    assert test.pvalue == pytest.approx(1 - confidence, rel=1e-5)
    interval = stats.ttest_1samp(values, 0, alternative="greater").confidence_interval(confidence)
    assert bound == pytest.approx(interval.low, rel=1e-9, abs=1e-9)


@given(samples)
def test_turning_the_pairs_round_turns_the_interval_round(values):
    others = values[::-1]
    one, other = paired(values, others), paired(others, values)
    assert one.difference.low == pytest.approx(-other.difference.high)
    assert one.p == pytest.approx(other.p) or isnan(one.p)


def test_an_interval_holds_the_mean_as_often_as_it_promises():
    values = np.random.default_rng(0).normal(3.0, 2.0, (4000, 3))
    held = [found.low <= 3 <= found.high for found in map(student, values)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)
    held = [found.low <= 3 <= found.high for found in map(normal, values)]
    assert np.mean(held) == pytest.approx(0.81, abs=0.02)  # as the module says of it
    assert np.mean([lower_bound(each) <= 3 for each in values]) == pytest.approx(0.95, abs=0.015)


def test_one_value_has_a_mean_and_no_ends():
    for found in (student([0.5]), normal([0.5]), paired([0.75], [0.25]).difference):
        assert (found.mean, found.n, found.known) == (0.5, 1, False)
        assert isnan(found.low) and isnan(found.high)
    assert isnan(lower_bound([0.5])) and isnan(paired([0.75], [0.25]).p)


def test_pairs_that_all_differ_alike_are_certain():
    assert paired([0.5, 1.5, 2.5], [0.25, 1.25, 2.25]).p == 0
    assert paired([0.5, 1.5], [0.5, 1.5]).p == 1
    found = student([0.25, 0.25, 0.25])
    assert (found.low, found.mean, found.high) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize("function", [student, normal, lower_bound])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "one or more values, got shape (0,)"),
        ([[0.1, 0.2]], "got shape (1, 2)"),
        ([0.1, nan], "values must be finite, got nan"),
        ([0.1, -np.inf, 2], "values must be finite, got -inf"),
    ],
)
def test_wrong_values_are_refused(function, values, message):
    with pytest.raises(ValueError) as caught:
        function(values)
    assert message in str(caught.value)


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5, nan])
def test_wrong_confidences_are_refused(confidence):
    with pytest.raises(ValueError, match=f"confidence must lie between 0 and 1, got {confidence}"):
        student([1, 2], confidence)
    with pytest.raises(ValueError, match="confidence"):
        normal([1, 2], confidence)
    with pytest.raises(ValueError, match="confidence"):
        lower_bound([1, 2], confidence)


def test_pairs_of_unequal_number_are_refused():
    with pytest.raises(ValueError, match="got 2 and 3"):
        paired([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="got 3 and 1"):  # numpy would stretch it
        paired([1, 2, 3], [1])
