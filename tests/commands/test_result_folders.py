"""Folders of results: a command replaces its own, and touches no other files."""

from pathlib import Path

import pytest
from commands import bttt, refused

STUDY = ("--iterations", 1, "--train.selfplay.games", 4, "--train.search.simulations", 2)
COMMANDS = {
    "starts": ("--board", "3x3x3", "--bricks", "B2", "--workers", 1),
    "layouts": ("--boards", "3x3x3", "--most-bricks", 1, "--count", 1, "--workers", 1),
    "drawn": ("--board", "3x3x3", "--bricks", 1, "--count", 1, "--tries", 1, "--workers", 1),
    "suites": ("--names", "single", "--per-board", 1, "--workers", 1),
    "generalisation": (*STUDY, "--report"),
    "compression": (*STUDY, "--report"),
    "methods": (*STUDY, "--report"),
}
KNOWN_BY = {
    "generalisation": "generalisation.json",
    "compression": "compression.json",
    "methods": "methods.json",
}


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_with_other_files_is_refused_and_left_as_it_is(command, capsys):
    Path("mine").mkdir()
    Path(f"mine/{command}.csv").write_text("my own table\n")
    error = refused(command, *COMMANDS[command], "--out", "mine", capsys=capsys)
    assert "mine holds other files" in error
    assert {path.name: path.read_text() for path in Path("mine").iterdir()} == {
        f"{command}.csv": "my own table\n"
    }


@pytest.mark.parametrize("command", ["starts", "layouts", "drawn"])
def test_results_are_replaced_by_those_of_other_settings(command, capsys):
    for more in ((), ("--table-mb", 1)):
        code, _, err = bttt(command, *COMMANDS[command], *more, "--out", "own", capsys=capsys)
        assert code == 0, err


@pytest.mark.parametrize("command", KNOWN_BY)
def test_results_of_the_command_identify_its_folder(command, capsys):
    Path("own").mkdir()
    Path(f"own/{KNOWN_BY[command]}").write_text("{}\n")
    error = refused(command, *COMMANDS[command], "--out", "own", capsys=capsys)
    assert "holds other files" not in error and "yet" in error


def test_drawn_replaces_its_own_file_and_no_other(capsys):
    Path("notes.txt").write_text("my notes\n")
    Path("folder").mkdir()
    for name, message in (
        ("notes.txt", "notes.txt is not a file of drawn layouts"),
        ("folder", "is a folder"),
    ):
        error = refused("drawn", *COMMANDS["drawn"], "--file", name, capsys=capsys)
        assert message in error
    assert Path("notes.txt").read_text() == "my notes\n"
    for seed in (0, 1):
        code, _, err = bttt("drawn", *COMMANDS["drawn"], "--file", "own.txt", "--seed", seed, capsys=capsys)
        assert code == 0, err
    assert "--seed 1" in Path("own.txt").read_text()
