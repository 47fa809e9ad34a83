"""The command `bttt compression` with a tiny training, one pruning cycle and few positions."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import user_plugins
from commands import bttt, refused
from registries import registries_as_before
from tiny_lines import without
from tiny_training import measure_few_positions, train_tiny_networks

TINY = [
    *("compression", "--sets", "D4", "--seeds", "1", "--control-sets", "D4", "--iterations", "1"),
    *("--train.selfplay.games", "8", "--train.search.simulations", "2"),
    *("--simulations", "0", "2", "--positions", "1", "--games", "1"),
    *("--prune.cycles", "1", "--prune.steps", "3", "--prune.positions", "300"),
    *("--prune.selfplay.games", "16", "--prune.search.simulations", "2"),
    *("--networks", "networks", "--runs", "runs", "--out", "out"),
]
STUDY = ["--arms", "dropnet-layer", "silo-step", "magnitude"]
FILES = {".lock", "compression.csv", "compression.json", "compression.txt", "compression.png", "arms.png"}


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    measure_few_positions(monkeypatch)
    train_tiny_networks(monkeypatch)


def test_a_study_is_trained_pruned_measured_written_and_reported(capsys):
    code, out, _ = bttt(*TINY, *STUDY, capsys=capsys)
    assert code == 0
    assert {path.name for path in Path("out").iterdir()} == FILES
    arms = STUDY[1:]
    assert {path.name for path in Path("runs").iterdir()} == {f"{arm}-base-D4-seed0" for arm in arms}
    _check_rows(arms)
    _check_reported(out, capsys)


def _check_rows(arms):
    keys = ("arm", "level", "measure", "simulations", "novelty")
    with Path("out/compression.csv").open() as file:
        found = {tuple(row[key] for key in keys): row for row in csv.DictReader(file)}
    assert {key[0] for key in found} == set(arms) and {key[1] for key in found} == {"0", "1"}
    assert {key[0] for key in found if key[3] == "2"} == {"dropnet-layer"}
    seen, novel, wins = (
        found["dropnet-layer", "1", *key]
        for key in (("losing", "0", "seen"), ("losing", "2", "novel"), ("wins", "0", "all"))
    )
    assert (seen["trials"], novel["trials"], wins["trials"]) == ("200", "48", "49")
    levels = [found["dropnet-layer", level, "losing", "0", "all"] for level in "01"]
    fewer = int(levels[1]["parameters"]) / int(levels[0]["parameters"])
    assert fewer < 0.8 and float(levels[1]["share"]) == pytest.approx(fewer, abs=1e-6)
    pruned = found["magnitude", "1", "losing", "0", "all"]
    assert pruned["parameters"] == levels[0]["parameters"]
    assert float(pruned["share"]) == pytest.approx(0.8, abs=5e-4)  # some 1,000 weights: a fifth, rounded
    hits = [
        sum(each["hits"])
        for each in json.loads(Path("out/compression.json").read_text())["counts"]
        if (each["pruning"], each["level"], each["measure"]) == ("magnitude-base-D4-seed0", 1, "losing")
    ]
    assert hits == [round(float(pruned["rate"]) * int(pruned["trials"]))]


def _check_reported(out, capsys):
    content = Path("out/compression.csv").read_bytes()
    before = {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*.safetensors")}
    more = ("--arms", *STUDY[1:], "rewind", "--sets", "D4", "R3", "--report")
    code, again, _ = bttt(*TINY, *more, capsys=capsys)
    assert code == 0 and again == out
    assert Path("out/compression.csv").read_bytes() == content
    assert {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*.safetensors")} == before
    controls_first = ("--arms", "magnitude", "dropnet-layer", "--report", "--out", "other")
    code, text, _ = bttt(*TINY, *controls_first, capsys=capsys)
    assert code == 0 and "The measurements of magnitude, the first variant, are not complete yet" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--arms", "dropnet-layr", "none"],
            "unknown variant 'dropnet-layr' (did you mean 'dropnet-layer'?); variants are dropnet-layer,",
        ),
        (["--arms", "rewind", "rewind"], "variant 'rewind' is named twice"),
        (["--arms"], "no variant is chosen"),
        (["--control-sets", "R3"], "control set 'R3' must be one of the sets, D4"),
        (["--sets", "D4", "Z9"], "brick set 'Z9'"),
        (["--seeds", "0"], "seeds must be at least 1, got 0"),
        (["--control-simulations"], "--control-simulations must have at least one entry"),
        (["--simulations", "-1"], "simulations must be 0 to 1000000, got -1"),
        (["--report"], "nothing is measured yet in runs"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, capsys):
    assert message in refused(*TINY, *arguments, capsys=capsys)


def test_a_method_of_one_s_own_is_a_variant(capsys):
    shutil.copyfile(user_plugins.__file__, "own_variants.py")
    own = "python:own_variants:smallest_squares"
    tiny = without(TINY, "--positions")  # nothing is searched
    with registries_as_before():
        code, out, err = bttt(*tiny, "--simulations", 0, "--arms", "magnitude", own, capsys=capsys)
    assert code == 0, err
    with Path("out/compression.csv").open() as file:
        rates = {
            (row["arm"], row["level"], row["measure"], row["novelty"]): row["rate"]
            for row in csv.DictReader(file)
        }
    for group in ("seen", "novel"):  # squares have the order of absolute values
        assert rates[own, "1", "losing", group] == rates["magnitude", "1", "losing", group]
    assert own in out and Path("out/arms.png").exists()
    assert Path("runs/python-own_variants-smallest_squares-base-D4-seed0").is_dir()
