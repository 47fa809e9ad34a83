"""The command `bttt vision`: one cycle of every recipe, equal results however it is run, invalid input."""

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import bttt, refused
from tiny_data import write_idx_set

from pruning.studies.published.catalogue import RECIPES as ALL_RECIPES
from pruning.studies.vision.recipes import VISION_RECIPES

TINY = [
    *("--data-set", "digits", "--subset", "100", "--width", "0.1", "--seeds", "1"),
    *("--cycles", "1", "--epochs", "1", "--out", "run"),
]
REINIT = ["vision", "dropnet/reinit-a20", *TINY]
FILES = {"config.json", "environment.json", "report.txt", "table.csv", "points.csv", "results.json"}


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BTTT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # it may hold other data sets


def rows(folder="run", name="points.csv"):
    """A table without the columns that differ from run to run."""
    with Path(folder, name).open() as file:
        return [{**row, "seconds": ""} for row in csv.DictReader(file)]


def weights(folder="run"):
    return {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*.safetensors")}


@pytest.mark.parametrize("recipe", VISION_RECIPES)
def test_each_recipe_runs_for_a_cycle_and_reports(recipe, capsys):
    wider = ["--width", "0.5"] if recipe.startswith("rigl/") else []  # each layer needs a weight
    code, out, err = bttt("vision", recipe, "--small", *TINY, *wider, capsys=capsys)
    assert code == 0, err
    small = VISION_RECIPES[recipe].with_changes({**VISION_RECIPES[recipe].small, "cycles": 1})
    written = {path.name for path in Path("run").iterdir() if path.is_file()} - {".lock"}
    assert written == {*FILES, "figure.png", *small.pictures}
    found = rows()
    plans = {
        (arm, part): small.plan_of(settings, part, 0)
        for arm, settings in small.arms.items()
        for part in range(max(1, len(settings.parts)))
    }
    wanted = {
        (arm, str(part), str(cycle))
        for (arm, part), plan in plans.items()
        for cycle in range(plan.start.untrained, plan.stop.cycles + 1)
    }
    assert {(row["arm"], row["part"], row["cycle"]) for row in found} == wanted
    assert all(0 <= float(row["accuracy"]) <= 1 and row["seed"] == "0" for row in found)
    # one step is too few for gradual pruning
    few = {key for key, plan in plans.items() if plan.scoring.topology == "gradual"}
    dropping = {key for key, plan in plans.items() if plan.amount.drops} - few
    pruned = [row for row in found if row["cycle"] == "1" and (row["arm"], int(row["part"])) in dropping]
    assert pruned and all(float(row["kept"]) < 1 for row in pruned)
    record = json.loads(Path("run/results.json").read_text())
    assert [claim["claim"] for claim in record["claims"]] == [claim.text for claim in small.claims]
    assert {claim["verdict"] for claim in record["claims"]} == {"not testable"}  # of one seed
    assert record["settings"]["data"] == "digits" and record["recipe"] == recipe
    report = Path("run/report.txt").read_text()
    assert recipe in report and "NOT TESTABLE" in report and "scale     small: " in report
    assert all(arm in out for arm in small.arms)


def test_the_list_names_every_recipe(capsys):
    for arguments in (["--list"], []):
        code, out, _ = bttt("vision", *arguments, capsys=capsys)
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()[1:]] == list(ALL_RECIPES)
    assert not any(Path().iterdir())


def test_two_workers_find_what_one_finds(capsys):
    for workers in ("1", "2"):
        arguments = [*REINIT[:-1], f"run{workers}", "--seeds", "2", "--workers", workers]
        assert bttt(*arguments, capsys=capsys)[0] == 0
    assert rows("run1") == rows("run2") and len(rows("run1")) == 8
    assert rows("run1", "table.csv") == rows("run2", "table.csv")


def test_the_same_again_trains_nothing_and_more_seeds_go_on(capsys):
    _, first, _ = bttt(*REINIT, capsys=capsys)
    before, table = weights(), rows()
    code, again, err = bttt(*REINIT, capsys=capsys)
    assert " measured points found in run; nothing was run\n" in err
    assert (code, again, weights(), rows()) == (0, first, before, table)
    assert bttt(*REINIT, "--report", capsys=capsys)[1] == first
    code, _, _ = bttt(*REINIT, "--seeds", "3", "--cycles", "2", capsys=capsys)
    assert code == 0
    dense = {path: changed for path, changed in before.items() if path.name == "cycle-00.safetensors"}
    assert len(dense) == 3 and dense.items() <= weights().items()  # not trained again
    assert {(row["seed"], row["cycle"]) for row in rows()} == {(s, c) for s in "012" for c in "012"}
    ours = [row for row in rows() if row["seed"] == "0" and row["cycle"] in "01"]
    assert sorted(map(str, ours)) == sorted(map(str, table))


