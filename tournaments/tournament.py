"""The command `bttt tournament`: plays a schedule, stores every game, rates and reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from agents import Agent
from bttt import Board, boards_of_size
from bttt.runs import FORFEITS, OK, add_environment, default_folder, read_json, write_json
from tournaments.play import (
    DEFAULT_PLAYERS,
    DEFAULT_PLIES,
    Conditions,
    OpeningKind,
    ScheduledGame,
    expanded,
    make_players,
    missing_games,
    open_run,
    opening,
    play_and_store,
    schedule_games,
    source_files,
    training_boards,
)
from tournaments.report import publish


@dataclass(frozen=True)
class TournamentConfig:
    """Play, rate and report a tournament between agents.

    Stores every game, prints ratings and a crosstable, and writes report.html. Rerun the command to resume;
    stored games are not played again.
    """

    players: tuple[str, ...] = DEFAULT_PLAYERS
    """Player specs, for example mcts:iterations=1000,c=1.0 or python:package.module:Class; bttt agents lists
    them."""
    bricks: tuple[str, ...] = ("all",)
    """Brick sets, each board once: D4, D4+E5, none, R2, R3, all, orbit:K, drawn:K,
    random:K,count=N,seed=S."""
    board: str = "7x7x4"
    """Board size and win length, ROWSxCOLSxWIN."""
    repeats: int = 1
    """Games of each pairing on each board in each seat."""
    schedule: Literal["round-robin", "gauntlet"] = "round-robin"
    """round-robin: every player meets every other player. gauntlet: the first player meets each of the
    others."""
    seed: int = 0
    """Seed of all random numbers. Each game has its own random stream, so other games do not change it."""
    openings: OpeningKind = "random"
    """How opening plies are drawn. random: uniformly. balanced: so that under perfect play each seat wins
    half of the openings (on drawn boards, all are draws)."""
    opening_plies: int | None = None
    """Opening plies before the players take over, the same for both seats. Default: 0 if random, 5 if
    balanced."""
    adjudicate: int | None = None
    """Stop a game once the solver proves its result within this many plies, and store that result. Default:
    play all games to the end."""
    seconds_per_move: float | None = None
    """Time limit in seconds. A player that takes longer forfeits the game. The limit is checked only after
    the move, so no player is interrupted. Agents are then queried one position at a time. Default: no
    limit."""
    out: Path | None = None
    """Run folder. Default: runs/tournament-<hash of the settings>."""
    workers: int = 0
    """Worker processes; 0 starts one per core. The games do not depend on it."""
    in_flight: int = 16
    """Games that each process plays at once, so that agents are queried in batches. These games are lost if
    the process is killed; with several workers, a batch is stored only once all its games are finished."""
    csv: bool = False
    """Also write games.csv and crosstable.csv."""
    anchor: str | None = None
    """Player rated 0. Default: the anchor stored with this run; if there is none, random if it plays;
    otherwise the mean of all players."""
    strict: bool = False
    """Exit with code 1 if any game was forfeited."""


def run(config: TournamentConfig) -> int:
    """Plays or resumes the tournament and returns the exit code: 0, 1 (forfeits, strict) or 130 (Ctrl-C).

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings.
        OSError: The folder cannot be written; the games stored before are kept.
    """
    config = replace(config, players=expanded(config.players))
    _check(config)
    agents = make_players(config.players)
    boards = boards_of_size(config.board, config.bricks)
    schedule = schedule_games(config.schedule, config.players, boards, config.repeats)
    _check_openings(config, schedule)
    settings = _settings(config, boards, agents)
    folder = config.out or default_folder("tournament", settings)
    with open_run(folder, settings, config.players, len(schedule)) as store:
        missing = missing_games(schedule, store)
        if missing:
            _record(config, folder)
        code = play_and_store(missing, agents, store, _conditions(config), config.workers)
        forfeits = publish(folder, store, anchor=config.anchor, csv=config.csv)
    return code or (FORFEITS if config.strict and forfeits else OK)


def _check(config: TournamentConfig) -> None:
    """Raises ValueError for an option that no later step checks before games are played."""
    least_values = {"seed": 0, "opening_plies": 0, "adjudicate": 1, "workers": 0, "in_flight": 1}
    for name, least in least_values.items():
        value = getattr(config, name)
        if value is not None and value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    limit = config.seconds_per_move
    if limit is not None and not (limit > 0 and math.isfinite(limit)):
        raise ValueError(f"seconds_per_move must be positive, got {limit}")
    if config.anchor is not None and config.anchor not in config.players:
        raise ValueError(f"anchor {config.anchor!r} is not a player; players are {', '.join(config.players)}")


def _opening_plies(config: TournamentConfig) -> int:
    return DEFAULT_PLIES[config.openings] if config.opening_plies is None else config.opening_plies


def _check_openings(config: TournamentConfig, schedule: Sequence[ScheduledGame]) -> None:
    """Draws two openings on each board (balanced ones alternate), so that none is found wanting later."""
    games = {game.opening_key: game for game in schedule if game.repeat < 2}
    for game in games.values():
        opening(config.seed, game, _opening_plies(config), config.openings)


def _settings(
    config: TournamentConfig, boards: Sequence[Board], agents: Mapping[str, Agent]
) -> dict[str, Any]:
    """Returns everything that decides the games, and nothing else."""
    return {
        "schedule": config.schedule,
        "players": list(config.players),
        "boards": [str(board) for board in boards],
        "repeats": config.repeats,
        "seed": config.seed,
        "opening_plies": _opening_plies(config),
        "seconds_per_move": config.seconds_per_move,
        # where they are not used they are left out: runs from before they existed are found again
        **({"openings": config.openings} if config.openings != "random" else {}),
        **({"adjudicate": config.adjudicate} if config.adjudicate is not None else {}),
        **source_files(agents),
        **training_boards(agents),
    }


def _record(config: TournamentConfig, folder: Path) -> None:
    """Writes what the games about to be played are made with; an anchor chosen before stays."""
    path = folder / "config.json"
    anchor = config.anchor or read_json(path, dict).get("anchor")
    write_json(path, {**asdict(config), "out": str(folder), "anchor": anchor})
    add_environment(folder)


def _conditions(config: TournamentConfig) -> Conditions:
    return Conditions(
        seed=config.seed,
        opening_plies=_opening_plies(config),
        openings=config.openings,
        adjudicate=config.adjudicate,
        seconds_per_move=config.seconds_per_move,
        in_flight=config.in_flight,
    )
