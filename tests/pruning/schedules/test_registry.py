"""Learning-rate schedules: SILO's check values, the corners of each schedule, bounds, wrong input."""

import copy
import math
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.schedules.registry import SCHEDULES, make_schedule
from pruning.schedules.silo import silo_max_lr

RESNET20 = [0.03, 0.03, 0.03004, 0.03213, 0.04761, 0.06446, 0.06893, 0.06977, 0.06995, 0.06999]
VGG19 = [0.04, 0.04, 0.04006, 0.04320, 0.06642, 0.09169, 0.09839, 0.09966, 0.09992, 0.09998]
"""The peaks of cycles 0 to 9 with the settings of SILO's code, worked out by hand from its formula."""

shares = st.floats(0, 1)
cycles = st.integers(0, 60)
bounds = st.floats(1e-4, 1)
names = st.sampled_from(sorted(SCHEDULES))


def rates(schedule, *points, cycle=0):
    """The learning rates at these points of the progress."""
    return [schedule(point, cycle) for point in points]


def before(point):
    """A progress a little before a point."""
    return point - 1e-6


@pytest.mark.parametrize(("epsilon", "delta", "values"), [(0.03, 0.04, RESNET20), (0.04, 0.06, VGG19)])
def test_silo_has_the_check_values_to_five_digits(epsilon, delta, values):
    found = [round(silo_max_lr(cycle, epsilon=epsilon, delta=delta), 5) for cycle in range(10)]
    assert found == values
    for cycle in range(11, 25):
        assert round(silo_max_lr(cycle, epsilon=epsilon, delta=delta), 5) == round(epsilon + delta, 5)


@given(cycles, bounds, st.floats(0, 1), st.floats(0.5, 10), st.integers(0, 5), st.floats(0.02, 0.9))
def test_silo_is_the_formula_written_down_plainly(cycle, epsilon, delta, beta, q, p):
    expected = epsilon
    if cycle > q:
        gamma = 1 - (1 - p) ** (cycle - q)
        ratio = gamma / (1 - gamma) if gamma < 1 else math.inf
        expected += delta / (1 + ratio**-beta)
    found = silo_max_lr(cycle, epsilon=epsilon, delta=delta, beta=beta, q=q, p=p)
    assert found == pytest.approx(expected, rel=1e-7)  # the plain form rounds 1 - gamma


@given(cycles, bounds, st.floats(0, 1), st.floats(0.01, 1e6), st.integers(0, 9), st.floats(1e-12, 0.999999))
def test_silo_rises_from_epsilon_to_the_upper_bound(cycle, epsilon, delta, beta, q, p):
    now, later = (
        silo_max_lr(m, epsilon=epsilon, delta=delta, beta=beta, q=q, p=p) for m in (cycle, cycle + 1)
    )
    assert epsilon <= now <= later <= epsilon + delta
    assert cycle > q or now == epsilon


def test_silo_is_half_way_up_where_half_is_pruned_and_exact_at_the_ends():
    assert silo_max_lr(2, epsilon=0.03, delta=0.04, p=0.5) == pytest.approx(0.05)
    assert silo_max_lr(0, epsilon=0.03, delta=0.04) == silo_max_lr(1, epsilon=0.03, delta=0.04) == 0.03
    assert silo_max_lr(10**9, epsilon=0.03, delta=0.04) == 0.07
    steep = [silo_max_lr(m, epsilon=0.03, delta=0.04, beta=1e9) for m in (4, 5)]
    assert steep == pytest.approx([0.03, 0.07])  # gamma is 0.488 and 0.590: a jump at 0.5


def test_silo_slope_where_half_is_pruned_is_beta_times_delta():
    def peak(gamma):  # cycle 2 with q=1 has gamma = p
        return silo_max_lr(2, epsilon=0.03, delta=0.04, beta=5, p=gamma)

    assert (peak(0.5001) - peak(0.4999)) / 0.0002 == pytest.approx(5 * 0.04, rel=1e-4)


def test_constant():
    assert rates(make_schedule("constant", lr=0.02), 0, 0.3, 1, cycle=7) == [0.02] * 3


def test_step_drops_at_its_drops_and_stays():
    schedule = make_schedule("step", lr=0.1)
    found = rates(schedule, 0, before(0.5), 0.5, before(0.75), 0.75, 1)
    assert found == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
    assert rates(make_schedule("step", lr=0.1, drops=(), factor=0.5), 0, 1) == [0.1, 0.1]
    assert rates(make_schedule("step", lr=0.1, drops=(0.9,), factor=0.5), 0.89, 0.9) == [0.1, 0.05]


