"""`bttt conversion`: the real command on tiny boards."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bttt import Board
from bttt.__main__ import main
from tournaments.play.store import STORE_FILE, Store

TINY = ["conversion", "--board", "4x4x3", "--workers", "1", "--out", "run"]


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def stored(folder="run"):
    with Store.open(Path(folder) / STORE_FILE, read_only=True) as store:
        return [replace(game, seconds=()) for game in store.games()]


def rows(folder="run"):
    with Path(folder, "conversion.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def refused(*arguments, capsys):
    assert main([str(argument) for argument in arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_perfect_wins_all_and_every_agent_moves_first(capsys, monkeypatch):
    arguments = [*TINY, "perfect", "random", "--games", "2", "--seed", "3"]
    monkeypatch.setattr("sys.argv", ["bttt", *arguments])
    assert main(arguments) == 0
    out = capsys.readouterr().out
    games = stored()
    assert len(games) == 2 * 16 * 2
    assert {game.players for game in games} == {("perfect", "perfect"), ("random", "perfect")}
    found = rows()
    assert [row["bricks"] for row in found[:16]] == [Board(4, 4).cell_name(cell) for cell in range(16)]
    for row in found:
        own = [game for game in games if game.first == row["agent"] and str(game.board) == row["board"]]
        counts = [sum(game.winner == wanted for game in own) for wanted in (0, None, 1)]
        assert [int(row[name]) for name in ("won", "drawn", "lost")] == counts
        assert (row["seat"], row["games"], row["seed"]) == ("first", "2", "3")
        assert row["command"] == f"bttt {' '.join(arguments)}"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*", row["date"])
        assert row["agent"] == "random" or row["won"] == "2"
    assert re.search(r"^perfect +32 +32 +0 +0 +100\.0 +80\.6 to 100\.0", out, re.M)
    assert any(row["agent"] == "random" and row["won"] != "2" for row in found)
    assert "64 of 64 games" in out


def test_one_brick_in_the_middle_of_7x7(capsys):
    assert main(["conversion", "perfect", "--bricks", "D4", "A1+G7", "--workers", "1", "--out", "run"]) == 0
    out = capsys.readouterr().out
    (single, pair) = rows()
    assert (single["board"], single["won"]) == ("7x7x4:D4", "1")
    assert (pair["board"], pair["orbit"][:5], pair["won"]) == ("7x7x4:A1,G7", "orbit", "1")
    assert re.search(r"^D +- +- +- +1-0-0 +- +- +-$", out, re.M)
    assert re.search(r"^7x7x4:A1,G7 +1-0-0$", out, re.M)


def test_the_same_command_plays_nothing_again_and_an_interrupted_one_goes_on(capsys):
    arguments = [*TINY, "random", "--bricks", "orbit:0"]
    assert main(arguments) == 0
    whole = stored()
    before = Path("run", "environment.json").read_text()
    capsys.readouterr()
    assert main(arguments) == 0
    database = Path("run", STORE_FILE)
    assert f"4 finished games found in {database}; nothing was run\n" in capsys.readouterr().err
    assert stored() == whole and Path("run", "environment.json").read_text() == before
    with Store.create_or_open(Path("part", STORE_FILE), _settings("run"), ["random", "perfect"], 4) as store:
        store.add([replace(game, seconds=(0.0,) * len(game.cells)) for game in whole[:2]])
    arguments[arguments.index("run")] = "part"
    assert main(arguments) == 0
    assert "2 finished games found in part/tournament.sqlite; 2 more were made\n" in capsys.readouterr().err
    assert stored("part") == whole


def _settings(folder):
    Path("part").mkdir()
    with Store.open(Path(folder, STORE_FILE)) as store:
        return store.settings


def test_workers_do_not_matter():
    arguments = [*TINY, "mcts:iterations=20", "--bricks", "orbit:1", "--in-flight", "3"]
    assert main(arguments) == 0
    arguments[arguments.index("--workers") + 1] = "2"
    arguments[arguments.index("run")] = "two"
    assert main(arguments) == 0
    assert stored("two") == stored()


def test_boards_that_are_not_won_are_left_out_and_said(capsys):
    arguments = ["conversion", "random", "--board", "3x4x3", "--workers", "1", "--out", "run"]
    assert main([*arguments, "--bricks", "all"]) == 0
    assert "excluded: 2 of 12 boards, not proven won from the start" in capsys.readouterr().out
    assert {game.board.brick_names for game in stored()}.isdisjoint({"B2", "B3"})
    message = "no board is proven won from the start, out of the 1 given (for example 3x4x3:B2)"
    assert message in refused(*arguments, "--bricks", "B2", capsys=capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "agents"),
        (["random", "random"], "agent 'random' is named twice"),
        (["human"], "player 'human' cannot play"),
        (["nobody"], "unknown agent 'nobody'"),
        (["random", "--games", "0"], "games must be at least 1, got 0"),
        (["random", "--seed", "-1"], "seed must be at least 0, got -1"),
        (["random", "--bricks", "Z9"], "cell 'Z9' is not on the 4x4 board"),
        (["random", "--suite", "none"], "unknown suite 'none'; suites are "),
        (["random", "--suite", "single", "--positions", "0"], "positions must be at least 1, got 0"),
        (["perfect:limit=20000000"], "are the same agent"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, capsys):
    assert message in refused(*TINY, *arguments, capsys=capsys)


def test_another_setting_is_refused_for_a_run_that_has_begun(capsys):
    assert main([*TINY, "random", "--bricks", "A1"]) == 0
    capsys.readouterr()
    err = refused(*TINY, "random", "--bricks", "A1", "--games", "2", capsys=capsys)
    assert "games is 1 there and 2 here" in err
