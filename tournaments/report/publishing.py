"""The results that a tournament publishes: printed tables, report.html and CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bttt import FIRST, OUTCOME_TEXT, SECOND, Board
from bttt.runs import (
    CONFIG_FILE,
    checking,
    csv_text,
    printable,
    read_json,
    refuse_other_file,
    write_text,
)  # fmt: skip
from tournaments.play import STORE_FILE, TRAINED_ON, GameRecord, Store, broken_players, schedule_of
from tournaments.report.page import report_html
from tournaments.standings import (
    Hypotheses,
    Ratings,
    crosstable_rows,
    crosstable_text,
    fit_ratings,
    ratings_table,
    sequential_test,
)

FORFEITS_SHOWN = 5
TITLE = "Brick Tic-Tac-Toe tournament"
MARKS = {
    "report.html": f"<title>{TITLE}: ",
    "games.csv": "game,first,second,",
    "crosstable.csv": "first,second,board,",
}
"""The beginning of a line among the first `MARK_LINES` of each file: other files are not replaced."""
MARK_LINES = 20


@dataclass(frozen=True)
class Forfeits:
    """What a command needs to know of the forfeits.

    Attributes:
        count: Number of forfeited games.
        broken: Players that forfeited all their games by exceptions or ends of their processes.
    """

    count: int
    broken: tuple[str, ...]


def publish(
    folder: Path,
    store: Store,
    *,
    anchor: str | None,
    csv: bool,
    rate_exceptions: bool = False,
    sprt: str | None = None,
) -> Forfeits:
    """Writes report.html (and CSV files), prints the tables and returns the forfeits.

    Args:
        folder: The folder of the run.
        store: The run's games.
        anchor: The player rated 0; None for the run's own.
        csv: Also write CSV files.
        rate_exceptions: Also rate games that were forfeited by an exception, as losses. The run's own choice
            holds too.
        sprt: The hypotheses of the sequential test; by default the run's.

    Raises:
        ValueError: A file of the same name was not written by this program.
        OSError: A file cannot be written. The tables are printed nevertheless, as after a ValueError.
    """
    games = store.games()
    asked = rate_exceptions or read_json(folder / "config.json", dict).get("rate_exceptions") is True
    rated = [game for game in games if asked or not game.broke_down]
    ratings = fit_ratings(store.players, rated, anchor=_anchor(folder, anchor, rated))
    test = _sequential_test(folder, store, games, sprt)
    try:  # files are written before the tables are printed, since a reader may close the pipe early
        written = _write_files(folder, store, games, ratings, len(games) - len(rated), test, csv=csv)
    finally:
        forfeits = _print_tables(store, games, ratings, len(games) - len(rated))
        if test:
            print(test)
    print(f"written: {folder / STORE_FILE} {' '.join(map(str, written))}")
    return Forfeits(forfeits, broken_players(store.players, games))


def _write_files(
    folder: Path,
    store: Store,
    games: Sequence[GameRecord],
    ratings: Ratings,
    unrated: int,
    test: str,
    *,
    csv: bool,
) -> list[Path]:
    """Returns the files written."""
    settings = {**store.settings, "created": store.created, "scheduled games": store.scheduled}
    settings |= {"sequential test": test} if test else {}
    title = f"{TITLE}: {folder.resolve().name}"
    settings.pop(TRAINED_ON, None)  # shown in its own section
    texts = {
        "report.html": report_html(
            title,
            settings,
            ratings,
            games,
            _trained_on(store),
            unrated=unrated,
            tracebacks=store.tracebacks(),
        )
    }
    if csv:
        texts["games.csv"] = csv_text(map(_game_row, games))
        texts["crosstable.csv"] = csv_text(crosstable_rows(games))
    for name in texts:
        lines = MARK_LINES if name.endswith(".html") else 1
        refuse_other_file(folder / name, MARKS[name], "was not written by bttt: move it away", lines=lines)
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def _sequential_test(folder: Path, store: Store, games: Sequence[GameRecord], sprt: str | None) -> str:
    """Returns the result of the sequential test, or "" if there is none."""
    with checking(folder / CONFIG_FILE):
        config = read_json(folder / CONFIG_FILE, dict)
        hypotheses = sprt or config.get("sprt")
        if hypotheses is None:
            return ""
        schedule = schedule_of(store.settings, store.stages, by_key=True)
        test = sequential_test(schedule, games, config["players"][0], Hypotheses.parse(hypotheses))
    return f"{config['players'][0]}: {test}"


def _trained_on(store: Store) -> dict[str, tuple[Board, ...]]:
    """Returns the players' training boards, if the run records them."""
    stored = store.settings.get(TRAINED_ON, {})
    try:
        return {player: tuple(map(Board.parse, boards)) for player, boards in stored.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{store.path}: the setting {TRAINED_ON!r} is corrupt ({error})") from error


def _print_tables(store: Store, games: Sequence[GameRecord], ratings: Ratings, unrated: int) -> int:
    """Prints the ratings, the crosstable and the counts, and returns the number of forfeits."""
    print(ratings_table(ratings, games))
    if unrated:
        print(f"forfeits by exceptions, not rated: {unrated} (--rate-exceptions rates them as losses).")
    print(f"\n{crosstable_text(ratings.ranked, games)}")
    forfeits = [game for game in games if game.forfeit is not None]
    for game in forfeits[:FORFEITS_SHOWN]:
        print(f"forfeit: game {game.index}, {game.forfeiter} {game.forfeit}")
    if len(forfeits) > FORFEITS_SHOWN:
        print(f"... and {len(forfeits) - FORFEITS_SHOWN} more forfeits, all in the report")
    adjudicated = sum(game.adjudicated for game in games)
    note = f", {adjudicated} adjudicated" if adjudicated else ""
    print(f"\n{len(games)} of {store.scheduled} games, {len(forfeits)} forfeits{note}")
    return len(forfeits)


def _anchor(folder: Path, anchor: str | None, games: Sequence[GameRecord]) -> str | None:
    """Returns the player rated 0: `anchor`, or else the run's stored one; None before its first game."""
    if anchor is None:
        anchor = read_json(folder / "config.json", dict).get("anchor")
    if games and anchor is not None and not any(anchor in game.players for game in games):
        print(f"anchor {printable(str(anchor))} has no games yet: the ratings have no anchor\n")
        return None
    return anchor if games else None


def _game_row(game: GameRecord) -> dict[str, Any]:
    return {
        "game": game.index,
        "first": game.first,
        "second": game.second,
        "board": game.board,
        "bricks": game.board.brick_names,
        "repeat": game.repeat,
        "opening_plies": game.opening_plies,
        "plies": len(game.cells),
        "outcome": OUTCOME_TEXT[game.outcome],
        "first_score": game.first_score,
        "forfeit": game.forfeit or "",
        "adjudicated": int(game.adjudicated),
        "first_seconds": round(sum(game.own_seconds(FIRST)), 6),
        "second_seconds": round(sum(game.own_seconds(SECOND)), 6),
        "moves": " ".join(map(game.board.cell_name, game.cells)),
    }
