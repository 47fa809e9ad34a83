"""The command `bttt merge`: joins runs of the same settings, for example from several machines."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from bttt.command_line import suggest
from bttt.runs import open_run
from tournaments.play import (
    STORE_FILE,
    GameRecord,
    Store,
    joined_settings,
    schedule_of,
    store_path,
)
from tournaments.report import publish


@dataclass(frozen=True)
class MergeConfig:
    """Join tournaments of the same settings into a new run, and report it.

    The runs may have other players, boards and repeats; all other settings must be equal. A game that several
    runs have is taken once, and must be the same in all. `bttt tournament` with the same --out plays what is
    missing.
    """

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Run folders, or their tournament.sqlite."""
    out: Path
    """New run folder."""
    csv: bool = False
    """Also write games.csv and crosstable.csv."""


def run(config: MergeConfig) -> int:
    """Joins the runs and returns 0.

    Raises:
        ValueError: The settings or a game differ, there is no such run, or `out` is not new.
        OSError: The folder cannot be written.
    """
    if len(config.runs) < 2:
        raise ValueError(f"merge needs at least 2 runs, got {len(config.runs)}")
    if (config.out / STORE_FILE).exists():
        raise ValueError(f"out must be a new folder, but {config.out} holds a run")
    with ExitStack() as stack:
        paths = map(store_path, config.runs)
        stores = [stack.enter_context(Store.open(path, read_only=True)) for path in paths]
        settings = _joined(stores)
        version = min(store.version for store in stores)
        stages = stores[0].stages if version == 1 else []
        games = joined_games(stores, settings, stages)
    schedule = schedule_of(settings, stages, by_key=version > 1)
    with (
        open_run("merge", settings, out=config.out, known_by=STORE_FILE) as folder,
        Store.create_or_open(
            folder.path / STORE_FILE, settings, settings["players"], len(schedule), version=version
        ) as merged,
    ):
        folder.write_config({"merged": list(map(str, config.runs)), "out": str(config.out)})
        folder.add_environment()
        for stage in stages:
            merged.grow(settings, len(schedule), stage)
        merged.add(games)
        publish(folder.path, merged, anchor=None, csv=config.csv)
        if missing := len(schedule) - len(games):
            print(
                f"{missing} of {len(schedule)} games are in none of the runs; to play them: bttt tournament "
                f"with all players, boards and repeats, and --out {config.out}"
            )
    suggest("replay", config.out, 0, why=f"print a game; {config.out / 'report.html'} shows all games")
    return 0


def _joined(stores: Sequence[Store]) -> dict[str, Any]:
    """Returns the settings of all runs together; ValueError if they differ in more than may grow."""
    for store in stores:
        if not store.is_tournament:
            raise ValueError(f"{store.path} is not a run of bttt tournament")
    first = stores[0]
    settings = first.settings
    for store in stores[1:]:
        settings = joined_settings(settings, store.settings, f"{store.path} and {first.path} are runs")
    if any(store.version == 1 for store in stores):
        for store in stores:
            if (store.settings, store.stages, store.version) != (first.settings, first.stages, first.version):
                raise ValueError(
                    f"{store.path} or {first.path} is a run of version 0.1: to be merged, such runs must "
                    "have the same players, boards and repeats"
                )
    return settings


def joined_games(
    stores: Sequence[Store], settings: dict[str, Any], stages: Sequence[tuple[int, int, int]]
) -> list[GameRecord]:
    """Returns the games of all runs, each once, with their numbers in the joined schedule.

    Raises:
        ValueError: A game differs between two runs, or does not fit the schedule of its run.
    """
    numbers = {game.key: game.index for game in schedule_of(settings, stages, by_key=False)}
    found: dict[int, tuple[GameRecord, Store]] = {}
    for store in stores:
        tracebacks = store.tracebacks()
        for game in store.games():
            number = numbers[game.first, game.second, game.board, game.repeat]
            text = None if game.forfeiter is None else tracebacks.pop(game.forfeiter, None)
            other, where = found.setdefault(number, (replace(game, index=number, traceback=text), store))
            if _content(other) != _content(game):
                raise ValueError(
                    f"the game of {game.first} against {game.second} on {game.board}, repeat {game.repeat}, "
                    f"differs between {where.path} and {store.path}"
                )
    return [found[number][0] for number in sorted(found)]


def _content(game: GameRecord) -> tuple[object, ...]:
    """Returns what must be equal: not the times, nor the reasons of forfeits, which may name times."""
    return game.opening_plies, game.cells, game.outcome, game.forfeit is None
