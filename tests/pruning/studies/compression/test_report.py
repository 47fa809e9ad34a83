import csv
import json
from dataclasses import replace

import pytest
from matplotlib.image import imread
from measured_prunings import level, losing, part, pruning

from pruning.loop.results import GridSearch
from pruning.studies.compression.config import CompressionConfig
from pruning.studies.compression.rates import level_rates
from pruning.studies.compression.report import compared, publish

CONFIG = CompressionConfig(sets=("D4",), control_sets=("D4",), arms=("dropnet-layer", "magnitude", "oracle"))
WINS = part("wins")
SEARCH = part(simulations=100)
GRID = GridSearch(((0.003, 0.5), (0.006, 0.4)), best=0.003, interval=(0.003, 0.003))


def study():
    def hits_at(number):
        hits = {"D4": 10 + number, "A1": 10 + 2 * number}
        return {part(): hits, WINS: {"D4": 90, "A1": 90 - number}, SEARCH: {"D4": 1, "A1": number}}

    def oracle_levels():
        return [level(0), level(1, 500, grid=GRID), level(2, 250, grid=GRID)]

    first = [pruning(*map(hits_at, range(3)), seed=seed) for seed in (0, 1)]
    controls = [
        losing(*[{"D4": 10, "A1": 10}] * 3, arm="magnitude"),
        losing(*[{"D4": 10, "A1": 12}] * 3, arm="oracle", levels=oracle_levels()),
    ]
    return [*first, *controls]


def rows(folder):
    return list(csv.DictReader((folder / "compression.csv").open()))


def test_rates_costs_and_counts_are_written_and_told(tmp_path, capsys):
    publish(tmp_path, CONFIG, study())
    out = capsys.readouterr().out
    names = ("compression.csv", "compression.json", "compression.txt", "compression.png", "arms.png")
    assert out.rstrip().endswith(f"written: {' '.join(str(tmp_path / name) for name in names)}")
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    assert out.startswith((tmp_path / "compression.txt").read_text())
    (row,) = (
        row
        for row in rows(tmp_path)
        if (row["arm"], row["level"], row["measure"], row["simulations"], row["novelty"])
        == ("dropnet-layer", "2", "losing", "0", "novel")
    )
    assert (row["rate"], row["share"], row["parameters"], row["seeds"]) == ("0.14", "0.25", "250", "2")
    for told in (
        "variants that prune weights",
        "Does the error rate rise earlier",
        "D4 raw: excess",
        "SILO's peak is inside",
    ):
        assert told in out
    stored = json.loads((tmp_path / "compression.json").read_text())
    assert stored["config"]["sets"] == ["D4"] and stored["packages"]["torch"]
    assert stored["config"]["runs"] == "runs/compression"
    assert [each["name"] for each in stored["prunings"]][1:3] == [
        *("dropnet-layer-base-D4-seed1", "magnitude-base-D4-seed0")
    ]
    assert stored["boards"]["losing on single"] == ["7x7x4:D4", "7x7x4:A1"]
    counts = [each for each in stored["counts"] if each["pruning"] == "dropnet-layer-base-D4-seed0"]
    assert len(counts) == 9 and counts[6]["hits"] == [12, 14] and counts[6]["level"] == 2
    assert counts[6]["trials"] == counts[6]["distinct"] == 100  # on all boards
    grids = [each["grid"] for each in stored["levels"] if "grid" in each]
    assert grids == [[[0.003, 0.5], [0.006, 0.4]]] * 2


def test_the_same_measurements_give_the_same_csv(tmp_path, capsys):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        publish(tmp_path / name, CONFIG, study())
    contents = {(tmp_path / name / "compression.csv").read_bytes() for name in ("one", "two")}
    assert len(contents) == 1
    assert len(rows(tmp_path / "one")) == len(level_rates(study()))


def test_one_arm_has_no_picture_of_arms(tmp_path, capsys):
    publish(tmp_path, replace(CONFIG, arms=("dropnet-layer",)), study()[:2])
    assert "arms.png" not in capsys.readouterr().out and not (tmp_path / "arms.png").exists()


def cut(measured, levels):
    return replace(measured, levels=measured.levels[:levels], counts=measured.counts[:levels])


def test_arms_are_compared_on_the_sets_seeds_and_levels_that_controls_have():
    measured = study()
    assert compared(CONFIG, measured) == measured
    assert compared(replace(CONFIG, control_seeds=1), measured) == [measured[0], *measured[2:]]
    assert compared(CONFIG, measured[:2]) == []
    assert compared(replace(CONFIG, control_sets=("R3",)), measured) == []
    short = [cut(each, 2) for each in measured]
    assert compared(CONFIG, [*measured[:2], *short[2:]]) == short
    assert compared(CONFIG, [*measured[:3], short[3]]) == [*measured[:3], short[3]]


@pytest.mark.parametrize("levels", [1, 3])
def test_pictures_show_one_level_and_several(levels, tmp_path, capsys):
    publish(tmp_path, CONFIG, [cut(each, levels) for each in study()])
    assert (tmp_path / "arms.png").exists()
    red, _, blue = imread(tmp_path / "compression.png")[..., :3].reshape(-1, 3).T
    orange, blues = (red > blue + 0.5).sum(), (blue > red + 0.5).sum()
    assert min(orange, blues) > 50  # novel and training cells
