"""`bttt tournament` with balanced openings and adjudication: the real command with a tiny budget."""

import csv
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from commands import last_of_each

from bttt.__main__ import main
from bttt.position import Outcome
from bttt.runs.folder import default_folder
from tournaments.play.store import STORE_FILE, Store

SMALL = ["tournament", "--players", "random", "perfect:table_mb=4", "--board", "4x4x3", "--workers", "1"]


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def stored(folder):
    with Store.open(Path(folder) / STORE_FILE, read_only=True) as store:
        return [replace(game, seconds=()) for game in store.games()]


def refused(*arguments, capsys):
    assert main([str(argument) for argument in arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_the_perfect_player_wins_every_balanced_game_that_is_won_for_it():
    arguments = [*SMALL, "--bricks", "A1", "B2", "--repeats", "2", "--openings", "balanced"]
    assert main([*arguments, "--out", "run"]) == 0
    games = stored("run")
    assert len(games) == 8
    openings = {}
    for game in games:
        assert game.opening_plies == 5
        openings.setdefault((game.board, game.repeat), set()).add(game.cells[:5])
    assert {len(found) for found in openings.values()} == {1}
    perfect_wins = Counter(
        game.winner for game in games if game.players[game.winner or 0].startswith("perfect")
    )
    assert (
        min(perfect_wins[seat] for seat in (0, 1)) >= 2
    )  # each opening is won for one seat, and it has both
    assert main(last_of_each([*arguments, "--workers", "2", "--in-flight", "2", "--out", "two"])) == 0
    assert stored("two") == games


def test_adjudicated_games_are_stored_replayed_reported_and_exported(capsys):
    arguments = [*SMALL, "--bricks", "none", "--repeats", "2", "--adjudicate", "5", "--csv", "--out", "run"]
    assert main(arguments) == 0
    adjudicated = [game for game in stored("run") if game.adjudicated]
    assert f"4 of 4 games, 0 forfeits, {len(adjudicated)} adjudicated" in capsys.readouterr().out
    assert adjudicated and all(game.outcome != Outcome.UNFINISHED for game in adjudicated)
    assert main(["replay", "run", str(adjudicated[0].index)]) == 0
    assert re.search(r"^(first wins|second wins|draw) by adjudication$", capsys.readouterr().out, re.M)
    rows = list(csv.DictReader(Path("run/games.csv").read_text().splitlines()))
    assert [int(row["adjudicated"]) for row in rows] == [game.adjudicated for game in stored("run")]
    assert f"unique, {len(adjudicated)} adjudicated" in Path("run/report.html").read_text()
    assert main(["report", "run"]) == 0


def test_settings_that_are_not_used_do_not_move_old_runs_to_another_folder():
    assert main(last_of_each([*SMALL, "--bricks", "none", "--out", "run"])) == 0
    with Store.open(Path("run", STORE_FILE)) as store:
        settings = store.settings
    assert list(settings) == [
        *("schedule", "players", "boards", "repeats", "seed", "opening_plies", "seconds_per_move")
    ]
    old = json.loads(
        '{"schedule": "round-robin", "players": ["random", "perfect:table_mb=4"], "boards": ["4x4x3"],'
        ' "repeats": 1, "seed": 0, "opening_plies": 0, "seconds_per_move": null}'
    )
    assert default_folder("tournament", settings) == default_folder("tournament", old)


@pytest.mark.parametrize("option", [["--adjudicate", "5"], ["--openings", "balanced"]])
def test_a_run_is_not_resumed_with_or_without_an_option_that_decides_games(option, capsys):
    plain = [*SMALL, "--bricks", "none"]
    assert main([*plain, "--out", "plain"]) == 0
    assert main([*plain, *option, "--out", "other"]) == 0
    capsys.readouterr()
    name = option[0].lstrip("-")
    assert f"{name} is None there and {option[1]} here" in refused(
        *plain, *option, "--out", "plain", capsys=capsys
    )
    assert f"{name} is {option[1]} there and None here" in refused(*plain, "--out", "other", capsys=capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--adjudicate", "0"], "adjudicate must be at least 1, got 0"),
        (["--openings", "fair"], "fair"),
        (
            ["--openings", "balanced", "--opening-plies", "16"],
            "--opening-plies 16 is too long for board 4",
        ),
        (["--openings", "balanced", "--opening-plies", "0", "--repeats", "2"], "on board 4x4x3: none of"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, capsys):
    assert message in refused(*SMALL, "--bricks", "none", *arguments, capsys=capsys)