@pytest.mark.parametrize("epochs", [10, 49, 160, 999])
def test_a_drop_on_a_step_of_the_training_comes_at_that_step(epochs):
    for epoch in range(1, epochs):
        schedule = make_schedule("step", lr=1.0, drops=(1 - (epochs - epoch) / epochs,))
        assert rates(schedule, (epoch - 1) / epochs, epoch / epochs) == [1.0, 0.1]


def test_linear_and_cosine():
    assert rates(make_schedule("linear", lr=0.2), 0, 0.25, 0.5, 1) == pytest.approx([0.2, 0.15, 0.1, 0])
    found = rates(make_schedule("cosine", lr=0.2), 0, 1 / 3, 0.5, 1)
    assert found == pytest.approx([0.2, 0.15, 0.1, 0])
    assert rates(make_schedule("cosine", lr=0.2, end=0.1), 0, 0.5, 1) == pytest.approx([0.2, 0.15, 0.1])


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_cyclic_has_triangles_of_equal_length(count):
    schedule = make_schedule("cyclic", lr=0.1, cycles=count)
    lows = [number / count for number in range(count + 1)]
    highs = [(number + 0.5) / count for number in range(count)]
    slopes = [(number + 0.25) / count for number in range(count)]
    assert rates(schedule, *lows) == pytest.approx([0] * (count + 1), abs=1e-12)
    assert rates(schedule, *highs) == pytest.approx([0.1] * count)
    assert rates(schedule, *slopes) == pytest.approx([0.05] * count)


def test_one_cycle_meets_its_start_peak_end_and_middles():
    schedule = make_schedule("one-cycle", lr=0.4, start=0.2, end=0.1, rise=0.25)
    found = rates(schedule, 0, 0.125, 0.25, 0.625, 1)
    assert found == pytest.approx([0.2, 0.3, 0.4, 0.25, 0.1])


def test_one_cycle_starts_at_a_hundredth_and_ends_at_a_hundredth_of_that():
    assert rates(make_schedule("one-cycle", lr=0.5), 0, 0.1, 1) == pytest.approx([0.005, 0.5, 0.00005])
    assert rates(make_schedule("one-cycle", lr=0.5, start=0.1), 0, 0.1, 1) == pytest.approx([0.1, 0.5, 0.001])


