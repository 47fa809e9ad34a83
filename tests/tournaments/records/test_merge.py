"""Merging runs: their union, equal games once, and what is refused."""

import sqlite3
from contextlib import closing, redirect_stdout
from dataclasses import replace
from io import StringIO

import pytest

from agents.random_agent import RandomAgent
from tournaments.play.conditions import Conditions
from tournaments.play.growth import open_growing
from tournaments.play.runner import play_games
from tournaments.play.store import STORE_FILE, Store
from tournaments.play.stored_run import missing_games
from tournaments.records.merge import MergeConfig, run

BOARDS = ("3x3x3:B2", "4x4x3")


def settings(players="ab", boards=BOARDS[:1], repeats=1, **more):
    fields = {"schedule": "round-robin", "players": list(players), "boards": list(boards)}
    return {**fields, "repeats": repeats, "seed": 3, **more}


def play(folder, wanted, chosen=slice(None)):
    """Plays the chosen ones of the missing games."""
    folder.mkdir(exist_ok=True)
    store, schedule = open_growing(folder, wanted)
    with store:
        agents = {player: RandomAgent() for player in store.settings["players"]}
        store.add(play_games(missing_games(schedule, store)[chosen], agents, Conditions(seed=3)))
    return folder


def stored(folder):
    with Store.open(folder / STORE_FILE, read_only=True) as store:
        return [replace(game, seconds=()) for game in store.games()], store.settings, store.scheduled


def merge(*runs, out):
    text = StringIO()
    with redirect_stdout(text):
        assert run(MergeConfig(runs, out)) == 0
    return text.getvalue()


def test_parts_of_a_run_join_to_the_whole_and_equal_games_count_once(tmp_path):
    wanted = settings("abc", BOARDS, 2)
    one, two = play(tmp_path / "one", wanted, slice(0, 15)), play(tmp_path / "two", wanted, slice(9, None))
    told = merge(one, two, out=tmp_path / "both")
    assert "24 of 24 games" in told and "none of the runs" not in told
    assert stored(tmp_path / "both") == stored(play(tmp_path / "whole", wanted))
    assert (tmp_path / "both" / "report.html").exists()


def test_runs_with_other_players_boards_and_repeats_join_and_go_on(tmp_path):
    one = play(tmp_path / "one", settings("ab", BOARDS[:1], 2, fingerprints=["a 1", "b 2"]))
    two = play(tmp_path / "two", settings("ca", BOARDS[::-1], 1, fingerprints=["c 3", "a 1"]))
    assert "16 of 24 games are in none of the runs; to play" in merge(one, two, out=tmp_path / "both")
    games, joined, scheduled = stored(tmp_path / "both")
    assert (len(games), scheduled) == (8, 24)
    assert joined["players"] == list("abc") and joined["boards"] == list(BOARDS) and joined["repeats"] == 2
    assert joined["fingerprints"] == ["c 3", "a 1", "b 2"]
    whole = play(tmp_path / "whole", settings("abc", BOARDS, 2, fingerprints=["a 1", "b 2", "c 3"]))
    play(tmp_path / "both", joined)
    assert stored(tmp_path / "both")[0] == stored(whole)[0]


def test_a_game_that_differs_is_named(tmp_path):
    one, two = play(tmp_path / "one", settings()), play(tmp_path / "two", settings())
    with closing(sqlite3.connect(two / STORE_FILE, isolation_level=None)) as connection:
        connection.execute("DELETE FROM moves WHERE game_id = 1")
        connection.execute("UPDATE games SET plies = 0, forfeit = 'x', outcome = 'draw' WHERE id = 1")
        connection.execute("UPDATE games SET outcome = 'second wins' WHERE id = 1")
    with pytest.raises(ValueError, match=r"the game of a against b on 3x3x3:B2, repeat 0, differs between"):
        run(MergeConfig((one, two), tmp_path / "both"))
    assert not (tmp_path / "both").exists()


def test_what_cannot_be_merged_is_one_line(tmp_path):
    one, two = play(tmp_path / "one", settings()), play(tmp_path / "two", settings(opening_plies=1))
    with pytest.raises(ValueError, match="opening_plies is None there and 1 here"):
        run(MergeConfig((one, two), tmp_path / "both"))
    with pytest.raises(ValueError, match="at least 2 runs, got 1"):
        run(MergeConfig((one,), tmp_path / "both"))
    with pytest.raises(ValueError, match="holds a run"):
        run(MergeConfig((one, one), one))
    with pytest.raises(ValueError, match="no tournament at"):
        run(MergeConfig((one, tmp_path / "nowhere"), tmp_path / "both"))
    other = play(tmp_path / "other", settings(fingerprints=["a 2"]))
    same = play(tmp_path / "same", settings(fingerprints=["a 1"]))
    with pytest.raises(ValueError, match="fingerprints is a 1 there and a 2 here"):
        run(MergeConfig((same, other), tmp_path / "both"))


def test_games_of_another_command_are_no_tournament(tmp_path):
    one = play(tmp_path / "one", settings())
    (tmp_path / "other").mkdir()
    for wrong in ({"agents": ["a"]}, settings(["a", 5]), settings(repeats="2")):
        path = tmp_path / "other" / STORE_FILE
        path.unlink(missing_ok=True)
        Store.create_or_open(path, wrong, "ab", 0).close()
        with pytest.raises(ValueError, match="is not a run of bttt tournament"):
            run(MergeConfig((one, path.parent), tmp_path / "both"))
        with pytest.raises(ValueError, match="holds other games"):
            open_growing(path.parent, settings())


def test_runs_of_the_first_version_join_only_with_their_like(tmp_path):
    wanted = settings("abc", BOARDS)
    one, two = play(tmp_path / "one", wanted, slice(0)), play(tmp_path / "two", wanted, slice(0))
    for folder in (one, two):
        with closing(sqlite3.connect(folder / STORE_FILE)) as connection:
            connection.execute("PRAGMA user_version = 1")
    play(one, wanted, slice(0, 8)), play(two, wanted, slice(5, None))
    merge(one, two, out=tmp_path / "both")
    assert stored(tmp_path / "both") == stored(play(one, wanted))
    with pytest.raises(ValueError, match=r"is a run of version 0\.1"):
        run(MergeConfig((one, play(tmp_path / "new", wanted)), tmp_path / "mixed"))
