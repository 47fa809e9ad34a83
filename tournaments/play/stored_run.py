"""A run in a folder: every game is stored as it ends, and the same command resumes the run."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from time import time
from typing import Any

from tqdm import tqdm

from agents import Agent
from bttt.processes import worker_count
from bttt.runs import INTERRUPTED, OK, report_found
from tournaments.play.conditions import Conditions
from tournaments.play.game_record import GameRecord
from tournaments.play.runner import play_in_processes
from tournaments.play.schedule import ScheduledGame
from tournaments.play.store import STORE_FILE, Store, clean

SLICE = 2
"""Games for each one in flight, after which a run may end early."""


def open_store(
    folder: Path,
    settings: Mapping[str, Any],
    players: Sequence[str],
    games: int,
    *,
    earlier: Mapping[str, Any] | None = None,
) -> Store:
    """Returns the store of the run in an open folder; creates it if there is none.

    Args:
        folder: The folder.
        settings: The settings that determine the games.
        players: The specs of the players.
        games: Number of games of the run.
        earlier: The same settings as earlier versions stored them.

    Raises:
        ValueError: The folder holds a run with other settings.
        OSError: The folder cannot be written.
    """
    store = Store.create_or_open(folder / STORE_FILE, settings, players, games)
    here, before = clean(settings), clean(earlier or settings)
    differences = [
        difference(name, store.settings.get(name), here.get(name))
        for name in {**store.settings, **here}
        if store.settings.get(name) not in (here.get(name), before.get(name))
    ]
    try:
        refuse_differences(f"{folder} holds a run", differences)
    except ValueError:
        store.close()
        raise
    return store


def difference(name: str, there: Any, here: Any) -> str:
    """Returns that a setting differs."""
    return f"{name} is {_shown(there)} there and {_shown(here)} here"


def refuse_differences(where: str, differences: Sequence[str]) -> None:
    """Raises ValueError if there are differences; the message begins with `where`, for example the folder."""
    if differences:
        raise ValueError(f"{where} with other settings: {'; '.join(differences)}; choose another --out")


def _shown(value: Any) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(value)} in all)"


def missing_games(schedule: Sequence[ScheduledGame], store: Store) -> list[ScheduledGame]:
    """Returns the games that are not stored yet."""
    finished = store.finished()
    return [game for game in schedule if game.index not in finished]


def play_and_store(
    games: Sequence[ScheduledGame],
    agents: Mapping[str, Agent],
    store: Store,
    conditions: Conditions,
    *,
    workers: int,
    in_flight: int,
    enough: Callable[[Sequence[GameRecord]], bool] | None = None,
) -> int:
    """Plays the missing `games`, stores each as soon as its record arrives, and returns the exit code.

    The exit code is 0, or 130 after Ctrl-C. 0 `workers` starts one process per core. `enough` is called with
    the games finished since its last call, and ends the run if it returns true.
    """
    stored, made = len(store.finished()), 0
    workers = worker_count(workers, math.ceil(len(games) / in_flight))
    size = len(games) if enough is None else SLICE * workers * in_flight
    slices = [games[start : start + size] for start in range(0, len(games), max(1, size))]
    try:
        if games and not (enough and enough(())):
            made = _play(slices, agents, store, conditions, workers, in_flight, enough or _never)
    except KeyboardInterrupt:
        print(
            f"\ninterrupted: {len(store.finished())} of {store.scheduled} games are stored in "
            f"{store.path.parent}; rerun the command to resume"
        )
        return INTERRUPTED
    report_found(stored, made, "finished game", store.path)
    return OK


def _never(_: Sequence[GameRecord]) -> bool:
    return False


def _play(
    slices: Sequence[Sequence[ScheduledGame]],
    agents: Mapping[str, Agent],
    store: Store,
    conditions: Conditions,
    workers: int,
    in_flight: int,
    enough: Callable[[Sequence[GameRecord]], bool],
) -> int:
    """Plays and stores games slice by slice, with a progress bar, and returns how many.

    The first games take longer, since workers make their agents and load compiled kernels. The time left is
    therefore estimated from the games after them.
    """

    def play(games: Sequence[ScheduledGame]) -> Iterator[list[GameRecord]]:
        return play_in_processes(games, agents, conditions, workers=workers, in_flight=in_flight)

    stored = store.scheduled - sum(map(len, slices))
    shown: set[str] = set()
    first = play(slices[0])  # prepares the players, before the bar begins
    with tqdm(total=store.scheduled, initial=stored, unit="game", smoothing=0.05) as progress:
        for played in chain([first], map(play, slices[1:])):
            fresh: list[GameRecord] = []
            for records in played:
                store.add(records)
                _show_tracebacks(records, shown)
                fresh += records
                if progress.n > stored:
                    progress.update(len(records))
                    continue
                progress.initial = progress.n = progress.last_print_n = stored + len(records)
                progress.last_print_t = time()
                progress.refresh()
            if enough(fresh):
                break
        return int(progress.n) - stored


def _show_tracebacks(records: Sequence[GameRecord], shown: set[str]) -> None:
    """Prints the first traceback of each player on stderr; `shown` has the players whose was printed."""
    for record in records:
        player = record.forfeiter
        if record.traceback is not None and player is not None and player not in shown:
            shown.add(player)
            text = f"\n{player} raised an exception in game {record.index}; its first traceback:\n"
            tqdm.write(text + record.traceback.rstrip(), file=sys.stderr)
