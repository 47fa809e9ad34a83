"""The store of a tournament: one SQLite file, written in transactions.

`schema.sql` describes the tables. The file is in WAL mode: committed transactions are kept if the process is
killed, and the file can be read while a tournament is running. A power cut may lose the last few games, which
a resumed run plays again; it does not corrupt the file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from bttt import OUTCOME_TEXT, Board, __version__
from tournaments.play.game_record import GameRecord

APPLICATION_ID = 0x42545454  # "BTTT", in the SQLite header: distinguishes these files from other databases
SCHEMA_VERSION = 1
STORE_FILE = "tournament.sqlite"
OUTCOME_BY_TEXT = {text: outcome for outcome, text in OUTCOME_TEXT.items()}
BUSY_SECONDS = 10.0
HAS_TRACEBACKS = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'tracebacks'"
DAMAGE = (ValueError, TypeError, KeyError)
"""Exceptions that reading raises if the content was not written by this program."""


class Store:
    """An open tournament file; use it in a `with` statement."""

    def __init__(self, path: Path, connection: sqlite3.Connection):
        self.path = path
        self._connection = connection
        with _errors_name(path, *DAMAGE):
            row = connection.execute("SELECT settings, games, created FROM runs WHERE id = 1").fetchone()
            self.settings: dict[str, Any] = json.loads(row[0])
            self._player_ids = dict(connection.execute("SELECT name, id FROM players ORDER BY id"))
        self.scheduled: int = row[1]
        self.created: str = row[2]

    @classmethod
    def create_or_open(
        cls, path: Path, settings: Mapping[str, Any], players: Sequence[str], games: int
    ) -> Store:
        """Returns the store at `path`; creates it with these settings if there is none.

        The caller must compare `settings` with the settings of the store that it gets.

        Raises:
            ValueError: The file is not a tournament of this program.
        """
        with _errors_name(path), closing(_connect(path, read_only=False)) as connection:
            if _is_empty(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                # One transaction, begun before checking again: after a kill, or in a second process, the
                # file has either no tables or all of them.
                connection.execute("BEGIN IMMEDIATE")
                if _is_empty(connection):
                    _create_tables(connection, settings, players, games)
                connection.execute("COMMIT")
        return cls.open(path)

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Store:
        """Returns the store at `path`.

        Raises:
            ValueError: The file does not exist, or it is not a tournament of this program.
        """
        if not path.is_file():
            raise ValueError(f"no tournament at {path}")
        with _errors_name(path):
            connection = _connect(path, read_only)
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION_ID or version != SCHEMA_VERSION:
            connection.close()
            raise ValueError(
                f"{path} is not a tournament of this program (application id {application:#x}, version "
                f"{version}; expected {APPLICATION_ID:#x}, version {SCHEMA_VERSION})"
            )
        with _errors_name(path):
            for statement in () if read_only else _statements(_schema()):
                if "IF NOT EXISTS" in statement:  # a run of an older version goes on
                    connection.execute(statement)
        return cls(path, connection)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    @property
    def players(self) -> list[str]:
        """The players' names, in the order given."""
        return list(self._player_ids)

    def finished(self) -> set[int]:
        """Returns the schedule numbers of the stored games."""
        with _errors_name(self.path):
            return {number for (number,) in self._connection.execute("SELECT number FROM games")}

    def add(self, records: Iterable[GameRecord]) -> None:
        """Stores finished games in one transaction; games that are already stored do not change.

        Raises:
            OSError: The file cannot be written; games stored earlier are kept.
        """
        with _errors_name(self.path), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for record in records:
                self._add(record)

    def _add(self, record: GameRecord) -> None:
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO games (run_id, number, first_id, second_id, board, bricks, repeat,"
            " opening_plies, plies, outcome, forfeit) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.index,
                self._player_ids[record.first],
                self._player_ids[record.second],
                str(record.board),
                record.board.brick_names,
                record.repeat,
                record.opening_plies,
                len(record.cells),
                OUTCOME_TEXT[record.outcome],
                record.forfeit,
            ),
        )
        if cursor.rowcount == 0:
            return
        if record.traceback is not None and record.forfeiter is not None:
            self._connection.execute(
                "INSERT OR IGNORE INTO tracebacks (player_id, number, text) VALUES (?, ?, ?)",
                (self._player_ids[record.forfeiter], record.index, record.traceback),
            )
        game_id = cursor.lastrowid
        cells = [record.board.cell_name(cell) for cell in record.cells]
        self._connection.executemany(
            "INSERT INTO moves (game_id, ply, cell, seconds, value, nodes) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (game_id, ply, *move)
                for ply, move in enumerate(
                    zip(cells, record.seconds, record.values, record.nodes, strict=True)
                )
            ],
        )

    def tracebacks(self) -> dict[str, str]:
        """Returns the first traceback of each player that raised an exception.

        Raises:
            ValueError: The file is corrupt.
        """
        with _errors_name(self.path, *DAMAGE):
            if not self._connection.execute(HAS_TRACEBACKS).fetchone():
                return {}
            names = {number: name for name, number in self._player_ids.items()}
            rows = self._connection.execute("SELECT player_id, text FROM tracebacks ORDER BY player_id")
            return {names[player]: str(text) for player, text in rows}

    def games(self, number: int | None = None) -> list[GameRecord]:
        """Returns the stored games in schedule order, or only the game with this number.

        Raises:
            ValueError: The file is corrupt.
        """
        with _errors_name(self.path, *DAMAGE):
            return self._games(number)

    def _games(self, number: int | None) -> list[GameRecord]:
        chosen = "" if number is None else "WHERE number = :number"
        rows = self._connection.execute(
            "SELECT id, number, first, second, board, repeat, opening_plies, outcome, forfeit"
            f" FROM results {chosen} ORDER BY number",
            {"number": number},
        ).fetchall()
        moves: dict[int, list[tuple[Any, ...]]] = {row[0]: [] for row in rows}
        query = "SELECT game_id, cell, seconds, value, nodes FROM moves"
        if number is not None:
            query += " WHERE game_id IN (SELECT id FROM games WHERE number = :number)"
        for game_id, *move in self._connection.execute(f"{query} ORDER BY game_id, ply", {"number": number}):
            # A game stored since the first query waits for the next call.
            if game_id in moves:
                moves[game_id].append(tuple(move))
        return [_record(row, moves[row[0]]) for row in rows]


