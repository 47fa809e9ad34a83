"""The real commands with a tiny budget, and with every wrong input a user is likely to give.

Most tests call `main` in this process, which is what the `bttt` script does; what depends on a process
of its own (kill, limits, the installed script) starts one.
"""

import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from commands import bttt, heed_interrupts, refused

from bttt.__main__ import COMMANDS
from tournaments.play.store import STORE_FILE, Store
from tournaments.records.text import parse_games

BTTT = [sys.executable, "-m", "bttt"]
TINY = ["tournament", "--players", "random", "minimax:depth=1", "--bricks", "orbit:0", "--workers", "1"]
BROKEN = "class Broken:\n    def decide(self, positions, rng):\n        raise RuntimeError('no idea')\n"
KILLED = [
    *["tournament", "--players", "random", "mcts:iterations=400", "mcts:iterations=200"],
    *["--bricks", "orbit:1", "--repeats", "3", "--in-flight", "4"],
]


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def stored(folder):
    with Store.open(Path(folder) / STORE_FILE, read_only=True) as store:
        return [replace(game, seconds=()) for game in store.games()]


def assert_kept(before, after):
    """Asserts that all games stored before are unchanged."""
    by_index = {game.index: game for game in after}
    assert [by_index[game.index] for game in before] == before


def test_tournament_plays_stores_rates_and_reports(capsys):
    code, out, err = bttt(*TINY, "--out", "run", "--csv", capsys=capsys)
    assert code == 0
    assert "plays on 4 boards: A1, A7, G1, ...\n" in err
    assert len(stored("run")) == 8
    assert "8 of 8 games, 0 forfeits" in out
    assert {path.name for path in Path("run").iterdir()} == {
        *(STORE_FILE, ".lock", "config.json", "environment.json"),
        *("report.html", "games.csv", "crosstable.csv"),
    }
    config = json.loads(Path("run/config.json").read_text())
    assert config["bricks"] == ["orbit:0"] and config["out"] == "run"
    assert list(config) == [
        *("players", "bricks", "board", "repeats", "schedule", "against", "sprt"),
        *("seed", "openings", "opening_plies", "adjudicate", "seconds_per_move"),
        *("out", "workers", "isolate", "in_flight", "csv", "anchor"),
        *("rate_exceptions", "strict"),
    ]
    assert len(Path("run/games.csv").read_text().splitlines()) == 9


def test_the_same_command_finds_its_run_again_and_plays_nothing(capsys):
    bttt(*TINY, capsys=capsys)
    (folder,) = Path("runs").iterdir()
    before = stored(folder)
    code, out, _ = bttt(*TINY, capsys=capsys)
    assert code == 0 and "8 of 8 games" in out
    assert list(Path("runs").iterdir()) == [folder]
    assert stored(folder) == before


def test_the_folder_of_another_command_or_of_others_is_refused_and_kept(capsys):
    bttt(*TINY, "--out", "run", capsys=capsys)
    bttt("evaluate", "random", "--bricks", "D4", "--workers", 1, "--out", "rates", capsys=capsys)
    Path("thesis").mkdir()
    Path("thesis/config.json").write_text('{"chapters": 5}')
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    commands = {
        "tournament": TINY,
        "conversion": ["conversion", "random", "--board", "4x4x3"],
        "evaluate": ["evaluate", "random", "--bricks", "D4"],
        "train": ["train", "--iterations", 1],
    }
    for command, folder in (
        *((command, "thesis") for command in commands),
        *((command, "rates") for command in ("tournament", "conversion", "train")),
        *((command, "run") for command in ("conversion", "evaluate", "train")),
    ):
        assert folder in refused(*commands[command], "--out", folder, capsys=capsys), command
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_another_setting_is_refused_for_a_run_that_has_begun(capsys):
    bttt(*TINY, "--out", "run", capsys=capsys)
    before = stored("run")
    err = refused(*TINY, "--out", "run", "--seed", 5, "--opening-plies", 2, capsys=capsys)
    assert "opening_plies is 0 there and 2 here" in err and "seed is 0 there and 5 here" in err
    assert stored("run") == before


