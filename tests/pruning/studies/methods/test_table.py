"""The joint table: means over seeds for both networks; missing measurements are omitted."""

import pytest

from pruning.studies.methods.arms import METHODS_COMPARED
from pruning.studies.methods.table import MeasuredNetwork, table, vision_points

POINTS = """arm,seed,part,cycle,kept,accuracy,parameters,macs,sparse macs,training cost
magnitude,0,0,0,1,0.9,100,2000,2000,1
magnitude,0,0,1,0.125,0.8,100,2000,500,0.25
magnitude,1,0,0,1,0.9,100,2000,2000,1
dropnet,1,0,2,0.25,0.7,40,600,600,0.5
dropnet,1,0,3,0.125,0.6,20,300,300,0.125
"""


def network(method, on, seed, **values):
    return MeasuredNetwork(method, on, seed, values)


def test_a_row_has_means_and_halves_of_intervals_over_the_seeds():
    found = [
        network("snip", "vision", seed, kept=0.125, accuracy=accuracy, macs=4000.0, training=0.5)
        for seed, accuracy in enumerate((0.70, 0.72, 0.74))
    ]
    found.append(network("magnitude", "alphazero", 0, kept=0.125, **{"losing novel": 0.081}))
    head, magnitude, snip = table(METHODS_COMPARED, found).splitlines()
    # Student's t of two degrees is 4.303, and the spread 2 points: 4.303 * 2 / sqrt(3)
    assert snip.split() == ["snip", "weights", "initial", "12.5", "4k", "0.50x", "72.0", "±5.0", "-", "-"]
    assert magnitude.split() == ["magnitude", "weights", "trained", "-", "-", "-", "-", "12.5", "8.1"]
    assert "error %, raw, seen" not in head and "error %, raw, novel" in head


def test_rows_stand_in_the_order_of_the_methods():
    found = [network(name, "vision", 0, accuracy=0.5) for name in reversed(METHODS_COMPARED)]
    names = [line.split()[0] for line in table(METHODS_COMPARED, found).splitlines()[1:]]
    assert names == list(METHODS_COMPARED)


def test_the_last_network_of_a_finished_vision_run_counts_and_the_cost_of_all(tmp_path):
    (tmp_path / "points.csv").write_text(POINTS)
    one, two = vision_points(tmp_path)
    assert (one.method, one.seed, one.values["accuracy"], one.values["training"]) == (
        "magnitude",
        0,
        0.8,
        1.25,
    )
    assert (two.method, two.seed, two.values["kept"], two.values["training"]) == ("dropnet", 1, 0.125, 0.625)


@pytest.mark.parametrize("content", [None, "rubbish\n1\n", POINTS.replace("0.6,20", "x,20")])
def test_a_folder_without_points_is_refused(content, tmp_path):
    if content is not None:
        (tmp_path / "points.csv").write_text(content)
    with pytest.raises(ValueError, match=r"points\.csv is not a points.csv of `bttt vision methods"):
        vision_points(tmp_path)
