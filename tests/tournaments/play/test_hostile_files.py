"""Tournament files of others: wrong values in every column, foreign tables, endless queries, names."""

import json
import sqlite3
from contextlib import closing
from math import inf, nan

import pytest
from records import random_round_robin

from bttt import Board
from tournaments.play.rows import COLUMNS
from tournaments.play.store import STORE_FILE, Store
from tournaments.report.publishing import publish

PLAYERS = ("a", "b")
ESCAPES = "\x1b[31m\x1b]0;owned\x07\n\u202e"
WRONG = ("\x1b[2J", b"\xff\xfe", None, 2**62, inf, nan, -1, 0.5)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / STORE_FILE
    with Store.create_or_open(path, {"seed": 0, "players": list(PLAYERS)}, PLAYERS, 4) as store:
        store.add(random_round_robin(PLAYERS, [Board.parse("3x3x3:B2"), Board.parse("4x4x3")]))
    change(path, "INSERT INTO stages (run_id, players, boards, repeats) VALUES (1, 2, 1, 1)")
    change(path, "INSERT INTO tracebacks (player_id, number, text) VALUES (1, 0, 'Traceback')")
    return path


def change(path, *statements, values=()):
    """Runs statements as anybody could, without our schema's constraints."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("PRAGMA synchronous = OFF")
        for statement in statements:
            connection.execute(statement, values)


def without_constraints(path):
    """Replaces the tables by ones without types and constraints, with the same rows."""
    for table in COLUMNS:
        change(path, f"CREATE TABLE copied AS SELECT * FROM {table}", f"DROP TABLE {table}")
        with closing(sqlite3.connect(path)) as connection:
            names = [row[1] for row in connection.execute("PRAGMA table_info(copied)")]
        change(path, f"CREATE TABLE {table} ({', '.join(names)})")
        change(path, f"INSERT INTO {table} SELECT * FROM copied", "DROP TABLE copied")


def read(path):
    with Store.open(path, read_only=True) as store:
        store.finished()
        store.tracebacks()
        for game in store.games():
            assert game.positions()[-1].plies == len(game.cells)


def publish_it(path):
    with Store.open(path, read_only=True) as store:
        return publish(path.parent, store, anchor=None, csv=True)


@pytest.mark.parametrize("table", COLUMNS)
def test_a_wrong_value_in_any_column_is_one_line_with_the_column(path, table, capsys):
    change(path, "DROP VIEW results")
    without_constraints(path)
    read(path)  # types and constraints are not needed
    before = path.read_bytes()
    for column, (_, fits) in COLUMNS[table].items():
        for value in WRONG:
            path.write_bytes(before)
            change(path, f"UPDATE {table} SET {column} = ? WHERE rowid = 1", values=(value,))
            stored = None if value != value else value
            try:
                read(path)
            except ValueError as error:
                message = str(error)
                assert "\n" not in message and message.isprintable(), (column, value)
                assert STORE_FILE in message and "restore it from a copy, or delete it" in message
                if not isinstance(value, bytes) and not fits(stored):
                    assert f"{table}.{column} must be " in message, (column, value)
            else:
                assert fits(stored), f"{table}.{column} = {value!r} was read"
                publish_it(path)
    assert "\x1b" not in capsys.readouterr().out


def test_a_game_that_goes_on_after_its_end_is_refused(path):
    lines = {"A1 B1 A2 B3 A3 C1": True, "A1 B1 A2 C1 C3 A3 B3": False, "A1 C1 B1 C2 A3 C3 B3": True}
    for moves, goes_on in lines.items():
        cells = moves.split()
        outcome = "'second wins'" if "C3 B3" in moves else "'first wins'"
        change(path, "DELETE FROM games WHERE id != 1", "DELETE FROM moves")
        change(path, f"UPDATE games SET board = '3x3x3:B2', plies = {len(cells)}, outcome = {outcome}")
        for ply, cell in enumerate(cells):
            change(path, f"INSERT INTO moves VALUES (1, {ply}, '{cell}', 0, NULL, NULL)")
        if goes_on:
            with pytest.raises(ValueError, match="it goes on after its end"):
                read(path)
        else:
            read(path)


RECURSION = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT"


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (
            ("DROP VIEW results", f"CREATE VIEW results AS {RECURSION} x AS id FROM n"),
            None,  # it is not read
        ),
        (
            ("DROP TABLE games", f"CREATE VIEW games AS {RECURSION} x AS id FROM n"),
            "games is not an ordinary table",
        ),
        (
            ("DROP TABLE moves", "CREATE VIRTUAL TABLE moves USING fts5(game_id, ply, cell)"),
            "moves is not an ordinary table",
        ),
        (
            ("CREATE TRIGGER t AFTER INSERT ON games BEGIN DELETE FROM games; END",),
            "it has triggers",
        ),
        (
            ("ALTER TABLE games ADD COLUMN x GENERATED ALWAYS AS (zeroblob(1000000000)) VIRTUAL",),
            "table games has computed columns",
        ),
        (("DROP TABLE moves",), "it has no table moves"),
        (("ALTER TABLE moves RENAME COLUMN seconds TO time",), "table moves has no column seconds"),
        (("DELETE FROM runs",), "table runs must have one row"),
        (("DELETE FROM moves WHERE ply = 1",), "moves were stored"),
        (("UPDATE games SET first_id = 99",), "no player with the id 99"),
        (("UPDATE players SET name = 'a'",), "UNIQUE"),
        (("UPDATE moves SET cell = 'B2' WHERE ply = 0",), "is a brick"),
        (("UPDATE games SET first_id = second_id",), None),  # a player may play against itself
        (("UPDATE games SET outcome = 'draw'",), "its outcome must be"),
        (("UPDATE runs SET settings = '" + "[" * 100_000 + "'",), "deep"),
        (("UPDATE runs SET settings = '[]'",), "runs.settings must be a JSON object"),
    ],
)
def test_foreign_content_is_refused_in_one_line(path, statements, message):
    try:
        change(path, *statements)
    except sqlite3.IntegrityError as error:
        assert message in str(error)
        return
    if message is None:
        publish_it(path)
        return
    with pytest.raises(ValueError, match=message) as caught:
        read(path)
    assert str(caught.value).isprintable()


def test_a_query_takes_no_more_steps_than_the_file_can_need(path, monkeypatch):
    monkeypatch.setattr("tournaments.play.database.STEPS", 100_000)
    monkeypatch.setattr("tournaments.play.database.STEPS_A_BYTE", 0)
    with Store.open(path, read_only=True) as store:
        monkeypatch.setattr("tournaments.play.store.select", lambda *_: f"{RECURSION} x FROM n WHERE x < 0")
        with pytest.raises(ValueError, match="a query takes too long"):
            store.games()


def test_names_and_reasons_are_printed_without_control_characters(path, capsys):
    hostile = f"{ESCAPES}name"
    settings = json.dumps({"seed": hostile, hostile: [hostile]})
    change(path, "UPDATE players SET name = ? WHERE name = 'a'", values=(hostile,))
    change(path, "UPDATE runs SET settings = ?", values=(settings,))
    change(path, "DELETE FROM moves WHERE game_id = 1")
    change(
        path,
        "UPDATE games SET plies = 0, forfeit = ?, outcome = 'second wins' WHERE id = 1",
        values=(hostile,),
    )
    assert publish_it(path).count == 1
    page = (path.parent / "report.html").read_text(encoding="utf-8")
    texts = [capsys.readouterr().out, page, (path.parent / "games.csv").read_text(encoding="utf-8")]
    for text in texts:
        assert "\\x1b[31m" in text
        assert all(symbol.isprintable() or symbol in "\n\u202f\u200b" for symbol in text)