def test_players_boards_and_repeats_can_be_added_to_a_run(capsys):
    bttt(*TINY, "--out", "run", capsys=capsys)
    before = stored("run")
    players = ("--players", "mcts:iterations=2", "minimax:depth=1", "random")
    options = (*players, "--bricks", "D4", "orbit:0", "--repeats", 2, "--workers", 1)
    out = bttt("tournament", *options, "--out", "run", capsys=capsys)[1]
    assert "run grows: repeats 1 to 2; players mcts:iterations=2; boards 7x7x4:D4" in out
    assert "60 of 60 games" in out and len(stored("run")) == 60
    assert_kept(before, stored("run"))
    bttt("tournament", *options, "--out", "fresh", capsys=capsys)
    fresh, grown = (
        {(game.players, game.board, game.repeat): game.cells for game in stored(folder)}
        for folder in ("fresh", "run")
    )
    assert fresh == grown
    assert "players lack mcts:iterations=2" in refused(*TINY, "--out", "run", capsys=capsys)


def test_a_sequential_test_ends_the_run_and_is_shown(capsys):
    players = ("--players", "minimax:depth=1", "random", "--board", "4x4x3", "--bricks", "A1", "B2")
    options = (
        "tournament",
        *players,
        "--opening-plies",
        2,
        "--repeats",
        50,
        "--in-flight",
        2,
        "--workers",
        1,
    )
    out = bttt(*options, "--sprt", "0,300", "--out", "run", capsys=capsys)[1]
    line = next(line for line in out.splitlines() if "sequential test" in line)
    assert line.startswith("minimax:depth=1: sequential test of 0 against 300 Elo: 300 Elo accepted after ")
    count = len(stored("run"))
    assert count < 100 and f"{count} of 200 games" in out
    assert "nothing was run" in "".join(bttt(*options, "--sprt", "0,300", "--out", "run", capsys=capsys)[1:])
    assert line in bttt("report", "run", capsys=capsys)[1]
    assert "300 Elo accepted" in Path("run/report.html").read_text()
    before = stored("run")
    assert "undecided" in bttt(*options, "--sprt", "500,501", "--out", "run", capsys=capsys)[1]
    assert_kept(before, stored("run"))
    assert len(stored("run")) == 200


def test_one_side_against_the_other(capsys):
    sides = ("--players", "minimax:depth=1", "--against", "random", "mcts:iterations=2")
    options = ("--schedule", "bipartite", *sides, "--board", "4x4x3", "--bricks", "A1", "--workers", 1)
    assert bttt("tournament", *options, "--out", "run", capsys=capsys)[0] == 0
    pairs = {frozenset(game.players) for game in stored("run")}
    assert pairs == {frozenset(("minimax:depth=1", other)) for other in ("random", "mcts:iterations=2")}
    assert len(stored("run")) == 4


def test_gauntlet_openings_and_other_boards(capsys):
    arguments = ["tournament", "--players", "random", "minimax:depth=1", "mcts:iterations=10"]
    arguments += ["--board", "4x5x3", "--bricks", "A1+B2", "random:2,count=2", "--workers", 1]
    code, _, _ = bttt(
        *arguments, "--schedule", "gauntlet", "--opening-plies", 2, "--out", "run", capsys=capsys
    )
    games = stored("run")
    assert code == 0
    assert len(games) == 2 * 2 * 3
    assert all("random" in game.players and game.opening_plies == 2 for game in games)


def test_report_and_replay_of_a_stored_run(capsys):
    bttt(*TINY, "--out", "run", capsys=capsys)
    report = Path("run/report.html")
    html = report.read_text()
    report.unlink()
    assert bttt("report", "run", capsys=capsys)[0] == 0
    assert report.read_text() == html
    assert bttt("report", "run/tournament.sqlite", "--csv", capsys=capsys)[0] == 0
    code, out, _ = bttt("replay", "run", 3, capsys=capsys)
    game = stored("run")[3]
    assert code == 0
    assert out.startswith(f"game 3 on {game.board}: {game.first} (O) against {game.second} (X)")
    assert re.findall(r"^\d+\. (\w+)", out, re.M) == [game.board.cell_name(cell) for cell in game.cells]
    assert out.strip().splitlines()[-1] in ("first wins", "second wins", "draw")


