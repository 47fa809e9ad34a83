"""The SQLite file of a tournament, which may come from anybody: connections, limits and errors.

Only our own tables are read: a view, a virtual table, a computed column or a trigger would run code that the
file's author chose. A query may take only as many of SQLite's steps as reading this file can need.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bttt.runs import one_line

BUSY_SECONDS = 10.0
MOST_BYTES = 2**27
"""Maximum size of a single value, in bytes; the settings of ten million boards would fit."""
STEPS, STEPS_A_BYTE = 10_000_000, 5
"""Maximum steps of a query: a constant, and the steps for each byte of the file. Reading takes 0.3 a byte."""
STEPS_A_CALL = 100_000
DAMAGE = (ValueError, TypeError, KeyError, sqlite3.DatabaseError)
"""Exceptions that reading raises if the content was not written by this program."""
NOT_THE_CONTENT = (
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR),
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM),
)
"""SQLite's errors that do not depend on what the file says."""


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Returns a connection to the file, with limits; the caller reads within `guarded`.

    Raises:
        OSError: The newest games cannot be read in a read-only folder.
        sqlite3.Error: The file cannot be opened.
    """
    if not read_only:
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
        _limit(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection
    # Opened like a writer, since the last reader in mode=ro does not remove the WAL's files.
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)
    _limit(connection)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        # In a read-only folder, WAL cannot create its shared memory. `immutable` reads the main file alone,
        # which is complete unless a writer was killed or is running.
        connection.close()
        wal = _wal(path)
        if wal.exists() and wal.stat().st_size:
            raise OSError(
                f"{path}: its newest games are in {wal.name}, which cannot be read in a read-only folder; "
                "copy both files to a writable folder"
            ) from None
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)
        _limit(connection)
    return connection


def _limit(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1)
    connection.text_factory = bytes.decode  # SQLite's own message on text that is not UTF-8 names no column


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


@contextmanager
def guarded(
    path: Path, connection: sqlite3.Connection | None = None, *, damage: tuple[type[Exception], ...] = DAMAGE
) -> Iterator[None]:
    """Limits the steps of the connection's queries in this block; errors name the file.

    Args:
        path: The file.
        connection: The connection whose steps are limited.
        damage: Exceptions of this block that mean that the content was not written by this program.

    Raises:
        ValueError: The content was not written by this program.
        OSError: The file cannot be read or written; its content is intact.
    """
    if connection is not None:
        size = sum(file.stat().st_size for file in (path, _wal(path)) if file.exists())
        calls = iter(range((STEPS + STEPS_A_BYTE * size) // STEPS_A_CALL))
        connection.set_progress_handler(lambda: next(calls, None) is None, STEPS_A_CALL)
    try:
        yield
    except damage as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in NOT_THE_CONTENT:
            raise OSError(f"{path}: {error} (stored games are kept)") from error
        reason = "a query takes too long" if code == sqlite3.SQLITE_INTERRUPT else one_line(error, own=True)
        raise ValueError(
            f"{path} cannot be read as a tournament ({reason}): restore it from a copy, or delete it"
        ) from error


def is_empty(connection: sqlite3.Connection) -> bool:
    """Returns whether the file has no tables."""
    return bool(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0)


def require_tables(
    connection: sqlite3.Connection, tables: Mapping[str, Iterable[str]], optional: Collection[str] = ()
) -> list[str]:
    """Returns the names of `tables`, without those that are `optional` and not there.

    Raises:
        ValueError: One is not an ordinary table with these columns, or there are triggers.
    """
    (triggers,) = connection.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'").fetchone()
    if triggers:
        raise ValueError("it has triggers")
    there = []
    for table, columns in tables.items():
        found = connection.execute(
            "SELECT type, rootpage FROM sqlite_schema WHERE name = ? AND type != 'index'", (table,)
        ).fetchall()
        if not found and table in optional:
            continue
        if not found:
            raise ValueError(f"it has no table {table}")
        if found[0][0] != "table" or not found[0][1]:  # virtual tables have no page of their own
            raise ValueError(f"{table} is not an ordinary table")
        hidden = {row[1]: row[6] for row in connection.execute(f"PRAGMA table_xinfo({table})")}
        if any(hidden.values()):
            raise ValueError(f"table {table} has computed columns")
        missing = [column for column in columns if column not in hidden]
        if missing:
            raise ValueError(f"table {table} has no column {missing[0]}")
        there.append(table)
    return there
