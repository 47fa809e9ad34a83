"""The command `bttt bricks` with a tiny budget: its files, a rerun, and invalid input."""

import csv
import json

import pytest
from commands import bttt, refused

from bttt.__main__ import main

TINY = [
    *(
        "bricks",
        "alphazero:d4",
        "--candidates",
        "A1",
        "A4",
        "C3",
        "C4",
        "--positions",
        "40",
        "--fitted",
        "30",
    ),
    *("--held", "5", "--suite", "1", "--seeds", "1", "--splits", "1", "--steps", "2", "--outer", "2"),
    *("--learner.batch", "16", "--selfplay.games", "32", "--search.simulations", "2", "--l2", "0.1"),
]


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("bricks") / "run"
    assert main([*TINY, "--out", str(folder)]) == 0
    return folder


def test_a_run_leaves_what_belongs_to_it(run):
    files = {"bricks.csv", "bricks.json", "bricks.png", "config.json", "environment.json", "report.txt"}
    assert {path.name for path in run.iterdir()} == {*files, ".lock", "seed-0"}
    assert {path.name for path in (run / "seed-0").iterdir()} == {
        *("learn.npz", "held.npz", "split-0a.json", "split-0b.json"),
        *(f"retrained-{name}.json" for name in ("base", "A1", "A4", "C3", "C4")),
    }
    record = json.loads((run / "bricks.json").read_text())
    assert record["command"] and record["date"] and record["config"]["seeds"] == 1
    assert (run / "bricks.png").read_bytes().startswith(b"\x89PNG")


def test_rows_are_the_candidates_with_their_weights_and_gains(run):
    with (run / "bricks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["candidate"] for row in rows} == {"A1", "A4", "C3", "C4"}
    parts = {path.name: json.loads(path.read_text()) for path in (run / "seed-0").glob("*.json")}
    for half in ("split-0a", "split-0b"):
        own = [row for row in rows if row["choice"] == half]
        assert sum(float(row["learned weights"]) for row in own) == pytest.approx(1)
        held = parts[f"{half}.json"]["held"]
        assert len(held) == 48 - 8 and not {row["candidate"] for row in own} & set(held)
        for row in own:
            base, found = (parts[f"retrained-{name}.json"]["loss"] for name in ("base", row["candidate"]))
            gain = sum(base[cell] - found[cell] for cell in held) / len(held)
            assert float(row["gain loss"]) == pytest.approx(gain)
            assert row["gain loss, other seeds"] == ""


def test_the_same_command_again_finds_all_and_makes_again_what_is_missing(run, capsys):
    removed = [run / "seed-0" / name for name in ("retrained-C3.json", "split-0a.json")]
    results = [run / name for name in ("report.txt", "bricks.csv")]
    kept = {path: path.stat().st_mtime_ns for path in (run / "seed-0").iterdir() if path not in removed}
    before = [path.read_text() for path in results]
    code, out, err = bttt(*TINY, "--out", run, capsys=capsys)
    assert code == 0 and before[0] in out and "%|" not in err
    assert f" finished tasks found in {run}; nothing was run\n" in err
    once = len(json.loads((run / "environment.json").read_text()))
    stored = [untimed(json.loads(path.read_text())) for path in removed]
    for path in removed:
        path.unlink()
    code, _, err = bttt(*TINY, "--out", run, capsys=capsys)
    assert code == 0 and f"found in {run}; 2 more were made\n" in err
    assert [untimed(json.loads(path.read_text())) for path in removed] == stored
    assert results[1].read_text() == before[1]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(json.loads((run / "environment.json").read_text())) == once + 1


def untimed(record):
    return {name: value for name, value in record.items() if name != "seconds"}


def test_other_settings_in_the_same_folder_are_refused(run, capsys):
    message = refused(*TINY, "--steps", "3", "--out", run, capsys=capsys)
    assert "holds a run with other settings: steps is 2 there, 3 here" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "0"], "seeds must be at least 1, got 0"),
        (["--fitted", "50"], "fitted must be at most positions (40), got 50"),
        (["--l2", "0"], "l2 must be above 0 and finite, got 0"),
        (["--candidates", "D4", "A1"], "candidate D4 is a training cell, or a mirror image of one"),
        (["--candidates", "Z9"], "brick set 'Z9'"),
        (["--splits", "9"], "splits must be at most 3 with candidates of 4 orbits, got 9"),
        (["--teacher", "random"], "agent must be alphazero:NETWORK without options"),
        (["--teacher", "alphazero:nobody"], "nobody"),
        (["--out", "file"], "out must be a folder, but file is a file"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert message in refused(*TINY, *arguments, capsys=capsys)


def test_a_network_trained_on_every_orbit_has_no_candidates(capsys):
    message = refused("bricks", "alphazero:all", capsys=capsys)
    assert "at least 2 candidates are needed, got 0" in message