def test_games_are_exported_and_runs_are_merged(capsys):
    for seed, bricks in (("one", "D4"), ("two", "E5")):
        bttt(*TINY, "--bricks", bricks, "--out", seed, capsys=capsys)
    code, out, _ = bttt("games", "one", capsys=capsys)
    told = parse_games(out.splitlines())
    assert code == 0 and [game.cells for game in told] == [game.cells for game in stored("one")]
    assert bttt("games", "one", "--out", "games.txt", capsys=capsys)[0] == 0
    assert bttt("games", "one", "--out", "games.txt", capsys=capsys)[0] == 0  # a file of games is replaced
    assert Path("games.txt").read_text() == out
    config = Path("one/config.json").read_bytes()
    assert "config.json is not a file of games" in refused(
        "games", "one", "--out", "one/config.json", capsys=capsys
    )
    assert Path("one/config.json").read_bytes() == config
    for name in ("report.html", "games.csv", "crosstable.csv"):
        own = Path("one", name).read_bytes() if Path("one", name).exists() else b""
        Path("one", name).write_text("mine")
        assert f"{name} was not written by bttt" in refused("report", "one", "--csv", capsys=capsys)
        assert Path("one", name).read_text() == "mine"
        Path("one", name).write_bytes(own)
    assert bttt("report", "one", "--csv", capsys=capsys)[0] == 0
    assert bttt("report", "one", "--csv", capsys=capsys)[0] == 0  # its own files
    code, out, _ = bttt("merge", "one", "two", "--out", "both", capsys=capsys)
    assert code == 0 and "4 of 4 games" in out
    assert {game.cells for game in stored("both")} == {
        game.cells for folder in ("one", "two") for game in stored(folder)
    }
    assert "both holds a run" in refused("merge", "one", "two", "--out", "both", capsys=capsys)


def test_time_prints_a_row_a_player(capsys):
    code, out, _ = bttt("time", "--players", "random", "mcts:iterations=10", "--calls", 3, capsys=capsys)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["player", "random", "mcts:iterations=10"]


def test_play_ends_with_an_outcome(capsys):
    code, out, _ = bttt("play", "--first", "random", "--second", "random", "--seed", 1, capsys=capsys)
    assert code == 0
    assert re.search(r"wins|draw", out)


def test_help_names_every_command_and_each_has_its_own(capsys):
    code, out, _ = bttt("--help", capsys=capsys)
    assert code == 0
    for command in COMMANDS:
        assert f"\n  {command}" in out
        code, text, _ = bttt(command, "--help", capsys=capsys)
        assert code == 0 and f"usage: bttt {command}" in text


