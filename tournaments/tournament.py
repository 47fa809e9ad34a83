"""The command `bttt tournament`: plays a schedule, stores every game, rates and reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import joblib
from tqdm import tqdm

from agents.agent import USER_AGENT, Agent, make_agent, source_digest
from bttt.board import Board
from bttt.bricks import boards_of_size
from bttt.exit_codes import FORFEITS, INTERRUPTED, OK
from tournaments.publish import publish
from tournaments.run_folder import add_environment, default_folder, read_json, write_json
from tournaments.runner import Conditions, play_in_processes
from tournaments.schedule import DEFAULT_PLAYERS, ScheduledGame, make_schedule, opening
from tournaments.store import FILE_NAME, Store


@dataclass(frozen=True)
class TournamentConfig:
    """Play a tournament, store every game, and write ratings, a crosstable and report.html.

    The same command again resumes it; what is stored is not played again.
    """

    players: tuple[str, ...] = DEFAULT_PLAYERS
    """Specs of the players, as mcts:iterations=1000,c=1.0, or python:package.module:Class."""
    bricks: tuple[str, ...] = ("all",)
    """Brick sets, each board once: D4, D4+E5, none, R2, R3, all, orbit:K, random:K,count=N,seed=S."""
    board: str = "7x7x4"
    """Size and win length of the boards: ROWSxCOLSxWIN."""
    repeats: int = 1
    """Games of each pair on each board in each seat."""
    schedule: Literal["round-robin", "gauntlet"] = "round-robin"
    """Everybody against everybody, or the first player against the rest."""
    seed: int = 0
    """Seed of all random numbers; game i has its own, whatever is played beside it."""
    opening_plies: int = 0
    """Random plies before the players take over, the same for both seats."""
    seconds_per_move: float | None = None
    """A player who thinks longer loses the game, once it has answered: nobody is interrupted. Agents are then
    asked one position at a time."""
    out: Path | None = None
    """Folder of the run; by default runs/tournament-<hash of the settings>."""
    workers: int = 0
    """Processes; 0 is one for each core. The games do not depend on it."""
    in_flight: int = 16
    """Games that a process plays at once, so that agents are asked in batches. A kill loses these games: with
    several workers a batch is stored when all of it is finished."""
    csv: bool = False
    """Also write games.csv and crosstable.csv."""
    anchor: str | None = None
    """Player whose rating is 0; by default the one chosen before for this run, else random, where it plays,
    else the mean."""
    strict: bool = False
    """Exit with code 1 if any game was forfeited."""


def run(config: TournamentConfig) -> int:
    """Plays or resumes the tournament and returns the exit code: 0, 1 (forfeits, strict) or 130 (Ctrl-C).

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings.
        OSError: The folder cannot be written; the games stored before are kept.
    """
    _check(config)
    agents = _make_agents(config.players)
    boards = boards_of_size(config.board, config.bricks)
    schedule = make_schedule(config.schedule, config.players, boards, config.repeats)
    for game in schedule[: len(boards)]:  # one on each board
        opening(config.seed, game, config.opening_plies)
    settings = _settings(config, boards, agents)
    folder = config.out or default_folder("tournament", settings)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"out must be a folder, {folder} is a file")
    folder.mkdir(parents=True, exist_ok=True)
    with Store.create_or_open(folder / FILE_NAME, settings, config.players, len(schedule)) as store:
        _refuse_other_settings(store, settings, folder)
        finished = store.finished()
        missing = [game for game in schedule if game.index not in finished]
        try:
            if missing:
                _record(config, folder)
                _play(missing, agents, store, config)
            code = OK
        except KeyboardInterrupt:
            code = INTERRUPTED
            print(
                f"\ninterrupted: {len(store.finished())} of {len(schedule)} games are stored in {folder}; "
                "the same command goes on from there"
            )
        forfeits = publish(folder, store, anchor=config.anchor, csv=config.csv)
    return code or (FORFEITS if config.strict and forfeits else OK)


def _check(config: TournamentConfig) -> None:
    """Raises ValueError for an option that no later step checks before games are played."""
    for name, least in (("seed", 0), ("opening_plies", 0), ("workers", 0), ("in_flight", 1)):
        value = getattr(config, name)
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    limit = config.seconds_per_move
    if limit is not None and not (limit > 0 and math.isfinite(limit)):
        raise ValueError(f"seconds_per_move must be positive, got {limit}")
    if config.anchor is not None and config.anchor not in config.players:
        raise ValueError(f"anchor {config.anchor!r} is not a player; players are {', '.join(config.players)}")


def _make_agents(players: Sequence[str]) -> dict[str, Agent]:
    """Returns the players' agents; ValueError where one cannot be made, or where two are the same."""
    agents: dict[str, Agent] = {}
    for spec in players:
        if spec.strip().partition(":")[0] == "human":
            raise ValueError("player 'human' cannot play a tournament: try bttt play")
        if spec in agents:
            raise ValueError(f"player {spec!r} is named twice; players must differ")
        agents[spec] = make_agent(spec)
    # Of our own agents only it is known that they are equal exactly where they play alike.
    ours = [spec for spec in players if not _is_users(spec)]
    for one, other in combinations(ours, 2):
        if agents[one] == agents[other]:
            raise ValueError(f"players {one!r} and {other!r} are the same agent; players must differ")
    return agents


def _is_users(spec: str) -> bool:
    return spec.startswith(f"{USER_AGENT}:")


def _settings(
    config: TournamentConfig, boards: Sequence[Board], agents: Mapping[str, Agent]
) -> dict[str, Any]:
    """Returns everything that decides the games, and nothing else.

    Of a user's own agents that is the file with their class as well (not what it imports), so that an agent
    that was edited does not find the games of the old one.
    """
    own = {spec: source_digest(agent) for spec, agent in agents.items() if _is_users(spec)}
    return {
        "schedule": config.schedule,
        "players": list(config.players),
        "boards": [str(board) for board in boards],
        "repeats": config.repeats,
        "seed": config.seed,
        "opening_plies": config.opening_plies,
        "seconds_per_move": config.seconds_per_move,
        **({"source files": [f"{spec} {digest}" for spec, digest in own.items()]} if own else {}),
    }


def _refuse_other_settings(store: Store, settings: Mapping[str, Any], folder: Path) -> None:
    differences = [
        f"{name} is {_shown(store.settings.get(name))} there and {_shown(value)} here"
        for name, value in settings.items()
        if store.settings.get(name) != value
    ]
    if differences:
        raise ValueError(
            f"{folder} holds a run with other settings: {'; '.join(differences)}; choose another --out"
        )


def _shown(value: Any) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(value)} in all)"


def _record(config: TournamentConfig, folder: Path) -> None:
    """Writes what the games about to be played are made with; an anchor chosen before stays."""
    path = folder / "config.json"
    anchor = config.anchor or read_json(path, dict).get("anchor")
    write_json(path, {**asdict(config), "out": str(folder), "anchor": anchor})
    add_environment(folder)


def _play(
    games: Sequence[ScheduledGame], agents: Mapping[str, Agent], store: Store, config: TournamentConfig
) -> None:
    """Plays `games` and stores each as soon as it is handed over."""
    conditions = Conditions(config.seed, config.opening_plies, config.seconds_per_move, config.in_flight)
    workers = min(config.workers or joblib.cpu_count(), math.ceil(len(games) / config.in_flight))
    stored = store.scheduled - len(games)
    with tqdm(total=store.scheduled, initial=stored, unit="game", smoothing=0.05) as progress:
        for records in play_in_processes(games, agents, conditions, workers):
            store.add(records)
            progress.update(len(records))