def store_path(run: Path) -> Path:
    """Returns the tournament file of a run; `run` is its folder or the file itself."""
    return run / STORE_FILE if run.is_dir() else run


@contextmanager
def _errors_name(path: Path, *others: type[Exception]) -> Iterator[None]:
    """Turns SQLite's errors, and `others` that a corrupt file raises, into errors that name the file."""
    damage: tuple[type[Exception], ...] = (sqlite3.DatabaseError, *others)
    try:
        yield
    except sqlite3.OperationalError as error:  # for example a full disk; the content is intact
        raise OSError(f"{path}: {error} (stored games are kept)") from error
    except damage as error:
        raise ValueError(f"{path} cannot be read as a tournament ({error})") from error


def _is_empty(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0)


def _create_tables(
    connection: sqlite3.Connection, settings: Mapping[str, Any], players: Sequence[str], games: int
) -> None:
    for statement in _statements(_schema()):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO runs (id, settings, games, created, version) VALUES (1, ?, ?, ?, ?)",
        (json.dumps(settings), games, datetime.now(UTC).isoformat(timespec="seconds"), __version__),
    )
    connection.executemany("INSERT INTO players (run_id, name) VALUES (1, ?)", [(name,) for name in players])
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _schema() -> str:
    return resources.files("tournaments.play").joinpath("schema.sql").read_text(encoding="utf-8")


def _statements(script: str) -> Iterator[str]:
    """Yields the statements of a script; `executescript` would end the current transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _connect(path: Path, read_only: bool) -> sqlite3.Connection:
    if not read_only:
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection
    # Opened like a writer, since the last reader in mode=ro does not remove the WAL's files.
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        # In a read-only folder, WAL cannot create its shared memory. `immutable` reads the main file alone,
        # which is complete unless a writer was killed or is running.
        connection.close()
        wal = path.with_name(f"{path.name}-wal")
        if wal.exists() and wal.stat().st_size:
            raise OSError(
                f"{path}: its newest games are in {wal.name}, which cannot be read in a read-only folder; "
                "copy both files to a writable folder"
            ) from None
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)
    return connection


def _record(row: tuple[Any, ...], moves: list[tuple[Any, ...]]) -> GameRecord:
    _, number, first, second, board_text, repeat, opening_plies, outcome, forfeit = row
    board = Board.parse(board_text)
    names, seconds, values, nodes = zip(*moves, strict=True) if moves else ((), (), (), ())
    return GameRecord(
        index=number,
        first=first,
        second=second,
        board=board,
        repeat=repeat,
        opening_plies=opening_plies,
        cells=tuple(board.cell(name) for name in names),
        outcome=OUTCOME_BY_TEXT[outcome],
        forfeit=forfeit,
        seconds=seconds,
        values=values,
        nodes=nodes,
    )
