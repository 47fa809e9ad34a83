"""A bilevel experiment from its command to its files: resumed, reported, and refused."""

import csv
import json

import pytest
from commands import bttt, refused

from pruning.studies.bilevel.changes import changed
from pruning.studies.bilevel.experiment import BilevelPoint
from pruning.studies.bilevel.recipes import BATCHES, BILEVEL_RECIPES, METHODS, SINGLE
from pruning.studies.bilevel.run import read_points
from pruning.studies.experiment.claims import judge
from pruning.studies.experiment.config import VisionConfig
from pruning.studies.published.catalogue import conduct_recipe
from pruning.studies.published.verdicts import verdict_table

FILES = ("report.txt", "table.csv", "points.csv", "results.json", "figure.png")
ARMS = ("none", "aid-cg")
TINY = {"data_set": "digits", "subset": 80, "epochs": 30, "arms": ARMS}


def conducted(folder, recipe="bilevel/cleaning-mnist", **options):
    return conduct_recipe(VisionConfig(recipe=recipe, out=folder, **{**TINY, **options}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three seeds of hyper-cleaning."""
    return conducted(tmp_path_factory.mktemp("bilevel") / "run")


def table(folder, name):
    with (folder / name).open() as file:
        return list(csv.DictReader(file))


def timeless(points):
    return [(each.arm, each.level, each.seed, each.spent, {**each.metrics, "seconds": 0}) for each in points]


def recipe_of(name, **options):
    return changed(BILEVEL_RECIPES[name], VisionConfig(recipe=name, **{**TINY, **options}))


def test_what_is_stored_has_one_report(folder, capsys):
    before = {name: (folder / name).read_bytes() for name in FILES}
    capsys.readouterr()
    conducted(folder, report=True)
    one = capsys.readouterr().out
    conducted(folder, report=True)
    assert capsys.readouterr().out == one
    assert {name: (folder / name).read_bytes() for name in FILES} == before


def test_it_goes_on_where_it_was_and_comes_to_the_same(folder, tmp_path):
    parts = tmp_path / "parts"
    for options in ({"seeds": 1, "arms": ARMS[:1]}, {"seeds": 2}, {}):
        conducted(parts, **options)
    recipe = recipe_of("bilevel/cleaning-mnist")
    assert timeless(read_points(recipe, parts)) == timeless(read_points(recipe, folder))
    kept, lost = parts / "runs/none-0.1/seed-1.json", parts / "runs/aid-cg-0.4/seed-2.json"
    when = kept.stat().st_mtime_ns
    lost.unlink()
    conducted(parts, workers=2)
    assert timeless(read_points(recipe, parts)) == timeless(read_points(recipe, folder))
    assert kept.stat().st_mtime_ns == when


def test_the_table_is_the_means_of_the_ends(folder):
    points = [each for each in table(folder, "points.csv") if float(each["spent"]) == 1]
    rows = table(folder, "table.csv")
    assert len(points) == 12 and len(rows) == 4
    for row in rows:
        own = [each for each in points if (each["arm"], each["level"]) == (row["arm"], row["level"])]
        for name in ("test accuracy", "validation loss", "AUC", "samples"):
            mean = sum(float(each[name]) for each in own) / 3
            assert float(row[name]) == pytest.approx(mean, rel=1e-4, abs=1e-5)
        assert float(row["test accuracy low"]) <= float(row["test accuracy"])


def test_the_record_and_the_report_say_what_was_done(folder):
    record = json.loads((folder / "results.json").read_text())
    recipe = BILEVEL_RECIPES["bilevel/cleaning-mnist"]
    assert (record["recipe"], record["seeds"]) == (recipe.name, [0, 1, 2])
    assert record["scale"] == "changed: data digits, train 40, validation 40, passes 30, 2 of 13 variants"
    assert [each["claim"] for each in record["claims"]] == [claim.text for claim in recipe.claims]
    assert record["arms"]["aid-cg"]["options"] == recipe.arms["aid-cg"].options
    text = (folder / "report.txt").read_text()
    assert "label noise 0.4" in text and "label noise 0.4: costs" in text and "aid-cg" in text
    assert max(map(len, text.splitlines())) <= 110
    assert "| bilevel: all bilevel methods reach a higher test accuracy" in verdict_table(folder.parent)


@pytest.mark.parametrize("name", BILEVEL_RECIPES)
def test_every_arm_runs(name, tmp_path):
    conducted(tmp_path / "run", name, subset=40, arms=None, seeds=1, epochs=1)
    rows = table(tmp_path / "run", "table.csv")
    assert len(rows) == len(BILEVEL_RECIPES[name].arms) * len(BILEVEL_RECIPES[name].levels)


def test_another_data_set_with_too_few_images_is_halved(tmp_path, capsys):
    conducted(tmp_path / "run", subset=None, arms=("itd",), seeds=1, epochs=1)
    sizes = [int(word) for word in capsys.readouterr().out.split() if word.isdigit()]
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert {config["train"], config["validation"]} <= set(sizes)
    assert 0 <= config["validation"] - config["train"] <= 1 and config["train"] > 600


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "resnet20"}, "cleaning-mnist has no option model, got 'resnet20'"),
        ({"cycles": 2}, "has no option cycles, got 2"),
        ({"device": "cuda"}, "runs only on the cpu, got device 'cuda'"),
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"seeds": 0}, "seeds must be at least 1, got 0"),
        ({"epochs": 0}, "passes must be at least 1, got 0"),
        ({"subset": 1}, "train must be at least 1, got 0"),
        ({"subset": 10_000}, "at least 1 each and at most 14"),
        ({"arms": ("aid-gc",)}, r"unknown variant 'aid-gc' \(did you mean 'aid-cg'\?\); variants of"),
        ({"arms": ()}, "no variant is chosen"),
        ({"data_set": "cifar10", "data": "nowhere"}, "cifar10"),
        ({"report": True}, "contains no experiment to report"),
    ],
)
def test_wrong_options_are_refused_before_a_run(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        conducted(tmp_path / "run", **options)
    assert not (tmp_path / "run" / "runs").exists()


def test_the_command_is_that_of_all_recipes(tmp_path, capsys):
    options = ["--data-set", "digits", "--subset", "40", "--epochs", "8", "--seeds", "1", "--arms", "none"]
    command = ["vision", "bilevel/cleaning-mnist", *options, "--out", tmp_path / "run"]
    code, out, _ = bttt(*command, capsys=capsys)
    assert code == 0 and "bilevel/cleaning-mnist: Yang, Ji and Liang" in out and "NOT TESTABLE" in out
    assert {path.name for path in (tmp_path / "run").iterdir()} >= set(FILES)
    line = refused(*command, "--arms", "nnoe", capsys=capsys)
    assert "unknown variant 'nnoe' (did you mean 'none'?)" in line
    assert "has no option width, got 2.0" in refused(*command, "--width", "2", capsys=capsys)
    line = refused("vision", "bilevel/cleaning-mnits", capsys=capsys)
    assert "unknown recipe 'bilevel/cleaning-mnits' (did you mean 'bilevel/cleaning-mnist'?)" in line


def test_other_settings_need_another_folder(folder):
    with pytest.raises(ValueError, match="holds a run with other settings: passes is 30 there, 31 here"):
        conducted(folder, epochs=31)


@pytest.mark.parametrize("name", BILEVEL_RECIPES)
def test_every_claim_can_be_tested_at_full_scale(name):
    recipe = BILEVEL_RECIPES[name]
    names = ("validation loss", "test accuracy", "refit test accuracy", "AUC")
    points = [
        BilevelPoint(arm, level, seed, 1.0, {metric: 0.5 + 0.01 * seed for metric in names})
        for arm in recipe.arms
        for level in recipe.levels
        for seed in range(recipe.seeds)
    ]
    findings = judge(recipe.claims, points)
    assert findings and all(each.verdict != "not testable" for each in findings)


@pytest.mark.parametrize("name", BILEVEL_RECIPES)
def test_recipes_have_all_methods_and_say_how_they_differ(name):
    recipe = BILEVEL_RECIPES[name]
    assert set(METHODS) == {*BATCHES, *SINGLE} <= recipe.arms.keys()
    assert recipe.name == name and recipe.seeds >= 3 and recipe.note and recipe.claims
    small = recipe.with_changes(recipe.small)
    assert small.samples < recipe.samples and small.arms == recipe.arms
