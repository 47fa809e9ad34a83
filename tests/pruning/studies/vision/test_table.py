"""The tables of a vision experiment, from points made by hand."""

import csv
import io

import pytest
from scipy import stats
from tiny_vision import points

from bttt.runs.tables import csv_text
from pruning.studies.vision.experiment import Published
from pruning.studies.vision.points import Point, by_level
from pruning.studies.vision.table import accuracy_table, levels_of, published_table, rows

DENSITIES = (1.0, 0.5, 0.25)
HALF = stats.t.ppf(0.975, 2) * 0.01 / 3**0.5
"""Half of Student's interval of the accuracies a, a + 0.01, a + 0.02."""


def some(arm="one", accuracies=(0.9, 0.8, 0.7), densities=DENSITIES, **rest):
    return points(arm, accuracies, densities, noise=0.01, **rest)


def cells(table):
    """The cells of each line of a table."""
    return [line.split() for line in table.splitlines()]


def test_points_are_found_by_level_and_seed():
    given = some(part=1) + some() + some("two")
    found = by_level(given, "one")
    assert list(found) == [(part, cycle) for part in range(2) for cycle in range(3)]
    assert {seed: point.accuracy for seed, point in found[0, 2].items()} == pytest.approx(
        {0: 0.7, 1: 0.71, 2: 0.72}
    )
    assert by_level(given, "three") == {}


def test_levels_are_means_with_student_s_interval():
    (dense, half, _) = levels_of(some(metrics={"loss": 2.0}))
    assert (dense.arm, dense.part, dense.cycle, dense.density) == ("one", 0, 0, 1.0)
    assert half.accuracy.mean == pytest.approx(0.81)
    assert (half.accuracy.low, half.accuracy.high) == pytest.approx((0.81 - HALF, 0.81 + HALF))
    assert (half.accuracy.n, half.metrics) == (3, {"loss": 2.0})


def test_a_level_has_only_the_metrics_that_all_its_networks_have():
    given = [
        Point("one", 0, 0, 0, 1.0, 0.9, {"loss": 1.0, "spread": 2.0}),
        Point("one", 1, 0, 0, 1.0, 0.8, {"loss": 3.0}),
    ]
    assert levels_of(given)[0].metrics == {"loss": 2.0}


def test_the_csv_has_a_column_for_each_figure_and_a_row_for_each_level():
    given = some(metrics={"loss": 1 / 3}) + some("two", metrics={"epochs": 7}, seeds=1)
    text = csv_text(rows(levels_of(given)))
    table = list(csv.DictReader(io.StringIO(text)))
    assert list(table[0]) == [
        *("arm", "part", "cycle", "kept", "accuracy", "low", "high"),
        *("normal low", "normal high", "seeds", "loss", "epochs"),
    ]
    assert [(row["arm"], row["cycle"]) for row in table] == [
        (arm, c) for arm in ("one", "two") for c in "012"
    ]
    first, other = table[1], table[4]
    assert [float(first[name]) for name in ("kept", "accuracy", "low", "high")] == pytest.approx(
        [0.5, 0.81, 0.81 - HALF, 0.81 + HALF], abs=1e-5
    )
    normal = stats.norm.ppf(0.975) * 0.01 / 3**0.5
    ends = [float(first[name]) for name in ("normal low", "normal high")]
    assert ends == pytest.approx([0.81 - normal, 0.81 + normal], abs=1e-5)
    assert (first["seeds"], first["loss"], first["epochs"]) == ("3", "0.333333", "")
    assert (other["low"], other["high"], other["seeds"], other["loss"], other["epochs"]) == (
        *("", "", "1", "", "7"),
    )


def test_accuracies_stand_by_what_is_kept():
    table = cells(accuracy_table(levels_of(some() + some("other", (0.9, 0.6, 0.3)))))
    half = f"±{100 * HALF:.1f}"
    assert table == [
        ["%", "kept", "one", "other"],
        ["100", "91.0", half, "91.0", half],
        ["50", "81.0", half, "61.0", half],
        ["25", "71.0", half, "31.0", half],
    ]


def test_one_seed_has_no_interval_and_many_arms_are_rows():
    given = [point for arm in "abcd" for point in some(arm, seeds=1)]
    table = cells(accuracy_table(levels_of(given)))
    assert table == [["%", "kept", "100", "50", "25"], *([arm, "90.0", "80.0", "70.0"] for arm in "abcd")]


def test_an_arm_that_ended_earlier_leaves_its_places_empty():
    given = some(seeds=1) + some("short", (0.9, 0.5), (1.0, 0.5), seeds=1)
    assert cells(accuracy_table(levels_of(given)))[-1] == ["25", "70.0"]


def test_one_shot_arms_have_a_table_of_their_own_with_each_part_s_pruned_network():
    shots = some("shots", (0.9, 0.6), (1.0, 0.4), seeds=1)
    shots += some("shots", (0.9, 0.3), (1.0, 0.1), seeds=1, part=1)
    cycles, shot = accuracy_table(levels_of(some(seeds=1) + shots)).split("\n\n")
    assert cells(cycles)[0] == ["%", "kept", "one"] and len(cells(cycles)) == 4
    assert cells(shot) == [["%", "kept", "shots"], ["100", "90.0"], ["40", "60.0"], ["10", "30.0"]]


def test_networks_that_are_pruned_untrained_say_what_is_kept_not_the_dense_one_beside_them():
    def once(arm, density, accuracy):
        return [Point(arm, 0, 0, 1, density, accuracy, {})]

    table = cells(accuracy_table(levels_of(once("dense", 1.0, 0.9) + once("sparse", 0.02, 0.8))))
    assert table == [["%", "kept", "2"], ["dense", "90.0", "at", "100"], ["sparse", "80.0"]]


def test_published_numbers_stand_beside_the_nearest_density_of_ours():
    levels = levels_of(some(seeds=1))
    published = [
        Published("one", 0.45, 0.85, "text"),
        Published("one", 0.38, 0.85),  # neither 0.5 nor 0.25 is within a factor of 1.25
        Published("one", 0.21, 0.6, "data"),
        Published("unknown", 0.5, 0.9),
    ]
    head, *lines = cells(published_table(levels, published))
    assert head[0] == "variant"
    assert lines == [
        ["one", "45", "85.0", "text", "50", "80.0"],
        ["one", "21", "60.0", "data", "25", "70.0"],
    ]
    assert published_table(levels, published[3:]) == published_table(levels, []) == ""


def test_an_arm_that_has_nothing_left_has_no_number_beside_the_paper_s():
    empty = levels_of(some(accuracies=(0.9, 0.1), densities=(1.0, 0.0), seeds=1))
    assert cells(published_table(empty, [Published("one", 1.0, 0.95)]))[1][-2:] == ["100", "90.0"]
    assert published_table(empty[1:], [Published("one", 0.1, 0.5)]) == ""