def test_the_installed_script_runs():
    script = Path(sys.executable).with_name("bttt")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tornament"], "unknown command 'tornament' (did you mean 'tournament'?); commands are "),
        (["tournament", "--players", "random", "mtcs"], "unknown agent 'mtcs' (did you mean 'mcts'?)"),
        (["tournament", "--players", "random", "mcts:iters=9"], "options are iterations, "),
        (
            ["tournament", "--players", "random", "mcts:iterations=0"],
            "iterations must be 1 to 2,000,",
        ),
        (["tournament", "--players", "random", "random"], "player 'random' is named twice"),
        (["tournament", "--players", "random", "human"], "try bttt play"),
        (["tournament", "--against", "random"], "--against needs --schedule bipartite"),
        (["tournament", "--schedule", "bipartite"], "--schedule bipartite needs players in --against"),
        (["tournament", "--players", "random", "minimax", "--sprt", "20"], "sprt must be two numbers"),
        (["tournament", "--sprt", "0,20"], "--sprt tests one player: give two players"),
        (["tournament", "--players", "random", "human:"], "try bttt play"),
        (["time", "--players", "human"], "player 'human' cannot be timed"),
        (["tournament", "--players", "random", "python:no_such:Agent"], "module 'no_such'"),
        (["tournament", "--bricks", "H9"], "cell 'H9' is not on the 7x7 board: cells are A1 to G7"),
        (["tournament", "--bricks", "D4+D4"], "brick D4 is given twice"),
        (["tournament", "--bricks", "orbit:10"], "orbits 0 to 9"),
        (["tournament", "--board", "9x9x5"], "rows * (cols + 1) at most 64, got 90"),
        (["tournament", "--board", "7x7x2"], "win_length must be at least 3, got 2"),
        (["tournament", "--board", "seven"], "board 'seven' does not have the form"),
        (["tournament", "--board", "7x7x4:E5"], "board '7x7x4:E5' already has bricks"),
        (["tournament", "--repeats", "0"], "repeats must be at least 1, got 0"),
        (["tournament", "--seed", "-1"], "seed must be at least 0, got -1"),
        (["tournament", "--workers", "-2"], "workers must be at least 0, got -2"),
        (["tournament", "--in-flight", "0"], "--in-flight must be at least 1, got 0"),
        (
            ["tournament", "--seconds-per-move", "0"],
            "--seconds-per-move must be above 0 and at most 86400.0",
        ),
        (["tournament", "--anchor", "nobody"], "anchor 'nobody' is not a player; players are random, "),
        (["tournament", "--repeats", "100000000000"], "205,800,000,000,000 games; at most 10,000,000"),
        (["tournament", "--out", "my_agents.py"], "out must be a folder, but my_agents.py is a file"),
        (["tournament", "--opening-plies", "49", "--workers", "1"], "--opening-plies 49 is too long"),
        (["report", "nowhere"], "no tournament at nowhere"),
        (["replay", "nowhere", "0"], "no tournament at nowhere"),
        (["time", "--calls", "1"], "calls must be at least 2, got 1"),
        (["time", "--seed", "-1"], "seed must be at least 0, got -1"),
        (["time", "--players"], "--players needs at least one value, for example"),
        (["tournament", "--players"], "--players needs at least one value, for example"),
        (["train", "--bricks"], "--bricks needs at least one value, for example all"),
        (["tournament", "--players", "random"], "--players must name at least 2 players, got 1"),
        (
            ["play", "--first", "mcts:leaf=heuristc"],
            "must be rollout or heuristic (did you mean 'heuristic'?)",
        ),
        (["play", "--first", "alphazero:d4,evaluator=onnx-int8"], "was removed: use evaluator=openvino"),
        (["play", "--first", "alphazero:d4,evaluator=tourch"], "or cuda (did you mean 'torch'?)"),
        (["time", "--players", "python:my_agents:Broken"], "'python:my_agents:Broken' raised RuntimeError"),
        (["play", "--first", "python:my_agents:Broken"], "'python:my_agents:Broken' raised RuntimeError"),
        (["tournament", "--repeats", "two"], "--repeats must be a whole number, got 'two'"),
        (["tournament", "--colour", "red"], "unknown option --colour"),
        (["tournament", "--schedule", "swiss"], "swiss"),
        (["replay", "run", "abc"], "'abc' (see bttt replay --help)"),
        (["report"], "run folder"),
        (["agents", "mcts"], "unexpected argument 'mcts'"),
        (["play", "--first", "alphago"], "unknown agent 'alphago'"),
        (["play", "--second", "alphazero:D44"], "no network 'D44' (did you mean 'd4'?): give one of all, d4"),
        (
            ["tournament", "--players", "random", "alphazero:d4,simulations=x"],
            "simulations='x' must be a whole",
        ),
        (["tournament", "--players", "alphazero:D4", "alphazero:d4,c_puct=1.5"], "are the same agent"),
        (["evaluate", "alphazero:my_agents.py"], "my_agents.py is corrupt or not a safetensors file"),
        (["play", "--bricks", "Z1"], "cell 'Z1' is not on the 7x7 board"),
    ],
)
def test_wrong_input_is_one_line_that_names_the_value_and_what_is_allowed(arguments, message, capsys):
    Path("my_agents.py").write_text(BROKEN)
    assert message in refused(*arguments, capsys=capsys)


def test_missing_game_names_the_games_there_are(capsys):
    bttt(*TINY, "--out", "run", capsys=capsys)
    err = refused("replay", "run", 8, capsys=capsys)
    assert "game 8 is not stored in run: the schedule has games 0 to 7" in err


