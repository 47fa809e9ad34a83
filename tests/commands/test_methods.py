"""The command `bttt methods` with a tiny training run and few steps."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import user_plugins
from commands import bttt, refused
from registries import registries_as_before
from tiny_training import measure_few_positions, train_tiny_networks

TINY = [
    *("methods", "--seeds", "1", "--iterations", "1", "--brick-set", "D4", "--steps", "2"),
    *("--train.selfplay.games", "8", "--train.search.simulations", "2"),
    *("--prune.positions", "300", "--prune.selfplay.games", "16", "--prune.search.simulations", "2"),
    *("--prune.learner.batch", "32", "--networks", "networks", "--runs", "runs", "--out", "out"),
]
FEW = ["--methods", "magnitude", "rigl-erk", "greedy-local"]
POINTS = "arm,seed,part,cycle,kept,accuracy,parameters,macs,sparse macs,training cost\n"


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    measure_few_positions(monkeypatch)
    train_tiny_networks(monkeypatch)


def rows():
    with Path("out/methods.csv").open() as file:
        return {(row["method"], row["on"]): row for row in csv.DictReader(file)}


def test_methods_are_compared_and_join_the_accuracies_of_images(capsys):
    Path("vision").mkdir()
    Path("vision/points.csv").write_text(f"{POINTS}magnitude,0,0,1,0.125,0.8,100,2000,500,1.2\n")
    code, out, _ = bttt(*TINY, *FEW, "--vision", "vision", capsys=capsys)
    assert code == 0
    assert {path.name for path in Path("out").iterdir()} == {
        *(".lock", "methods.csv", "methods.json", "methods.txt")
    }
    found = rows()
    assert set(found) == {("magnitude", "vision"), *((name, "alphazero") for name in FEW[1:])}
    weights, channels = found["rigl-erk", "alphazero"], found["greedy-local", "alphazero"]
    assert float(weights["kept"]) == float(channels["kept"]) == 0.125
    assert float(weights["macs"]) > float(weights["sparse macs"])
    assert float(channels["macs"]) == float(channels["sparse macs"])
    assert Path("out/methods.txt").read_text().strip() in out
    assert json.loads(Path("out/methods.json").read_text())["config"]["steps"] == 2
    before = {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*.safetensors")}
    code, again, _ = bttt(*TINY, *FEW, "--vision", "vision", "--report", capsys=capsys)
    assert code == 0 and again == out
    assert {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*.safetensors")} == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--methods", "rigle-erk"), "unknown method 'rigle-erk' (did you mean 'rigl-erk'?)"),
        (("--methods", "snip", "--study", "self-play"), "unknown method 'snip'"),
        (("--steps", "0"), "steps must be at least 1, got 0"),
        (("--prune.method", "l1"), "--prune.method has no effect here: the study sets it"),
        (("--prune.count", "5"), "--prune.count has no effect here: the study sets it"),
        (("--prune.in-loop",), "--prune.in-loop has no effect here: the study sets it"),
        (("--train.seed", "3"), "--train.seed has no effect here: the study sets it"),
        (("--vision", "nowhere"), "points.csv is not a points.csv of"),
        (("--report",), "nothing is finished yet in runs"),
    ],
)
def test_wrong_input_is_one_line(options, message, capsys):
    assert message in refused(*TINY, *options, capsys=capsys)


def test_methods_of_one_s_own_are_compared_with_the_package_s(capsys):
    shutil.copyfile(user_plugins.__file__, "own_methods.py")
    own = ("python:own_methods:smallest_squares", "python:own_methods:halfway,alpha=0.5")
    with registries_as_before():
        code, out, err = bttt(*TINY, "--methods", "magnitude", *own, capsys=capsys)
    assert code == 0, err
    found = rows()
    same = ("kept", "agreement", "losing seen", "parameters")
    assert {name: found[own[0], "alphazero"][name] for name in same} == {
        name: found["magnitude", "alphazero"][name] for name in same
    }  # squares have the order of absolute values
    assert float(found[own[1], "alphazero"]["kept"]) == pytest.approx(0.125, abs=0.01)
    assert found[own[1], "alphazero"]["paper"] == "your own"
    assert Path("runs/python-own_methods-smallest_squares-base-D4-seed0").is_dir()
    assert all(name in out for name in own)
