"""The store of a tournament: one SQLite file, written in transactions.

`schema.sql` describes the tables. The file is in WAL mode: committed transactions are kept if the process is
killed, and the file can be read while a tournament is running. A power cut may lose the last few games, which
a resumed run plays again; it does not corrupt the file.

The file may come from somebody else: `database` limits what it can do, and `rows` checks what it says. Text
is read without control characters, so that it can be printed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from bttt import OUTCOME_TEXT, __version__
from bttt.runs import CONFIG_FILE, ENVIRONMENT_FILE, json_value, printable
from tournaments.play.database import connect, guarded, is_empty, require_tables
from tournaments.play.game_record import GameRecord
from tournaments.play.rows import COLUMNS, OPTIONAL, checked, game_record, require_scheduled, select
from tournaments.play.schedule import Numbering, is_tournament

APPLICATION_ID = 0x42545454  # "BTTT", in the SQLite header: distinguishes these files from other databases
SCHEMA_VERSION = 2
VERSIONS = (1, SCHEMA_VERSION)
"""The versions that can be read. In tournaments of version 1, random streams follow from games' numbers."""
STORE_FILE = "tournament.sqlite"


class Store:
    """An open tournament file; use it in a `with` statement."""

    def __init__(self, path: Path, connection: sqlite3.Connection, version: int):
        self.path = path
        self.version = version
        self._connection = connection
        with guarded(path, connection):
            self._tables = require_tables(connection, COLUMNS, OPTIONAL)
            rows = connection.execute(select("runs", "LIMIT 2")).fetchall()
            if len(rows) != 1:
                raise ValueError("table runs must have one row")
            _, settings, self.scheduled, created, _ = checked("runs", rows[0])
            self.created = printable(created)
            self.settings: dict[str, Any] = clean(json_value(settings))
            if not isinstance(self.settings, dict):
                raise ValueError("runs.settings must be a JSON object")
            rows = [checked("players", row) for row in connection.execute(select("players", "ORDER BY id"))]
            self._player_ids: dict[str, int] = {printable(name): number for number, name in rows}
            if len(self._player_ids) != len(rows) or len({*self._player_ids.values()}) != len(rows):
                raise ValueError("players must differ")
            query = select("stages", "ORDER BY id")
            stages = connection.execute(query) if "stages" in self._tables else ()
            self.stages: list[tuple[int, int, int]] = [
                (players, boards, repeats)
                for _, players, boards, repeats in (checked("stages", row) for row in stages)
            ]

    @classmethod
    def create_or_open(
        cls,
        path: Path,
        settings: Mapping[str, Any],
        players: Sequence[str],
        games: int,
        *,
        version: int = SCHEMA_VERSION,
    ) -> Store:
        """Returns the store at `path`; creates it with these settings if there is none.

        The caller must compare `settings` with the settings of the store that it gets.

        Args:
            path: The file.
            settings: The settings that determine the games.
            players: The players' names.
            games: Games in the schedule.
            version: The version of a new file, one of `VERSIONS`.

        Raises:
            ValueError: The file is not a tournament of this program, or a run has lost its content.
        """
        _refuse_emptied(path)
        with guarded(path), closing(connect(path, read_only=False)) as connection:
            if is_empty(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                # One transaction, begun before checking again: after a kill, or in a second process, the
                # file has either no tables or all of them.
                connection.execute("BEGIN IMMEDIATE")
                if is_empty(connection):
                    _create_tables(connection, settings, players, games)
                    connection.execute(f"PRAGMA user_version = {version}")
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
        with guarded(path):
            connection = connect(path, read_only=read_only)
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        try:
            if application != APPLICATION_ID:
                raise ValueError(f"{path} is a database of another program, not a tournament of bttt")
            if version not in VERSIONS:
                is_newer = version > SCHEMA_VERSION
                why = (
                    "a newer bttt wrote it: update bttt"
                    if is_newer
                    else "restore it from a copy, or delete it"
                )
                raise ValueError(f"{path} cannot be read as a tournament: {why}")
            with guarded(path):
                for statement in () if read_only else _statements(_schema()):
                    if "IF NOT EXISTS" in statement:  # a run of an older version goes on
                        connection.execute(statement)
            return cls(path, connection, version)
        except (OSError, ValueError):
            connection.close()
            raise

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

    @property
    def is_tournament(self) -> bool:
        """Whether the games are those of a tournament, and not of another command."""
        return is_tournament(self.settings)

    def finished(self) -> set[int]:
        """Returns the schedule numbers of the stored games.

        Raises:
            ValueError: The file is corrupt, or a game does not fit the schedule.
        """
        with guarded(self.path, self._connection):
            return {row[1] for row in self._game_rows()}

    def add(self, records: Iterable[GameRecord]) -> None:
        """Stores finished games in one transaction; games that are already stored do not change.

        Raises:
            OSError: The file cannot be written; games stored earlier are kept.
        """
        with guarded(self.path, self._connection, damage=(sqlite3.Error,)), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for record in records:
                self._add(record)

    def _add(self, record: GameRecord) -> None:
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO games (run_id, number, first_id, second_id, board, bricks, repeat,"
            " opening_plies, plies, outcome, forfeit) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.index,
                self._player_ids[printable(record.first)],
                self._player_ids[printable(record.second)],
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
                (self._player_ids[printable(record.forfeiter)], record.index, record.traceback),
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
        with guarded(self.path, self._connection):
            if "tracebacks" not in self._tables:
                return {}
            names = self._names()
            rows = self._connection.execute(select("tracebacks", "ORDER BY player_id"))
            found = [checked("tracebacks", row) for row in rows]
            return {names[player]: "\n".join(map(printable, text.splitlines())) for player, _, text in found}

    def grow(self, settings: Mapping[str, Any], games: int, stage: tuple[int, int, int]) -> None:
        """Replaces the settings by larger ones, in one transaction.

        Args:
            settings: The settings; "players" begins with the stored players.
            games: Games in the larger schedule.
            stage: Numbers of players, boards and repeats until now.

        Raises:
            OSError: The file cannot be written; it is unchanged.
        """
        with guarded(self.path, self._connection, damage=(sqlite3.Error,)), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "INSERT INTO stages (run_id, players, boards, repeats) VALUES (1, ?, ?, ?)", stage
            )
            self._connection.execute("UPDATE runs SET settings = ?, games = ?", (json.dumps(settings), games))
            for name in settings["players"][len(self._player_ids) :]:
                added = self._connection.execute("INSERT INTO players (run_id, name) VALUES (1, ?)", (name,))
                self._player_ids[name] = int(added.lastrowid or 0)
        self.settings, self.scheduled = dict(settings), games
        self.stages.append(stage)

    def games(self, number: int | None = None) -> list[GameRecord]:
        """Returns the stored games in schedule order, or only the game with this number.

        Raises:
            ValueError: The file is corrupt, or a game does not fit the schedule.
        """
        with guarded(self.path, self._connection):
            return self._games(number)

    def _games(self, number: int | None) -> list[GameRecord]:
        games = self._game_rows(number)
        chosen = () if number is None else (number,)
        moves: dict[int, list[tuple[Any, ...]]] = {game[0]: [] for game in games}
        if len(moves) != len(games) or len({game[1] for game in games}) != len(games):
            raise ValueError("games.id and games.number must differ from game to game")
        where = "" if number is None else "WHERE game_id IN (SELECT id FROM games WHERE number = ?)"
        for row in self._connection.execute(select("moves", f"{where} ORDER BY game_id, ply"), chosen):
            # A game stored since the first query waits for the next call.
            move = checked("moves", row)
            if move[0] in moves:
                moves[move[0]].append(move)
        names = self._names()
        return [game_record(game, moves[game[0]], names) for game in games]

    def _game_rows(self, number: int | None = None) -> list[tuple[Any, ...]]:
        """Returns the rows of games, checked; in a tournament, each fits the schedule."""
        chosen = ("", ()) if number is None else ("WHERE number = ?", (number,))
        query = select("games", f"{chosen[0]} ORDER BY number")
        rows = [checked("games", row) for row in self._connection.execute(query, chosen[1])]
        if self.is_tournament:
            require_scheduled(rows, Numbering(self.settings, self.stages), self.scheduled, self._names())
        return rows

    def _names(self) -> dict[int, str]:
        return {number: name for name, number in self._player_ids.items()}


def clean(value: Any) -> Any:
    """Returns a JSON value whose texts have no control characters."""
    if isinstance(value, dict):
        return {printable(name): clean(each) for name, each in value.items()}
    if isinstance(value, list):
        return [clean(each) for each in value]
    return printable(value) if isinstance(value, str) else value


def store_path(run: Path) -> Path:
    """Returns the tournament file of a run; `run` is its folder or the file itself."""
    return run / STORE_FILE if run.is_dir() else run


def _refuse_emptied(path: Path) -> None:
    """Raises ValueError if a file is empty in the folder of a run that has begun: its games were lost.

    A run records its options only after it has made its file.
    """
    begun = (path.parent / CONFIG_FILE).exists() and (path.parent / ENVIRONMENT_FILE).exists()
    if begun and path.is_file() and not path.stat().st_size:
        raise ValueError(f"{path} is empty: restore it from a copy, or choose another --out")


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