def test_warmup_step_warms_up_holds_and_drops():
    schedule = make_schedule("warmup-step", lr=0.1, warmup=0.2, drops=(0.5, 0.75), factor=0.1)
    found = rates(schedule, 0, 0.1, 0.2, before(0.5), 0.5, before(0.75), 0.75, 1)
    assert found == pytest.approx([0, 0.05, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
    assert rates(make_schedule("warmup-step", lr=0.1, warmup=0.0), 0, 0.4) == [0.1, 0.1]


def test_ft_is_the_last_rate_of_the_base_training():
    assert rates(make_schedule("ft"), 0, 0.5, 1) == pytest.approx([0.001] * 3)
    assert rates(make_schedule("ft", lr=0.2, drops=(0.3,), factor=0.5), 0, 1) == [0.1, 0.1]


@pytest.mark.parametrize("epochs", [40, 56, 72, 88, 104, 120, 136, 152, 160])
def test_lrw_replays_the_last_epochs_of_the_base_training(epochs):
    base = [0.1] * 80 + [0.01] * 40 + [0.001] * 40
    schedule = make_schedule("lrw", replayed=epochs / 160)
    assert rates(schedule, *(epoch / epochs for epoch in range(epochs))) == pytest.approx(base[-epochs:])


def test_lrw_replays_88_epochs_by_default():
    points = [epoch / 88 for epoch in range(88)]
    assert rates(make_schedule("lrw"), *points) == rates(make_schedule("lrw", replayed=88 / 160), *points)
    assert rates(make_schedule("lrw"), 7.9 / 88, 8 / 88) == pytest.approx([0.1, 0.01])


@given(st.floats(0.001, 0.25), shares, cycles)
def test_lrw_within_the_last_window_is_ft(replayed, progress, cycle):
    assert make_schedule("lrw", replayed=replayed)(progress, cycle) == make_schedule("ft")(progress, cycle)


@given(st.floats(0.1, 0.9), shares)
def test_lrw_is_ft_up_to_the_last_drop_wherever_it_is(drop, progress):
    base = {"drops": (0.05, drop), "factor": 0.3}
    ft = make_schedule("ft", **base)(progress, 0)
    assert make_schedule("lrw", replayed=1 - drop, **base)(progress, 0) == ft
    assert make_schedule("lrw", replayed=1 - drop + 0.02, **base)(0, 0) > ft


def test_slr_warms_up_on_a_cosine_and_drops_at_shares_of_the_rest():
    schedule = make_schedule("slr")
    found = rates(schedule, 0, 0.05, 0.1, before(0.55), 0.55, before(0.775), 0.775, 1)
    assert found == pytest.approx([0.001, 0.0505, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_clr_has_the_end_points_of_its_code():
    assert rates(make_schedule("clr"), 0, 0.1, 1) == pytest.approx([1e-3, 0.1, 1e-5])
    halves = rates(make_schedule("clr"), 0.05, 0.55)
    assert halves == pytest.approx([(0.001 + 0.1) / 2, (0.1 + 1e-5) / 2])


@given(shares, cycles)
def test_clr_is_the_one_cycle_of_the_same_base_training(progress, cycle):
    one_cycle = make_schedule("one-cycle", lr=0.1, start=0.001, end=1e-5)
    assert make_schedule("clr")(progress, cycle) == pytest.approx(one_cycle(progress, cycle), rel=1e-9)


@given(shares, cycles, bounds, bounds)
def test_silo_and_s_cyc_are_their_inner_schedules_at_the_peak_of_the_cycle(progress, cycle, epsilon, delta):
    peak = silo_max_lr(cycle, epsilon=epsilon, delta=delta)
    for name, inner in (("silo", "warmup-step"), ("s-cyc", "cyclic")):
        found = make_schedule(name, epsilon=epsilon, delta=delta)(progress, cycle)
        assert found == pytest.approx(make_schedule(inner, lr=peak)(progress, cycle), rel=1e-12)


def test_the_options_of_the_inner_schedule_reach_it():
    options = {"warmup": 0.3, "drops": (0.4,), "factor": 0.2}
    expected = rates(make_schedule("warmup-step", lr=0.03, **options), 0.15, 0.3, 0.4)
    for name in ("silo", "silo-step", "silo-linear"):
        assert rates(make_schedule(name, **options), 0.15, 0.3, 0.4) == expected
    assert rates(make_schedule("s-cyc", cycles=2), 0.25, 0.5) == pytest.approx([0.03, 0])


def test_the_controls_of_silo_jump_and_climb_from_epsilon_to_the_upper_bound():
    def peaks(name, **options):
        return [make_schedule(name, **options)(0.3, cycle) for cycle in range(13)]

    assert peaks("silo-step", epsilon=0.03, delta=0.04) == pytest.approx([0.03] * 4 + [0.07] * 9)
    assert peaks("silo-step", epsilon=0.25, delta=0.25, jump=0) == [0.5] * 13
    found = peaks("silo-linear", epsilon=0.03, delta=0.04, last=8)
    assert found == pytest.approx([0.03 + 0.005 * cycle for cycle in range(8)] + [0.07] * 5)
    assert peaks("silo-linear")[11:] == pytest.approx([0.07, 0.07]) and peaks("silo-linear")[10] < 0.07


@given(names, shares, cycles)
def test_rates_lie_between_zero_and_the_peak(name, progress, cycle):
    assert 0 <= make_schedule(name)(progress, cycle) <= 0.1 * (1 + 1e-12)


@given(st.sampled_from(["constant", "step", "linear", "cosine", "ft", "lrw"]), shares, shares)
def test_schedules_without_a_warmup_never_rise_in_a_cycle(name, one, other):
    schedule = make_schedule(name)
    assert schedule(min(one, other), 0) >= schedule(max(one, other), 0) - 1e-15


@given(st.sampled_from(["warmup-step", "one-cycle", "slr", "clr", "silo"]), shares, shares)
def test_schedules_with_a_warmup_rise_to_the_peak_and_fall_from_it(name, one, other):
    peak = 0.08 if name in ("warmup-step", "silo") else 0.1
    schedule = make_schedule(name)
    early, late = sorted((one, other))
    if late <= peak:
        assert schedule(early, 3) <= schedule(late, 3) + 1e-15
    elif early >= peak:
        assert schedule(early, 3) >= schedule(late, 3) - 1e-15


@given(st.sampled_from(["silo", "silo-step", "silo-linear", "s-cyc"]), shares, cycles)
def test_the_rates_of_silos_family_never_fall_from_cycle_to_cycle(name, progress, cycle):
    schedule = make_schedule(name)
    assert schedule(progress, cycle) <= schedule(progress, cycle + 1) + 1e-15


@given(names, shares, cycles)
def test_copies_and_pickles_are_the_same_schedule(name, progress, cycle):
    schedule = make_schedule(name)
    for twin in (copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule))):
        assert twin(progress, cycle) == schedule(progress, cycle)


@pytest.mark.parametrize("name", SCHEDULES)
def test_progress_and_cycle_that_cannot_be_are_refused(name):
    schedule = make_schedule(name)
    for progress in (-0.01, 1.01, math.nan):
        with pytest.raises(ValueError, match=f"progress must be 0 to 1, got {progress}"):
            schedule(progress, 0)
    for cycle in (-1, 0.5):
        with pytest.raises(ValueError, match=f"cycle must be a whole number of at least 0, got {cycle}"):
            schedule(0.5, cycle)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("value", [0, -0.1, math.nan, math.inf, "0.1", True, None])
def test_no_peak_is_anything_but_a_positive_number(name, value):
    option = "epsilon" if "silo" in name or name == "s-cyc" else "lr"
    with pytest.raises(ValueError, match=f"schedule '{name}': {option} must be a positive number, got "):
        make_schedule(name, **{option: value})


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sillo", {}, r"unknown schedule 'sillo' \(did you mean 'silo'\?\); schedules are constant, step"),
        ("", {}, "unknown schedule ''; schedules are"),
        ("step", {"drop": (0.5,)}, r"no option 'drop' \(did you mean 'drops'\?\); options are lr, drops"),
        ("constant", {"beta": 5}, "schedule 'constant' has no option 'beta'; options are lr"),
        ("step", {"drops": (0.75, 0.5)}, "drops must rise, after 0 and before 1"),
        ("step", {"drops": (0.5, 0.5)}, "drops must rise"),
        ("step", {"drops": (0.0, 0.5)}, "drops must rise"),
        ("step", {"drops": (0.5, 1.0)}, "drops must rise"),
        ("step", {"drops": (math.nan,)}, "drops must rise"),
        ("step", {"drops": 0.5}, "drops must be numbers, got 0.5"),
        ("step", {"drops": "0.5"}, "drops must be numbers, got '0.5'"),
        ("step", {"factor": 0}, "factor must be a positive number, got 0"),
        ("step", {"factor": 1.5}, "factor must be 0 to 1, got 1.5"),
        ("cosine", {"lr": 0.1, "end": 0.2}, "end must be 0 to 0.1, got 0.2"),
        ("cyclic", {"cycles": 0}, "cycles must be a whole number of at least 1, got 0"),
        ("cyclic", {"cycles": 1.5}, "cycles must be a whole number of at least 1, got 1.5"),
        ("one-cycle", {"rise": 0}, "rise must be between 0 and 1, got 0"),
        ("one-cycle", {"start": 0.2}, "start must be 0 to 0.1, got 0.2"),
        ("one-cycle", {"end": -1}, "end must be 0 to 0.1, got -1"),
        ("warmup-step", {"warmup": 0.5}, "drops must rise, after 0.5 and before 1"),
        ("warmup-step", {"warmup": -0.1}, "warmup must be 0 to 1, got -0.1"),
        ("lrw", {"replayed": 0}, "replayed must be a positive number, got 0"),
        ("lrw", {"replayed": 1.1}, "replayed must be 0 to 1, got 1.1"),
        ("slr", {"warmup": 0}, "warmup must be between 0 and 1, got 0"),
        ("clr", {"rise": 1}, "rise must be between 0 and 1, got 1"),
        ("silo", {"delta": -0.01}, "delta must be a number of at least 0, got -0.01"),
        ("silo", {"delta": math.inf}, "delta must be a number of at least 0, got inf"),
        ("silo", {"beta": 0}, "beta must be a positive number, got 0"),
        ("silo", {"q": -1}, "q must be a whole number of at least 0, got -1"),
        ("silo", {"p": 1}, "p must be between 0 and 1, got 1"),
        ("silo", {"warmup": 0.6}, "drops must rise, after 0.6"),
        ("s-cyc", {"cycles": 0}, "cycles must be a whole number"),
        ("silo-step", {"jump": -1}, "jump must be a whole number of at least 0"),
        ("silo-linear", {"last": 0}, "last must be a whole number of at least 1"),
    ],
)
def test_wrong_input_names_the_value_and_what_is_allowed(name, options, message):
    with pytest.raises(ValueError, match=message):
        make_schedule(name, **options)


def test_schedules_load_no_torch():
    code = "import sys, pruning.schedules.registry; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