def test_foreign_or_unreadable_databases_are_refused_and_kept(capsys):
    Path("text").mkdir()
    Path("text", STORE_FILE).write_text("not a database at all " * 100)
    Path("other").mkdir()
    sqlite3.connect(Path("other", STORE_FILE)).execute("CREATE TABLE thesis (chapter)")
    for folder in ("text", "other"):
        before = Path(folder, STORE_FILE).read_bytes()
        for arguments in ([*TINY, "--out", folder], ["report", folder], ["replay", folder, 0]):
            assert f"{folder}/{STORE_FILE}" in refused(*arguments, capsys=capsys)
        assert Path(folder, STORE_FILE).read_bytes() == before


def test_out_folder_that_cannot_be_made(capsys):
    Path("file").write_text("")
    assert "file" in refused(*TINY, "--out", "file/run", capsys=capsys)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that even root cannot write")
def test_read_only_folder(capsys):
    assert "/proc/run" in refused(*TINY, "--out", "/proc/run", capsys=capsys)
    assert "/proc/self" in refused(*TINY, "--out", "/proc/self", capsys=capsys)


def test_forfeits_are_counted_and_fail_the_command_only_when_strict(capsys):
    Path("my_agents.py").write_text(BROKEN)
    arguments = ["tournament", "--players", "random", "python:my_agents:Broken", "--bricks", "D4"]
    arguments += ["--workers", 1, "--out", "run"]
    code, out, err = bttt(*arguments, capsys=capsys)
    assert code == 1  # it forfeited all its games by exceptions
    assert "2 of 2 games, 2 forfeits" in out
    assert "python:my_agents:Broken raised RuntimeError: no idea (my_agents.py:3)" in out
    assert err.count("RuntimeError: no idea") == err.count("Traceback") == 1
    assert "python:my_agents:Broken forfeited all its games by exceptions" in err
    page = Path("run/report.html").read_text()
    assert "First traceback of python:my_agents:Broken" in page and "Not rated: 2 games" in page
    assert Path("run/report.html").read_text().count("Traceback (most recent") == 1
    Path("my_agents.py").write_text("class Broken:\n    decide = lambda self, positions, rng: []\n")
    ill = [*arguments[:-2], "--out", "other"]
    assert bttt(*ill, "--strict", capsys=capsys)[0] == 1


def test_exceptions_enter_the_ratings_only_where_that_is_asked_for(capsys):
    source = "import agents\nfrom agents.random_agent import RandomAgent\nclass Odd(RandomAgent):\n"
    source += "    def decide(self, positions, rng):\n"
    source += "        if positions[0].board.brick_names == 'A1':\n            raise RuntimeError\n"
    source += "        return super().decide(positions, rng)\n"
    Path("oddly.py").write_text(source)
    arguments = [
        "tournament",
        "--players",
        "random",
        "python:oddly:Odd",
        "--bricks",
        "A1",
        "D4",
        "--workers",
        1,
    ]
    code, out, err = bttt(*arguments, "--out", "run", capsys=capsys)
    assert code == 0 and "forfeits by exceptions, not rated: 2" in out and "forfeited all" not in err
    rows = [line.split() for line in out.splitlines() if " python:oddly:Odd " in line][:1]
    asked = bttt(*arguments, "--out", "run", "--rate-exceptions", capsys=capsys)[1]
    again = [line.split() for line in asked.splitlines() if " python:oddly:Odd " in line][:1]
    assert "not rated" not in asked
    assert rows[0][2] != again[0][2] and rows[0][4:8] == again[0][4:8]
    assert (
        bttt("report", "run", "--rate-exceptions", capsys=capsys)[1].splitlines()[:3]
        == asked.splitlines()[:3]
    )


def test_an_agent_that_exits_loses_its_games_and_not_the_tournament(capsys):
    Path("exiting.py").write_text("import sys\nclass Exits:\n    decide = lambda *_: sys.exit(3)\n")
    arguments = ["tournament", "--players", "random", "python:exiting:Exits", "--bricks", "D4"]
    code, out, _ = bttt(*arguments, "--workers", 1, capsys=capsys)
    assert code == 1
    assert "2 of 2 games, 2 forfeits" in out and "raised SystemExit: 3" in out


