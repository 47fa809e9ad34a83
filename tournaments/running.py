"""Running a tournament, from its settings to its report."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents import Agent
from bttt import Board, boards_of_size
from bttt.runs import FORFEITS, OK, RunFolder, open_run, options_of, settings_of
from tournaments.config import TournamentConfig
from tournaments.play import (
    STORE_FILE,
    ScheduledGame,
    expanded,
    isolated_players,
    make_players,
    missing_games,
    open_store,
    opening,
    play_and_store,
    schedule_games,
    source_files,
    training_boards,
)
from tournaments.report import publish


def run_tournament(config: TournamentConfig) -> tuple[int, Path]:
    """Plays or resumes the tournament and returns the exit code and the folder of the run.

    The exit code is 0, 1 (a player forfeited all its games by exceptions; strict: any forfeit) or 130
    (Ctrl-C).

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings or other files.
        OSError: The folder cannot be written; games stored earlier are kept.
    """
    config = replace(config, players=expanded(config.players))
    if config.anchor is not None and config.anchor not in config.players:
        raise ValueError(f"anchor {config.anchor!r} is not a player; players are {', '.join(config.players)}")
    limit = config.conditions.seconds_per_move
    isolated = isolated_players(config.players, config.isolate, limit)
    agents = make_players(config.players, isolated=isolated, limit=limit)
    boards = boards_of_size(config.board, config.bricks)
    schedule = schedule_games(config.schedule, config.players, boards, config.repeats)
    _check_openings(config, schedule)
    settings = _settings(config, boards, agents)
    with (
        open_run("tournament", settings, out=config.out, known_by=STORE_FILE) as run,
        open_store(run.path, settings, config.players, len(schedule)) as store,
    ):
        missing = missing_games(schedule, store)
        if missing:
            _record(config, run)
        code = play_and_store(
            missing, agents, store, config.conditions, workers=config.workers, in_flight=config.in_flight
        )
        forfeits = publish(
            run.path,
            store,
            anchor=config.anchor,
            csv=config.csv,
            rate_exceptions=config.rate_exceptions,
        )
    for player in forfeits.broken:
        print(f"{player} forfeited all its games by exceptions", file=sys.stderr)
    failed = forfeits.broken or (config.strict and forfeits.count)
    return code or (FORFEITS if failed else OK), run.path


def _check_openings(config: TournamentConfig, schedule: Sequence[ScheduledGame]) -> None:
    """Draws the first two openings of each board, so that a board without openings fails before any game.

    Two are needed because balanced openings alternate between the winners.
    """
    conditions = config.conditions
    games = {game.opening_key: game for game in schedule if game.repeat < 2}
    for game in games.values():
        opening(conditions.seed, game, conditions.plies, conditions.openings)


def _settings(
    config: TournamentConfig, boards: Sequence[Board], agents: Mapping[str, Agent]
) -> dict[str, Any]:
    """Returns the settings that determine the games, and no others, in the order of the report."""
    return {
        "schedule": config.schedule,
        "players": list(config.players),
        "boards": [str(board) for board in boards],
        **settings_of(config),
        "opening_plies": config.conditions.plies,
        **source_files(agents),
        **training_boards(agents),
    }


def _record(config: TournamentConfig, run: RunFolder) -> None:
    """Writes the options and the environment of the games to be played; keeps a stored anchor."""
    anchor = config.anchor or run.config().get("anchor")
    run.write_config({**options_of(config), "out": str(run.path), "anchor": anchor})
    run.add_environment()