def test_a_killed_experiment_goes_on_to_the_same_results(capsys):
    arguments = [*REINIT, "--width", "1", "--cycles", "3", "--epochs", "3", "--seeds", "2"]
    assert bttt(*arguments, capsys=capsys)[0] == 0
    killed = [*arguments, "--out", "killed"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bttt", *killed], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not list(Path("killed").rglob("cycle-01.safetensors")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert len(weights("killed")) < len(weights("run"))
    assert bttt(*killed, capsys=capsys)[0] == 0
    assert rows("killed") == rows("run")


def test_without_a_data_folder_the_data_are_digits_whole_or_as_many_as_said(capsys):
    options = ["--width", "0.1", "--seeds", "1", "--cycles", "0", "--epochs", "1", "--arms", "minimum"]
    for more, subset in (([], None), (["--small"], None), (["--subset", "90"], 90)):
        folder = f"run{len(more)}"
        code, out, err = bttt("vision", "dropnet/a-mnist", *options, *more, "--out", folder, capsys=capsys)
        assert code == 0, err
        settings = json.loads(Path(folder, "config.json").read_text())
        assert (settings["data"], settings["subset"]) == ("digits", subset)
        assert "data digits" in settings["scale"] and "data      digits" in out


def test_a_data_folder_is_taken_from_the_option_or_the_variable(capsys, monkeypatch):
    write_idx_set(Path("data/MNIST/raw"), 300, 60)
    options = ["--width", "0.1", "--seeds", "1", "--cycles", "0", "--epochs", "1", "--arms", "minimum"]
    assert bttt("vision", "dropnet/a-mnist", *options, "--data", "data", "--out", "a", capsys=capsys)[0] == 0
    monkeypatch.setenv("BTTT_DATA", "data")
    assert bttt("vision", "dropnet/a-mnist", *options, "--out", "b", capsys=capsys)[0] == 0
    assert rows("a") == rows("b")
    assert json.loads(Path("b/config.json").read_text())["data"] == "mnist"


def test_a_folder_of_other_settings_is_refused_and_stays(capsys):
    bttt(*REINIT, capsys=capsys)
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    for changes, told in (
        (["--width", "0.2"], "width is 0.1 there, 0.2 here; choose another --out"),
        (["--subset", "90"], "subset is 100 there, 90 here; choose another --out"),
        (["--epochs", "2"], "run with other settings: training is"),
    ):
        assert told in refused(*REINIT, *changes, capsys=capsys)
    assert {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()} == before


def test_a_corrupt_cycle_is_one_line(capsys):
    bttt(*REINIT, capsys=capsys)
    path = Path("run/runs/minimum-0/seed-0/cycle-01.safetensors")
    path.write_bytes(path.read_bytes()[:50])
    for more in ([], ["--report"]):
        assert "cycle-01.safetensors is corrupt" in refused(*REINIT, *more, capsys=capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nope"], "unknown model 'nope'"),
        (["--data-set", "cats"], "no data set 'cats'; the data sets are digits, mnist"),
        (
            ["--data-set", "mnist"],
            "give a data folder by --data or BTTT_DATA, add --download, or get it from",
        ),
        (
            ["--data-set", "mnist", "--data", "none"],
            "no mnist: none/MNIST/raw/train-images-idx3-ubyte is missing",
        ),
        (["--width", "0"], "width must be above 0 and at most 16, got 0.0"),
        (["--subset", "0"], "subset must be at least 1, got 0"),
        (["--subset", "4"], "4 training images of digits leave none for validation"),
        (["--classes", "0"], "classes must be 1 to 10, got 0"),
        (["--arms", "minimun"], "unknown variant 'minimun' (did you mean 'minimum'?)"),
        (
            ["--arms", "minimum-reinit"],
            "'minimum-reinit' trains the masks of 'minimum', which must be chosen too",
        ),
        (["--arms"], "no variant is chosen"),
        (["--seeds", "0"], "seeds must be at least 1, got 0"),
        (["--cycles", "-1"], "cycles must be a whole number, at least 0, got -1"),
        (["--epochs", "0"], "epochs must be at least 1, got 0"),
        (["--batch", "0"], "batch must be at least 1, got 0"),
        (["--precision", "float16"], "--precision must be float32 or bfloat16, got 'float16'"),
        (["--device", "tpu"], "device must be cpu, cuda, or one GPU, for example cuda:1; got 'tpu'"),
        (["--workers", "0"], "workers must be at least 1, got 0"),
        (["--workers", "many"], "many"),
        (["--report"], "run contains no experiment to report"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, capsys):
    assert message in refused(*REINIT, *arguments, capsys=capsys)


def test_an_unknown_recipe_is_one_line(capsys):
    line = refused("vision", "dropnet/a-minst", capsys=capsys)
    assert "unknown recipe 'dropnet/a-minst' (did you mean 'dropnet/a-mnist'?); recipes are" in line


def test_an_error_in_a_worker_is_one_line_too(capsys):
    assert "unknown model 'nope'" in refused(*REINIT, "--model", "nope", "--workers", "2", capsys=capsys)


def test_the_help_says_what_there_is(capsys):
    code, out, _ = bttt("vision", "--help-all", capsys=capsys)
    assert code == 0
    assert all(option in out for option in ("--small", "--subset", "--workers", "--device", "--report"))
