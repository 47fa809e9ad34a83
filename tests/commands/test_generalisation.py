"""The command `bttt generalisation` with tiny training runs, few cells and few simulations."""

import csv
import json
from pathlib import Path

import pytest
from commands import bttt, refused
from tiny_training import train_tiny_networks

TINY = [
    *(
        "generalisation",
        "--iterations",
        "1",
        "--train.selfplay.games",
        "8",
        "--train.search.simulations",
        "2",
    ),
    *("--seeds", "1", "--simulations", "0", "2", "--games", "1", "--positions", "2", "--cells", "D4", "A1"),
    *("--suites", "drawn", "--boards", "4x4x4", "--conversion-seeds", "0", "--out", "out", "--runs", "runs"),
]
STUDY = ["--sets", "D4", "2", "--variants", "base", "aug-none"]
FILES = {".lock", "generalisation.csv", "generalisation.json", "generalisation.png", "cells.png"}


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train_tiny_networks(monkeypatch)


def rows():
    return list(csv.DictReader(Path("out/generalisation.csv").open()))


def tables(out):
    return out[: out.index("written:")]


def test_a_study_is_trained_measured_written_continued_and_reported(capsys):
    code, out, _ = bttt(*TINY, *STUDY, capsys=capsys)
    assert code == 0
    drawn = json.loads(Path("runs/base-2-seed0/config.json").read_text())["bricks"]
    assert "controls, novel cells" in out and f"2 cells of seed 0: {' '.join(drawn)}\n" in out
    assert {path.name for path in Path("out").iterdir()} == FILES
    assert {path.name for path in Path("runs").iterdir()} == {
        *("base-D4-seed0", "base-2-seed0", "aug-none-D4-seed0")
    }
    _check_rows()
    _check_counts()
    _check_nothing_is_done_again(out, capsys)
    _check_lost_measurements_are_made_again(out, capsys)


def _check_rows():
    found = {}
    for row in rows():
        key = (
            row["variant"],
            row["brick_set"],
            row["measure"],
            row["on"],
            row["simulations"],
            row["novelty"],
        )
        assert key not in found
        found[key] = row
    seen, novel = (found["base", "D4", "losing", "single", "0", name] for name in ("seen", "novel"))
    assert (seen["boards"], seen["trials"], novel["trials"]) == ("1", "200", "200")
    assert found["base", "D4", "losing", "single", "2", "novel"]["trials"] == "2"
    assert found["base", "D4", "wins", "single", "0", "all"]["trials"] == "2"
    assert found["base", "2", "losing", "drawn", "2", "all"]["trials"] == "400"
    assert found["base", "2", "wins", "4x4x4", "0", "all"]["trials"] == "16"
    assert {key[1] for key in found if key[0] == "aug-none"} == {"D4"}


def _check_counts():
    stored = json.loads(Path("out/generalisation.json").read_text())
    assert stored["config"]["sets"] == ["D4", "2"] and stored["packages"]["torch"]
    for row in rows():
        if row["novelty"] != "all":
            continue
        same = {"variant": "variant", "brick_set": "set", "measure": "measure", "on": "on"}
        counts = next(
            each
            for each in stored["counts"]
            if all(row[one] == each[other] for one, other in same.items())
            and row["simulations"] == str(each["simulations"])
        )
        assert len(counts["hits"]) == len(stored["boards"][f"{row['measure']} on {row['on']}"])
        assert int(row["trials"]) == sum(counts["trials"])
        assert float(row["rate"]) == pytest.approx(sum(counts["hits"]) / sum(counts["trials"]), abs=1e-6)
    networks = {(each["variant"], each["brick_set"]): each for each in stored["networks"]}
    assert len(networks) == 3 and networks["aug-none", "D4"]["training"]["iteration"] == 1
    drawn = networks["base", "2"]["bricks"]
    assert json.loads(Path("runs/base-2-seed0/config.json").read_text())["bricks"] == drawn


def _check_nothing_is_done_again(out, capsys):
    kept = [*Path("runs").glob("*/evaluation.json"), *Path("runs").glob("*/network.safetensors")]
    assert len(kept) == 6
    before = {path: path.stat().st_mtime_ns for path in kept}
    content = Path("out/generalisation.csv").read_bytes()
    reported = bttt(
        *TINY, "--sets", "D4", "2", "R2", "--variants", "base", "aug-none", "--report", capsys=capsys
    )
    assert reported[0] == 0 and tables(reported[1]) == tables(out)
    assert Path("out/generalisation.csv").read_bytes() == content
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert not Path("runs/base-R2-seed0").exists()


def _check_lost_measurements_are_made_again(out, capsys):
    path = Path("runs/base-D4-seed0/evaluation.json")
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "parts": stored["parts"][:3]}))
    networks = {each: each.stat().st_mtime_ns for each in Path("runs").glob("*/network.safetensors")}
    _, text, err = bttt(*TINY, *STUDY, capsys=capsys)
    assert "measurements found in runs; " in err and " more were made\n" in err
    assert {each: each.stat().st_mtime_ns for each in networks} == networks  # not trained again
    assert tables(text) == tables(out)
    assert json.loads(path.read_text()) == stored


def test_another_training_in_the_same_folder_is_one_line(capsys):
    command = [*TINY, "--sets", "D4", "--variants", "base"]
    assert bttt(*command, capsys=capsys)[0] == 0
    code, _, err = bttt(*command, "--train.plies", 9, capsys=capsys)
    assert code == 2 and "holds a run with other settings: plies is 8 there" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sets", "Z9"], "brick set 'Z9'"),
        (["--sets", "50"], "a training set must have 1 to 49 cells, got 50"),
        (["--variants", "papre"], "unknown variant 'papre'"),
        (["--control-sets", "D4", "D4"], "control set 'D4' is named twice"),
        (["--control-sets", "D5"], "control set 'D5' must be one of the sets, D4, R2, R3"),
        (["--seeds", "0"], "seeds must be at least 1, got 0"),
        (["--workers", "0"], "workers must be at least 1, got 0"),
        (["--simulations", "-1"], "simulations must be 0 to 1000000, got -1"),
        (["--simulations"], "simulations must have at least one entry"),
        (["--suites", "single"], "unknown suite 'single'"),
        (["--boards", "7x7x4"], "boards must differ from 7x7x4"),
        (["--boards", "9x9x4"], "9x9"),
        (["--sets", "none"], "sets must have one brick per board"),
        (["--cells", "D4+E5"], "cells must be sets of single bricks"),
        (["--train.seed", "3"], "--train.seed has no effect here: the study sets it"),
        (["--train.board", "6x6x4"], "train.board must be 7x7x4"),
        (["--iterations", "0"], "iterations must be above 0"),
        (["--report"], "no measurements yet in runs"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, capsys):
    assert message in refused(*TINY, *arguments, capsys=capsys)
