"""The command `bttt levels`: two levels play each other at equal simulations and at equal time."""

import csv
import json
import re
from pathlib import Path

import pytest
from commands import bttt, next_step

from agents.alphazero.network import time_split
from agents.alphazero.network.checkpoint import load_network, save_network
from agents.alphazero.network.evaluators import evaluator_name, make_evaluator
from agents.alphazero.weights import find_network
from bttt.__main__ import main

BUDGET = ("--bricks", "D4", "--simulations", "4", "--repeats", "1")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with the levels 0 and 3, as a pruning run leaves them."""
    for level, name in ((0, "d4"), (3, "r3")):
        network, record = load_network(find_network(name))
        folder = tmp_path / "run" / f"level-{level:02}"
        folder.mkdir(parents=True)
        save_network(
            folder / "network.safetensors", network, {**record, "pruning": {"density": 1 - level / 4}}
        )
    return tmp_path / "run"


def test_levels_play_both_tournaments_and_are_told_in_one_table(run, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["levels", str(run), *BUDGET, "--out", str(out)]
    code, printed, err = bttt(*command, capsys=capsys)
    assert code == 0
    assert err.count("next: ") == 1 and next_step(err)[1].second.startswith(f"alphazero:{run}/level-03,")
    name = evaluator_name(make_evaluator(load_network(find_network("d4"))[0]))
    assert f"equal simulations, then equal time (times on {name}):" in printed
    with (out / "levels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["level"], row["density"], row["parameters"]) for row in rows] == [
        ("0", "1.0", "60929"),
        ("3", "0.25", "60929"),
    ]
    timing = json.loads((out / "timing.json").read_text())
    assert [row["equal simulations: simulations"] for row in rows] == ["4", "4"]
    assert [int(row["equal time: simulations"]) for row in rows] == timing["simulations"]
    assert timing["simulations"][0] == 4
    assert rows[0]["equal time: elo"] == rows[0]["equal simulations: elo"] == "0.0"
    for mode in ("equal-simulations", "equal-time"):
        assert (out / mode / "report.html").is_file()
    before = (out / "levels.csv").read_bytes()
    assert main(command) == 0  # nothing is timed or played again
    assert (out / "levels.csv").read_bytes() == before
    del timing["evaluator"]  # as earlier versions left it
    (out / "timing.json").write_text(json.dumps(timing))
    capsys.readouterr()
    assert main(command) == 0
    assert "equal simulations, then equal time:" in capsys.readouterr().out


def test_where_the_time_goes_is_told_without_games(run, tmp_path, capsys, monkeypatch):
    for name, small in (("ROUNDS", 1), ("SECONDS", 0.001), ("PROFILED", 3)):
        monkeypatch.setattr(time_split, name, small)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, printed, _ = bttt("levels", str(run), "--time", capsys=capsys)
    assert code == 0 and sorted(tmp_path.rglob("*")) == before
    heading, table, legend = printed.split("\n\n")
    assert re.fullmatch(r"openvino, b?float(16|32), batches of 64:", heading)
    heads, *rows = (re.split(r"\s{2,}", line.strip()) for line in table.splitlines())
    assert heads[:3] == ["level", "parameters", "MACs"] and [row[0] for row in rows] == ["0", "3"]
    for row in rows:
        assert row[1:3] == ["60,929", "2,855,840"]
        assert sum(map(float, row[5:])) == pytest.approx(float(row[4]), abs=0.03)
    assert all(f"\n{head}:" in f"\n{legend}".replace(";", "\n") for head in heads[5:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--time", "--seed", "3"), "--seed has no effect with --time, which plays no games"),
        (("--simulations", "0"), "simulations must be 1 to 1000000, got 0"),
        (("--levels", "0", "7"), "no level 7 in"),
        (("--levels", "3"), "at least two levels are needed, got 3"),
        (("--repeats", "0"), "repeats must be 1 to 10000, got 0"),
        (("--in-flight", "9801"), "--in-flight must be 1 to 1024, got 9801"),
        (("--bricks", "Z9"), "'Z9'"),
    ],
)
def test_wrong_input_is_one_line(run, tmp_path, capsys, options, message):
    assert main(["levels", str(run), *options, "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert message in line


def test_a_folder_without_levels_is_one_line(tmp_path, capsys):
    assert main(["levels", str(tmp_path)]) == 2
    assert "contains no levels: give the folder of a run of bttt prune" in capsys.readouterr().err
