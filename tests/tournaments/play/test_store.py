"""The SQLite store: round trip, queries, foreign files, and what a kill leaves behind."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from records import record

from agents.random_agent import RandomAgent
from bttt import Outcome, brick_sets
from tournaments.play.conditions import Conditions
from tournaments.play.runner import play_games
from tournaments.play.schedule import schedule_games
from tournaments.play.store import STORE_FILE, Store

PLAYERS = ("a", "b")
SETTINGS = {"seed": 0, "players": list(PLAYERS)}


@pytest.fixture(scope="module")
def records():
    schedule = schedule_games("round-robin", PLAYERS, brick_sets(["D4", "E5", "D4+E5"]), 2)
    agents = {name: RandomAgent() for name in PLAYERS}
    games = sorted(play_games(schedule, agents, Conditions(opening_plies=1)), key=lambda r: r.index)
    games[3] = replace(
        games[3], forfeit="raised X", cells=games[3].cells[:0], seconds=(), values=(), nodes=()
    )
    games[4] = replace(games[4], values=(0.5,) * len(games[4].cells), nodes=(7,) * len(games[4].cells))
    return games


@pytest.fixture
def path(tmp_path):
    return tmp_path / STORE_FILE


def create(path, games=12):
    return Store.create_or_open(path, SETTINGS, PLAYERS, games)


def test_games_come_back_as_they_were(path, records):
    with create(path) as store:
        store.add(reversed(records))
        assert store.games() == records
    with Store.open(path, read_only=True) as store:
        assert store.games() == records
        assert store.games(4) == [records[4]]
        assert store.games(99) == []
        assert (store.settings, store.players, store.scheduled) == (SETTINGS, list(PLAYERS), 12)
        assert store.finished() == set(range(12))


def test_a_stored_game_is_never_overwritten(path, records):
    with create(path) as store:
        store.add(records[:2])
        store.add([replace(records[1], forfeit="another"), records[2]])
        assert store.games() == records[:3]


def test_one_query_finds_all_games_of_a_against_b_on_e5(path, records):
    with create(path) as store:
        store.add(records)
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT number FROM results WHERE first = 'a' AND second = 'b' AND bricks = 'E5' ORDER BY number"
    ).fetchall()
    wanted = [r.index for r in records if r.players == PLAYERS and r.board.brick_names == "E5"]
    assert [number for (number,) in found] == wanted != []


def test_opening_again_keeps_the_first_settings(path, records):
    with create(path) as store:
        store.add(records[:1])
    with Store.create_or_open(path, {"seed": 1}, PLAYERS, 99) as store:
        assert (store.settings, store.scheduled, store.finished()) == (SETTINGS, 12, {0})


def test_a_failing_game_leaves_nothing_of_its_transaction(path, records):
    with create(path) as store:
        with pytest.raises(KeyError):
            store.add([records[0], replace(records[1], first="stranger")])
        assert store.games() == []


def test_wal_mode(path):
    with create(path):
        mode = sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone()
    assert mode == ("wal",)


def test_foreign_database_is_refused_and_left_as_it_is(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE games (x)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    for opener in (create, Store.open):
        with pytest.raises(ValueError, match="is a database of another program, not a tournament of bttt"):
            opener(path)
    assert path.read_bytes() == before


def test_newer_schema_is_refused(path):
    create(path).__exit__()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ValueError, match="a newer bttt wrote it: update bttt"):
        Store.open(path)


@pytest.mark.parametrize("opener", [create, Store.open])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path, opener):
    path.write_text("my thesis, the only copy\n" * 100)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="cannot be read as a tournament"):
        opener(path)
    assert path.read_bytes() == before


def test_missing_file(path):
    with pytest.raises(ValueError, match="no tournament at"):
        Store.open(path)


def test_an_empty_file_from_a_kill_at_creation_is_taken_up(path):
    path.touch()
    with create(path) as store:
        assert store.games() == []


def test_a_kill_inside_a_transaction_loses_only_that_transaction(path, records):
    with create(path) as store:
        store.add(records[:2])
    script = (
        "import os, signal, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "c.execute('DELETE FROM moves')\n"
        "c.execute('DELETE FROM games')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert killed.returncode == -9
    with create(path) as store:
        assert store.games() == records[:2]


@pytest.fixture
def open_path():
    """A file that another user may read, in a folder that nobody else may write."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        yield Path(folder) / STORE_FILE
        Path(folder).chmod(0o755)


def as_an_ordinary_user(work):
    """Returns whether `work` succeeded in a process that is not root's: root may write anywhere."""
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def test_reading_from_a_folder_that_cannot_be_written(open_path, records):
    open_path.parent.chmod(0o755)
    with create(open_path) as store:
        store.add(records)
    open_path.parent.chmod(0o555)

    def read():
        with Store.open(open_path, read_only=True) as store:
            assert store.games() == records
        assert [file.name for file in open_path.parent.iterdir()] == [STORE_FILE]

    assert as_an_ordinary_user(read)


def test_games_in_a_log_that_cannot_be_read_are_not_passed_over_in_silence(open_path, path, records):
    open_path.parent.chmod(0o755)
    with create(path) as store:
        store.add(records)
        for name in (STORE_FILE, f"{STORE_FILE}-wal"):  # as after a kill, without the -shm file
            shutil.copyfile(path.with_name(name), open_path.with_name(name))
    open_path.parent.chmod(0o555)

    def refuse():
        with pytest.raises(OSError, match="its newest games are in tournament"):
            Store.open(open_path, read_only=True)

    assert as_an_ordinary_user(refuse)


def test_the_first_traceback_of_a_player_is_stored_also_in_a_file_of_an_older_version(tmp_path):
    path = tmp_path / STORE_FILE
    lost = {"outcome": Outcome.SECOND_WINS, "forfeit": "raised RuntimeError: no (mine.py:3)"}
    Store.create_or_open(path, {}, ["a", "b"], 3).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE tracebacks")
    with Store.open(path, read_only=True) as old:
        assert old.tracebacks() == {}
    with Store.open(path) as store:
        store.add(
            [record("a", "b", "", index=number, traceback=f"number {number}", **lost) for number in (1, 0)]
        )
        store.add([record("b", "a", "", index=2, outcome=Outcome.DRAW)])
        assert store.tracebacks() == {"a": "number 1"}
        assert [game.broke_down for game in store.games()] == [True, True, False]


def test_an_emptied_file_of_a_run_is_refused(path):
    path.touch()
    create(path).close()  # a kill while it was made, before the run recorded its options
    path.write_bytes(b"")
    for name in ("config.json", "environment.json"):
        (path.parent / name).write_text("{}")
    with pytest.raises(ValueError, match=r"tournament.sqlite is empty: restore it from a copy"):
        create(path)
