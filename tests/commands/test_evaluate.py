"""The commands `bttt evaluate` and `bttt suites` on a few positions, and invalid input."""

import csv
import json
from pathlib import Path

import pytest
from commands import bttt, refused, refused_at_work

TINY = ["evaluate", "random", "minimax:depth=2", "--positions", "2", "--workers", "1"]


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def rows(folder):
    return list(csv.DictReader(Path(folder, "evaluation.csv").open()))


def test_evaluate_prints_a_table_and_writes_csv_and_picture(capsys):
    code, out, _ = bttt(*TINY, "--train", "R3", "--out", "run", capsys=capsys)
    assert code == 0
    assert "seen" in out and "minimax:depth=2" in out and "98 positions on 49 boards" in out
    assert {path.name for path in Path("run").iterdir()} == {
        *(".lock", "config.json", "decisions", "evaluation.csv", "evaluation.png")
    }
    assert Path("run/evaluation.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(Path("run/config.json").read_text())["train"] == ["R3"]
    found = {(row["agent"], row["kind"], row["group"]): row for row in rows("run")}
    rates = [float(found[agent, "all", "all"]["rate"]) for agent in ("random", "minimax:depth=2")]
    assert rates[0] > 0.6 > 0.3 > rates[1]
    assert found["random", "novelty", "seen"]["positions"] == "6"
    assert sum(kind == "board" for agent, kind, _ in found if agent == "random") == 49


def test_seen_and_novel_boards_are_each_network_s_own(capsys):
    agents = ("random", "alphazero:d4,simulations=0", "alphazero:all,simulations=0")
    options = ("--bricks", "D4", "E5", "C3", "B2", "A1", "--positions", 1, "--workers", 1)
    code, out, _ = bttt("evaluate", *agents, *options, "--out", "run", capsys=capsys)
    assert code == 0 and "by each network's own training boards" in out
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines()[1:4]}
    assert out.splitlines()[0].split()[-3:] == ["all", "seen", "novel"]
    assert lines["random"][-2:] == ["-", "-"]
    assert lines[agents[2]][-1] == "-" and lines[agents[1]][-1] != "-"
    boards = {
        (row["agent"], row["group"]): row["positions"] for row in rows("run") if row["kind"] == "novelty"
    }
    assert boards == {(agents[1], "seen"): "1", (agents[1], "novel"): "4", (agents[2], "seen"): "5"}
    told = bttt("evaluate", *agents, *options, "--train", "D4", "E5", "--out", "run", capsys=capsys)[1]
    assert "own training boards" not in told and "two boards give no interval" in told
    found = [row for row in rows("run") if row["group"] == "seen"]
    assert [(row["positions"], row["low"], row["high"]) for row in found] == [("2", "", "")] * 3


def test_what_is_decided_is_not_asked_again_and_agents_may_be_added(capsys):
    bttt(*TINY, "--bricks", "R2", capsys=capsys)
    (folder,) = Path("runs").iterdir()
    before = {path: path.stat().st_mtime_ns for path in (folder / "decisions").iterdir()}
    (path, *_) = before
    stored = json.loads(path.read_text())
    bttt("evaluate", "minimax:depth=1", *TINY[1:], "--bricks", "R2", "--batch", 1, capsys=capsys)
    assert list(Path("runs").iterdir()) == [folder]
    assert {each: each.stat().st_mtime_ns for each in before} == before
    assert len(list((folder / "decisions").iterdir())) == 3
    assert len({row["agent"] for row in rows(folder)}) == 3
    path.unlink()
    bttt(*TINY, "--bricks", "R2", capsys=capsys)
    assert json.loads(path.read_text()) == stored


def test_other_settings_do_not_find_these_decisions(capsys):
    for seed in (0, 1):
        bttt(
            "evaluate",
            "random",
            "--bricks",
            "D4",
            "--seed",
            seed,
            "--out",
            "run",
            "--workers",
            1,
            capsys=capsys,
        )
    assert len(list(Path("run/decisions").iterdir())) == 2


def test_evaluate_on_boards_of_several_bricks(capsys):
    code, out, _ = bttt(*TINY, "--suite", "bricks4", "--out", "run", capsys=capsys)
    assert code == 0 and "100 positions on 50 boards" in out


def test_wrong_input_of_evaluate_is_one_line(capsys):
    assert "unknown suite 'one'" in refused(*TINY, "--suite", "one", capsys=capsys)
    assert "no positions on 7x7x4:D4,E5" in refused(*TINY, "--bricks", "D4+E5", capsys=capsys)
    assert "positions must be at least 1" in refused("evaluate", "random", "--positions", 0, capsys=capsys)
    assert "batch must be at least 1" in refused(*TINY, "--batch", 0, capsys=capsys)
    assert "unknown agent 'radnom'" in refused("evaluate", "radnom", capsys=capsys)
    assert "named twice" in refused("evaluate", "random", "random", capsys=capsys)
    assert "no agent given" in refused("evaluate", capsys=capsys)
    assert "brick set 'Z9'" in refused(*TINY, "--train", "Z9", capsys=capsys)
    Path("file").touch()
    assert "file is a file" in refused(*TINY, "--out", "file", capsys=capsys)
    assert not Path("runs").exists()


def test_an_agent_that_fails_is_one_line_with_the_position(capsys):
    Path("broken.py").write_text(
        "class Broken:\n    def decide(self, positions, rng):\n        raise RuntimeError('no idea')\n"
    )
    spec = "python:broken:Broken"
    code, _, err = bttt("evaluate", "random", spec, "--bricks", "D4", "--workers", 1, capsys=capsys)
    assert code == 2 and "Traceback" not in err
    assert f"agent '{spec}' raised RuntimeError: no idea (broken.py:3) in 7x7x4:D4 " in err.splitlines()[-1]


def test_suites_builds_files_and_compares_them(capsys):
    arguments = ["suites", "--names", "bricks2", "--per-board", 1, "--workers", 1, "--nodes", 20000]
    code, out, _ = bttt(*arguments, "--out", "built", capsys=capsys)
    assert code == 0 and out.strip() == "bricks2: 50 positions, different from the bundled suite"
    made = json.loads(Path("built/bricks2.json").read_text())
    assert made["positions"] == made["games and positions"]["taken"] == 50
    content = Path("built/bricks2.npy").read_bytes()
    bttt(*arguments, "--out", "again", capsys=capsys)
    assert Path("again/bricks2.npy").read_bytes() == content
    assert Path("again/bricks2.json").read_text() == Path("built/bricks2.json").read_text()


def test_wrong_input_of_suites_is_one_line(capsys):
    assert "unknown suite 'all'" in refused("suites", "--names", "all", capsys=capsys)
    assert "--per-board must be at least 1" in refused("suites", "--per-board", 0, capsys=capsys)
    assert "nodes must be at least 1" in refused("suites", "--nodes", 0, capsys=capsys)


@pytest.mark.parametrize("content", ["{}", '{"cells": [[1]]}', '{"cells": [[1, 77]]}', '{"cells": "x"}'])
def test_decisions_of_another_shape_are_not_taken(content, capsys):
    command = ["evaluate", "random", "--bricks", "D4", "--positions", 2, "--workers", 1, "--out", "run"]
    assert bttt(*command, capsys=capsys)[0] == 0
    before = rows("run")
    (path,) = Path("run/decisions").iterdir()
    path.write_text(content)
    if content == "{}":  # holds nothing: asked again
        assert bttt(*command, capsys=capsys)[0] == 0
        assert rows("run") == before
    else:
        assert "is corrupt: delete it" in refused_at_work(*command, capsys=capsys)
