"""The commands `bttt starts`, `bttt layouts` and `bttt drawn`, as a user calls them."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import bttt

from bttt.board import Board

STARTS = ("starts", "--board", "4x4x3", "--workers", 1)
LAYOUTS = ("layouts", "--boards", "3x3x3", "4x4x3", "--most-bricks", 4, "--count", 12, "--workers", 1)
DRAWN = ("drawn", "--board", "4x4x3", "--count", 3, "--tries", 10, "--workers", 1, "--file", "drawn.txt")


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def contents(folder):
    """Returns what a command wrote into a folder, without the parts that differ between two runs."""
    found = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    record = json.loads(found.pop(next(name for name in found if name.endswith(".json"))))
    del found["solved.jsonl"], found[".lock"]
    return found, record["nodes"], record["positions"]


def test_starts_writes_tables_a_picture_and_where_they_come_from(capsys):
    code, out, _ = bttt(*STARTS, "--out", "starts", capsys=capsys)
    assert code == 0
    assert "A1 and 3 mirrored    W5      13    0    2    0  B2 B3 C2 C3" in out
    names = {"starts.csv", "first_moves.csv", "starts.png", "starts.json", "solved.jsonl"}
    assert {path.name for path in Path("starts").iterdir()} == {*names, ".lock"}
    assert len(Path("starts/starts.csv").read_text().splitlines()) == 1 + 16
    assert len(Path("starts/first_moves.csv").read_text().splitlines()) == 1 + 16 * 15
    record = json.loads(Path("starts/starts.json").read_text())
    assert record["positions"] == 36 and record["unproven"] == 0 and record["nodes"] > 0
    assert record["config"]["board"] == "4x4x3"


def test_starts_of_some_bricks_and_with_a_small_limit(capsys):
    code, out, _ = bttt(*STARTS, "--bricks", "B2", "--nodes", 1, "--out", "starts", capsys=capsys)
    assert code == 0
    assert out.splitlines()[1].split() == ["B2", "?", "0", "0", "0", "15"]
    assert json.loads(Path("starts/starts.json").read_text())["unproven"] > 0
    code, out, _ = bttt(*STARTS, "--bricks", "B2", "--out", "starts", capsys=capsys)
    assert "B2                   W5      12    3    0    0  B3 C2 C3" in out


def test_starts_goes_on_after_a_kill_and_ends_the_same(capsys):
    command = [sys.executable, "-m", "bttt", *map(str, STARTS), "--out", "killed"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = Path("killed/solved.jsonl")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (log.exists() and log.stat().st_size):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = log.read_bytes()
    assert kept
    for folder in ("killed", "whole"):
        assert bttt(*STARTS, "--out", folder, capsys=capsys)[0] == 0
    _, _, err = bttt(*STARTS, "--out", "whole", capsys=capsys)
    assert " solved positions found in whole/solved.jsonl; nothing was run\n" in err
    assert log.read_bytes().startswith(kept[: kept.rfind(b"\n") + 1])
    assert contents("killed") == contents("whole")


def test_layouts_tells_where_the_game_is_balanced(capsys):
    code, out, _ = bttt(*LAYOUTS, "--out", "layouts", capsys=capsys)
    assert code == 0
    assert "3x3x3: no number of bricks gives mostly proven wins; most are proven draws with 0-4" in out
    assert "4x4x3: most layouts are proven wins with 0-4 bricks; no number gives mostly proven draws" in out
    names = {"layouts.csv", "layouts.png", "layouts.json", "solved.jsonl"}
    assert {path.name for path in Path("layouts").iterdir()} == {*names, ".lock"}
    rows = Path("layouts/layouts.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * 5
    assert rows[1] == "3x3x3,0,1,1,0,1,0,0,0.0000,0.0000,1.0000,1.0000"
    before = Path("layouts/solved.jsonl").read_bytes()
    assert bttt(*LAYOUTS, "--out", "layouts", capsys=capsys)[1] == out
    assert Path("layouts/solved.jsonl").read_bytes() == before


def test_drawn_writes_boards_that_are_draws(capsys):
    code, out, _ = bttt(*DRAWN, "--bricks", 5, 6, capsys=capsys)
    assert code == 0 and "5 bricks: " in out
    lines = Path("drawn.txt").read_text().splitlines()
    boards = [Board.parse(line) for line in lines if not line.startswith("#")]
    assert [len(board.bricks) for board in boards] == [5] * 3 + [6] * 3
    assert lines[1].endswith("--board 4x4x3 --bricks 5 6") and "--count 3 --tries 10 --seed 0" in lines[2]
    before = Path("drawn.txt").read_bytes()
    assert bttt(*DRAWN, "--bricks", 5, 6, capsys=capsys)[0] == 0
    assert Path("drawn.txt").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*STARTS, "--bricks", "A1+A2"), "each board must have one brick, but 4x4x3:A1,A2 has 2"),
        ((*STARTS, "--bricks", "H9"), "cell 'H9' is not on the 4x4 board"),
        ((*STARTS, "--nodes", 0), "nodes must be at least 1, got 0"),
        ((*STARTS, "--workers", -1), "workers must be at least 0, got -1"),
        ((*STARTS, "--table-mb", 0), "--table-mb must be 1 to"),
        (("layouts", "--boards", "3x3x3:A1"), "board '3x3x3:A1' already has bricks"),
        (("layouts", "--boards", "3x3"), "board '3x3' does not have the form"),
        (("layouts", "--boards"), "no board given"),
        (("layouts", "--count", 0), "count must be at least 1"),
        (("layouts", "--seed", -1), "seed must be at least 0, got -1"),
        ((*DRAWN, "--bricks", 16), "bricks must be 0 to 15, got 16"),
        ((*DRAWN, "--tries", 0), "tries must be at least 1, got 0"),
        ((*DRAWN, "--board", "4x4x3:A1"), "board '4x4x3:A1' already has bricks"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, capsys):
    code, _, err = bttt(*arguments, capsys=capsys)
    assert code == 2
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_folder_that_is_a_file(capsys):
    Path("file").write_text("")
    code, _, err = bttt(*STARTS, "--out", "file", capsys=capsys)
    assert code == 2 and "file" in err
