"""The rows of a tournament file and what each column holds; any other value is an error that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bttt import OUTCOME_TEXT, Board, Outcome, has_line
from bttt.runs import printable
from tournaments.play.game_record import GameRecord
from tournaments.play.schedule import Numbering

OUTCOME_BY_TEXT = {text: outcome for outcome, text in OUTCOME_TEXT.items() if outcome}
MOST = 1e300
"""Numbers are below this, so that a thousand times as much is one too."""
Check = tuple[str, Callable[[Any], bool]]


def _whole(value: Any) -> bool:
    return isinstance(value, int) and value >= 0


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < MOST


WHOLE: Check = ("a whole number from 0", _whole)
TEXT: Check = ("text", lambda value: isinstance(value, str))
COLUMNS: Mapping[str, Mapping[str, Check]] = {
    "runs": {"id": WHOLE, "settings": TEXT, "games": WHOLE, "created": TEXT, "version": TEXT},
    "players": {"id": WHOLE, "name": TEXT},
    "games": {
        "id": WHOLE,
        "number": WHOLE,
        "first_id": WHOLE,
        "second_id": WHOLE,
        "board": TEXT,
        "repeat": WHOLE,
        "opening_plies": WHOLE,
        "plies": WHOLE,
        "outcome": (" or ".join(OUTCOME_BY_TEXT), lambda value: value in OUTCOME_BY_TEXT),
        "forfeit": ("text or NULL", lambda value: value is None or isinstance(value, str)),
    },
    "moves": {
        "game_id": WHOLE,
        "ply": WHOLE,
        "cell": TEXT,
        "seconds": ("a number from 0", lambda value: _number(value) and value >= 0),
        "value": ("a number or NULL", lambda value: value is None or _number(value)),
        "nodes": ("a whole number from 0 or NULL", lambda value: value is None or _whole(value)),
    },
    "tracebacks": {"player_id": WHOLE, "number": WHOLE, "text": TEXT},
    "stages": {"id": WHOLE, "players": WHOLE, "boards": WHOLE, "repeats": WHOLE},
}
"""The columns that are read, by table: what each holds, in words, and the test of a value."""
OPTIONAL = ("tracebacks", "stages")
"""Tables that files of older versions lack."""
SHOWN = 40
"""Characters of a wrong value that an error shows."""


def select(table: str, rest: str = "") -> str:
    """Returns the query of all columns of a table that are read."""
    return f"SELECT {', '.join(COLUMNS[table])} FROM {table} {rest}"


def checked(table: str, row: Sequence[Any]) -> tuple[Any, ...]:
    """Returns a row of `select`; ValueError if a column holds another type of value than it should."""
    for (column, (what, fits)), value in zip(COLUMNS[table].items(), row, strict=True):
        if not fits(value):
            raise ValueError(f"{table}.{column} must be {what}, got {printable(repr(value))[:SHOWN]}")
    return tuple(row)


def require_scheduled(
    games: Iterable[Sequence[Any]], numbering: Numbering, scheduled: int, players: Mapping[int, str]
) -> None:
    """Raises ValueError unless checked rows of `games` fit the schedule of their run.

    Args:
        games: The rows.
        numbering: The numbers of the scheduled games.
        scheduled: How many games the file says are scheduled.
        players: Names of the players by their ids.
    """
    if numbering.games != scheduled:
        raise ValueError(
            f"it says that {scheduled} games are scheduled, but its settings give {numbering.games}"
        )
    for _, number, first, second, board, repeat, *_ in games:
        try:
            names = players[first], players[second]
            own = numbering.number(*names, board, repeat)
            if own != number:
                raise ValueError(f"{names[0]} against {names[1]} on {board}, repeat {repeat}, is game {own}")
        except KeyError as error:
            raise ValueError(f"game {number}: there is no player with the id {error}") from None
        except ValueError as error:
            raise ValueError(f"game {number} does not fit the schedule: {printable(str(error))}") from None


def game_record(
    game: Sequence[Any], moves: Sequence[Sequence[Any]], players: Mapping[int, str]
) -> GameRecord:
    """Returns the record of a game, given a checked row of `games` and its checked rows of `moves`.

    Raises:
        ValueError: The rows do not fit together, or such a game cannot have been played.
    """
    _, number, first, second, board_text, repeat, opening_plies, plies, outcome, forfeit = game
    names, seconds, values, nodes = ([move[place] for move in moves] for place in (2, 3, 4, 5))
    try:
        board = Board.parse(board_text)
        record = GameRecord(
            index=number,
            first=players[first],
            second=players[second],
            board=board,
            repeat=repeat,
            opening_plies=opening_plies,
            cells=tuple(map(board.cell, names)),
            outcome=OUTCOME_BY_TEXT[outcome],
            forfeit=None if forfeit is None else printable(forfeit),
            seconds=tuple(map(float, seconds)),
            values=tuple(values),
            nodes=tuple(nodes),
        )
        if opening_plies > board.cells:
            raise ValueError(f"an opening of {opening_plies} plies does not fit on {board}")
        if len(moves) != plies:
            raise ValueError(f"{plies} moves were stored, {len(moves)} are there")
        _require_playable(record)
    except KeyError as error:
        raise ValueError(f"game {number}: there is no player with the id {error}") from None
    except ValueError as error:
        raise ValueError(f"game {number}: {printable(str(error))}") from None
    return record


def _require_playable(game: GameRecord) -> None:
    """Raises ValueError unless the cells are moves of one game that can have this outcome."""
    board, cells = game.board, game.cells
    if len({*cells, *board.bricks}) != len(cells) + len(board.bricks):
        raise ValueError("a cell is played twice, or is a brick")

    def has_won(stones: Sequence[int]) -> bool:
        return has_line(sum(map(board.bit, stones)), board.stride, board.win_length)

    if has_won(cells[:-1][0::2]) or has_won(cells[:-1][1::2]):
        raise ValueError("it goes on after its end")
    mover = (len(cells) - 1) % 2
    if has_won(cells[mover::2]):
        wanted = (Outcome.FIRST_WINS, Outcome.SECOND_WINS)[mover]
        if game.outcome != wanted or game.forfeit is not None:
            raise ValueError(f"its outcome must be {OUTCOME_TEXT[wanted]!r} by its moves")
    elif game.forfeit is not None and game.outcome == Outcome.DRAW:
        raise ValueError("a forfeited game has no draw")