def test_a_worker_that_dies_is_one_line_and_keeps_what_is_stored():
    Path("dying.py").write_text(
        "import os\n"
        "class Dies:\n"
        "    def decide(self, positions, rng):\n"
        "        os._exit(1) if positions[0].board.brick_names == 'G7' else None\n"
        "        raise RuntimeError\n"
    )
    arguments = ["tournament", "--players", "random", "python:dying:Dies", "--workers", "2"]
    arguments += ["--in-flight", "4", "--out", "run"]
    done = subprocess.run([*BTTT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("Traceback") <= 1  # of the agent, in the games before
    assert "error: a worker process has died" in done.stderr
    assert 0 < len(stored("run")) < 98


def test_an_edited_agent_does_not_find_the_games_of_the_old_one(capsys):
    arguments = ["tournament", "--players", "random", "python:edited:Mine", "--bricks", "D4", "--workers", 1]
    Path("edited.py").write_text(BROKEN.replace("Broken", "Mine"))
    bttt(*arguments, capsys=capsys)
    bttt(*arguments, "--out", "run", capsys=capsys)
    Path("edited.py").write_text("from agents.random_agent import RandomAgent as R\nclass Mine(R): pass\n")
    again = {
        "capture_output": True,
        "text": True,
        "check": False,
    }  # a process that has not imported the old one
    done = subprocess.run([*BTTT, *map(str, arguments)], **again)
    assert "2 of 2 games, 0 forfeits" in done.stdout
    done = subprocess.run([*BTTT, *map(str, arguments), "--out", "run"], **again)
    assert done.returncode == 2 and "source files is python:edited:Mine " in done.stderr


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        ("5", "decide must return a list of agents.Decision, got 5 in it"),
        ("[Decision(0, nodes=10**30)]", "nodes must be 0 to 9223372036854775807, got 10000"),
        ("[Decision(0, value='good')]", "could not convert string to float: 'good'"),
        ("[Decision('H9')]", "cell 'H9' is not on the 7x7 board"),
        ("[Decision([[0] * 7] * 7)]", "illegal decision: cell [[0, 0, 0, 0"),
        ("[Decision(type('X', (), {'__repr__': lambda _: 1 / 0})())]", "ZeroDivisionError"),
        ("[Decision(0), Decision(1)]", "decide returned 2 decisions for 1 positions"),
        ("(_ for _ in ()).throw(GeneratorExit)", "raised GeneratorExit"),
        ("(_ for _ in ()).throw(OSError('\\udcff\\x1b[31m' * 999))", "raised OSError: "),
    ],
)
def test_odd_answers_lose_the_game_and_nothing_else(decision, reason, capsys, monkeypatch, tmp_path):
    name = f"odd_{tmp_path.name}"  # another module for each case
    source = f"from agents import Decision\nclass Odd:\n    decide = lambda *_: {decision}\n"
    Path(f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(Path.cwd())
    arguments = ["tournament", "--players", "random", f"python:{name}:Odd", "--bricks", "D4"]
    code, out, err = bttt(*arguments, "--workers", 1, "--out", "run", capsys=capsys)
    assert code == (" raised " in out), err
    assert "2 of 2 games, 2 forfeits" in out and reason in out
    assert "\x1b" not in out and len(out.splitlines()[-5]) < 500


def test_equal_agents_under_two_names_are_refused(capsys):
    err = refused("tournament", "--players", "mcts", "mcts:iterations=1000", capsys=capsys)
    assert "players 'mcts' and 'mcts:iterations=1000' are the same agent" in err


def test_users_agents_are_not_compared_by_an_equality_that_they_inherit(capsys, monkeypatch):
    source = "from agents.random_agent import RandomAgent\n\n\nclass Sub(RandomAgent):\n"
    Path("inheriting.py").write_text(source + "    def __init__(self, depth=1):\n        pass\n")
    monkeypatch.syspath_prepend(Path.cwd())
    players = ["python:inheriting:Sub,depth=1", "python:inheriting:Sub,depth=2"]
    code, out, _ = bttt("tournament", "--players", *players, "--bricks", "D4", "--workers", 1, capsys=capsys)
    assert code == 0 and "2 of 2 games" in out


def test_a_damaged_config_is_named(capsys):
    bttt(*TINY, "--out", "run", capsys=capsys)
    for text in ("{", "[]"):
        Path("run/config.json").write_text(text)
        assert "run/config.json is corrupt" in refused("report", "run", capsys=capsys)


def test_a_reader_that_leaves_early_costs_nothing():
    command = f"{' '.join(BTTT)} {' '.join(TINY)} --out run | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("#  agent")
    assert "error" not in done.stderr.lower()
    assert Path("run/report.html").exists()


def test_a_damaged_file_is_one_line(capsys):
    bttt(*TINY, "--repeats", 20, "--out", "run", capsys=capsys)
    file = Path("run", STORE_FILE)
    content = bytearray(file.read_bytes())
    content[12_000:40_000] = bytes(range(250)) * 112
    file.write_bytes(content)
    for arguments in (["report", "run"], ["replay", "run", 150], [*TINY, "--repeats", 20, "--out", "run"]):
        assert f"run/{STORE_FILE}" in refused(*arguments, capsys=capsys)


def test_names_that_the_terminal_cannot_show(capsys):
    Path("zoe.py").write_text(BROKEN.replace("Broken", "Zoé"), encoding="utf-8")
    arguments = ["tournament", "--players", "random", "python:zoe:Zoé", "--bricks", "D4", "--workers", "1"]
    done = subprocess.run(
        [*BTTT, *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert done.returncode == 1
    assert b"Zo\\xe9" in done.stdout


def test_report_keeps_the_run_s_anchor_unless_another_is_asked_for(capsys):
    bttt(*TINY, "--out", "run", "--anchor", "minimax:depth=1", capsys=capsys)
    assert "elo: 0 is minimax:depth=1" in bttt("report", "run", capsys=capsys)[1]
    assert "elo: 0 is random" in bttt("report", "run", "--anchor", "random", capsys=capsys)[1]
    assert "anchor 'nobody' is not a player" in refused("report", "run", "--anchor", "nobody", capsys=capsys)


def test_kill_at_any_instant_and_resume_equals_an_uninterrupted_run(capsys):
    """Kills a running tournament several times with SIGKILL, then lets it finish."""
    killed_with = []
    for _ in range(3):
        process = subprocess.Popen(
            [*BTTT, *KILLED, "--workers", "2", "--out", "killed"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        begun = len(stored("killed")) if Path("killed", STORE_FILE).exists() else 0
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
            if _stored_count("killed") > begun:
                break
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        killed_with.append(_stored_count("killed"))
    assert 0 < killed_with[0] < killed_with[-1] < 144, killed_with
    kept = stored("killed")
    for folder in ("killed", "whole"):
        assert bttt(*KILLED, "--workers", 1, "--out", folder, capsys=capsys)[0] == 0
    assert stored("killed") == stored("whole")
    assert len(stored("whole")) == 144
    assert_kept(kept, stored("killed"))


def _stored_count(folder):
    try:
        return (
            sqlite3.connect(f"file:{folder}/{STORE_FILE}?mode=ro", uri=True)
            .execute("SELECT count(*) FROM games")
            .fetchone()[0]
        )
    except sqlite3.Error:
        return 0


def test_full_disk_is_one_line_and_loses_nothing(capsys):
    """A limit on file sizes simulates a full disk: writes fail in the middle of the run."""
    arguments = [*TINY, "--repeats", "30", "--out", "full"]
    done = subprocess.run(
        [*BTTT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert re.search(r"^bttt tournament: error: .*(disk|full|I/O|large)", done.stderr, re.M), done.stderr
    kept = stored("full")
    assert 0 < len(kept) < 240
    assert bttt(*arguments, capsys=capsys)[0] == 0
    assert len(stored("full")) == 240
    assert_kept(kept, stored("full"))


def test_interrupt_keeps_what_is_finished_and_says_so():
    process = subprocess.Popen(
        [*BTTT, *KILLED, "--workers", "1", "--out", "run", "--anchor", "random"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not _stored_count("run"):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "rerun the command to resume" in out
    assert "Traceback" not in out + err
    assert 0 < len(stored("run")) < 144
