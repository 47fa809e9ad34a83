"""The report of an experiment is made from stored results only, and is the same each time."""

import csv
import json

import pytest
from tiny_vision import TINY, conducted

from pruning.studies.experiment.config import VisionConfig
from pruning.studies.published.catalogue import conduct_recipe, find_recipe
from pruning.studies.vision.changes import changed
from pruning.studies.vision.recipes import VISION_RECIPES

FILES = ("report.txt", "table.csv", "points.csv", "results.json", "figure.png")
SETTINGS = {"width": 1.0, "subset": 100, "seeds": 3, "cycles": 2, "epochs": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three seeds of rewinding and new initial weights."""
    return conducted("dropnet/reinit-a20", tmp_path_factory.mktemp("report") / "run", **SETTINGS)


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


def table(folder, name):
    with (folder / name).open() as file:
        return list(csv.DictReader(file))


def test_what_is_stored_has_one_report(folder, capsys):
    before = contents(folder)
    capsys.readouterr()
    conducted("dropnet/reinit-a20", folder, **SETTINGS, report=True)
    one = capsys.readouterr().out
    conducted("dropnet/reinit-a20", folder, **SETTINGS, report=True)
    assert capsys.readouterr().out == one
    assert contents(folder) == before


def test_the_table_is_the_means_of_the_points(folder):
    points = table(folder, "points.csv")
    assert len(points) == 2 * 3 * 3
    for row in table(folder, "table.csv"):
        own = [
            float(point["accuracy"])
            for point in points
            if (point["arm"], point["cycle"]) == (row["arm"], row["cycle"])
        ]
        assert len(own) == int(row["seeds"]) == 3
        assert float(row["accuracy"]) == pytest.approx(sum(own) / 3, abs=1e-5)
        assert float(row["low"]) <= float(row["accuracy"]) <= float(row["high"])


def test_the_points_tell_their_costs_and_trainings(folder):
    wanted = {"parameters", "macs", "peak lr", "epochs", "diverged", "training loss", "test loss", "seconds"}
    points = table(folder, "points.csv")
    assert wanted <= points[0].keys()
    assert all(int(float(point["epochs"])) == 3 for point in points if point["cycle"] != "0")


def test_the_record_says_how_to_make_it_again_and_what_became_of_the_claims(folder):
    record = json.loads((folder / "results.json").read_text())
    recipe = find_recipe("dropnet/reinit-a20")
    assert (record["recipe"], record["paper"], record["seeds"], record["cycles"]) == (
        *("dropnet/reinit-a20", recipe.paper),
        *([0, 1, 2], 2),
    )
    assert record["settings"]["training"]["epochs"] == 3 and record["arms"].keys() == recipe.arms.keys()
    assert record["arms"]["minimum-reinit"]["follows"] == "minimum"
    assert [claim["claim"] for claim in record["claims"]] == [claim.text for claim in recipe.claims]
    assert record["environments"][0]["packages"]["torch"]


def test_the_report_says_at_which_scale_and_what_the_claims_came_to(folder):
    report = (folder / "report.txt").read_text()
    record = json.loads((folder / "results.json").read_text())
    head = " ".join(report.split("\n\n")[0].split())
    assert record["scale"].startswith("changed: ")
    for change in ("data digits", "subset 100", "epochs 3"):
        assert change in record["scale"] and change in head
    assert "fraction" not in record["scale"]  # the paper's
    told = " ".join(report.split())
    for claim in record["claims"]:
        assert f"{claim['verdict'].upper()}: {claim['claim']} [" in told
    assert "the paper's numbers next to ours" not in report  # whose data are not digits
    assert max(map(len, report.splitlines())) <= 110


@pytest.mark.parametrize("recipe", VISION_RECIPES)
def test_the_scale_of_a_small_run_is_all_that_is_small(recipe, tmp_path):
    chosen = find_recipe(recipe)
    found = changed(chosen, VisionConfig(recipe=recipe, small=True, data=tmp_path))
    assert found.settings() == chosen.with_changes(chosen.small).settings()
    own = changed(chosen, VisionConfig(recipe=recipe, data=tmp_path))
    assert own.settings() == chosen.settings() and own == chosen


def test_options_stand_above_those_of_the_small_scale():
    chosen = find_recipe("tickets/resnet20-cifar10")
    config = VisionConfig(
        recipe=chosen.name, small=True, data_set="cifar100", width=1.0, epochs=2, arms=("weak-imp",)
    )
    found = changed(chosen, config)
    assert (found.data, found.width, found.training.epochs) == ("cifar100", 1.0, 2)
    assert list(found.arms) == ["weak-imp"]
    assert (found.model, found.subset, found.training.precision) == ("resnet8", 1500, "bfloat16")


def test_settings_decide_the_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tiny = {**TINY, "subset": 100, "cycles": 0, "arms": ("minimum",)}
    folders = [
        conduct_recipe(VisionConfig(recipe="dropnet/reinit-a20", **{**tiny, **more}))
        for more in ({}, {"seeds": 2}, {"cycles": 1}, {"width": 0.2})
    ]
    assert folders[0] == folders[1] == folders[2] != folders[3]
    assert all(
        folder.parts[0] == "runs" and "vision-dropnet-reinit-a20-" in folder.name for folder in folders
    )


def test_a_report_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="contains no experiment to report"):
        conducted("dropnet/reinit-a20", tmp_path / "run", report=True)
