"""Specs of schedules, and the curves and the table of `bttt schedules`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruning.schedules.registry import SCHEDULES, make_schedule
from pruning.studies.schedules.command import POINTS, curve, peak_table
from pruning.studies.schedules.spec import parse_schedule


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("constant", "constant", {}),
        (
            "step:lr=0.3,drops=0.2+0.4+0.9,factor=0.5",
            "step",
            {"lr": 0.3, "drops": (0.2, 0.4, 0.9), "factor": 0.5},
        ),
        ("step:drops=", "step", {"drops": ()}),
        ("step:drops=1e-1", "step", {"drops": (0.1,)}),
        (" cyclic:lr=1,cycles=4", "cyclic", {"lr": 1.0, "cycles": 4}),
        ("one-cycle:start=none,end=0.01", "one-cycle", {"end": 0.01}),
        ("lrw:replayed=0.9", "lrw", {"replayed": 0.9}),
        (
            "silo:epsilon=0.04,delta=0.06,beta=4,q=2,p=0.5",
            "silo",
            dict(epsilon=0.04, delta=0.06, beta=4, q=2, p=0.5),
        ),
        ("silo-step:jump=2", "silo-step", {"jump": 2}),
    ],
)
def test_a_spec_is_the_schedule_with_these_options(text, name, options):
    found, expected = parse_schedule(text), make_schedule(name, **options)
    for cycle in range(6):
        for progress in (0, 0.1, 0.23, 0.5, 0.95, 1):
            assert found(progress, cycle) == expected(progress, cycle)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("silos", r"unknown schedule 'silos' \(did you mean 'silo'\?\); schedules are constant, "),
        ("step:drop=0.5", r"schedule 'step:drop=0.5': unknown option 'drop' \(did you mean 'drops'\?\)"),
        ("step:drops=0.5+x", r"option drops='0.5\+x' must be numbers joined by \+, for example 0.5\+0.75"),
        ("step:drops=0.5/0.75", "must be numbers joined by"),
        ("step:0.5", "'0.5' does not have the form option=value"),
        ("step:lr=fast", "option lr='fast' must be a number"),
        ("step:lr=0.1,lr=0.2", "option 'lr' is given twice"),
        ("cyclic:cycles=1.5", "option cycles='1.5' must be a whole number"),
        ("step:lr=nan", "schedule 'step': lr must be a positive number, got nan"),
        ("silo:p=1", "schedule 'silo': p must be between 0 and 1, got 1"),
    ],
)
def test_wrong_specs_name_the_value_and_what_is_allowed(text, message):
    with pytest.raises(ValueError, match=message):
        parse_schedule(text)


@settings(max_examples=20)
@given(st.sampled_from(sorted(SCHEDULES)), st.integers(1, 3))
def test_a_curve_has_the_rates_of_the_schedule_from_end_to_end(name, cycles):
    schedule = make_schedule(name)
    found = curve(schedule, cycles)
    assert [len(part) for part in found] == [POINTS + 1] * cycles
    for cycle, part in enumerate(found):
        assert [part[0], part[POINTS // 2], part[-1]] == [schedule(each, cycle) for each in (0, 0.5, 1)]


@pytest.mark.parametrize("count", range(1, 11))
def test_the_points_of_a_curve_meet_the_peaks_of_triangles(count):
    (part,) = curve(make_schedule("cyclic", lr=0.1, cycles=count), 1)
    assert max(part) == pytest.approx(0.1, rel=1e-9)


def test_the_table_has_the_peak_of_each_cycle():
    specs = ["silo:epsilon=0.04,delta=0.06", "ft"]
    table = peak_table({spec: curve(parse_schedule(spec), 5) for spec in specs})
    assert table.splitlines() == [
        "cycle  silo:epsilon=0.04,delta=0.06       ft",
        "    0                       0.04000  0.00100",
        "    1                       0.04000  0.00100",
        "    2                       0.04006  0.00100",
        "    3                       0.04320  0.00100",
        "    4                       0.06642  0.00100",
    ]
