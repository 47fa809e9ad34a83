"""Running a tournament, from its settings to its report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents import Agent
from bttt import Board, boards_of_size
from bttt.command_line import tell_boards
from bttt.runs import FORFEITS, OK, RunFolder, default_folder, nearest, open_run, options_of, settings_of
from tournaments.config import TournamentConfig
from tournaments.play import (
    STORE_FILE,
    GameRecord,
    ScheduledGame,
    Store,
    expanded,
    isolated_players,
    make_players,
    missing_games,
    open_growing,
    opening,
    play_and_store,
    schedule_of,
    source_files,
    training_boards,
)
from tournaments.report import publish
from tournaments.standings import pairs_in_order, sequential_test


def run_tournament(config: TournamentConfig) -> tuple[int, Path]:
    """Plays or resumes the tournament and returns the exit code and the folder of the run.

    The exit code is 0, 1 (a player forfeited all its games by exceptions; strict: any forfeit) or 130
    (Ctrl-C).

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings or other files.
        OSError: The folder cannot be written; games stored earlier are kept.
    """
    config = replace(config, players=expanded(config.players), against=expanded(config.against))
    players = config.everyone
    if config.anchor is not None and config.anchor not in players:
        hint = nearest(config.anchor, players)
        known = ", ".join(players)
        raise ValueError(f"anchor {config.anchor!r} is not a player{hint}; players are {known}")
    limit = config.conditions.seconds_per_move
    isolated = isolated_players(players, config.isolate, limit)
    agents = make_players(players, isolated=isolated, limit=limit)
    boards = boards_of_size(config.board, config.bricks)
    settings = _settings(config, boards, agents)
    earlier = {**settings, **source_files(agents, earlier=True)}
    folder = config.out or default_folder("tournament", settings, earlier)
    if not (folder / STORE_FILE).exists():
        _check_openings(config, schedule_of(settings, by_key=True))  # before anything is created
    with open_run("tournament", settings, out=folder, known_by=STORE_FILE) as run:
        store, schedule = open_growing(run.path, settings, earlier)
        with store:
            _check_openings(config, schedule)
            tell_boards(boards, "plays on")
            missing = missing_games(schedule, store)
            if missing or not run.config():
                _record(config, run)
            code = play_and_store(
                _in_order(missing, schedule, config),
                agents,
                store,
                config.conditions,
                workers=config.workers,
                in_flight=config.in_flight,
                enough=_enough(config, schedule, store),
            )
            forfeits = publish(
                run.path,
                store,
                anchor=config.anchor,
                csv=config.csv,
                rate_exceptions=config.rate_exceptions,
                sprt=config.sprt,
            )
    for player in forfeits.broken:
        print(f"{player} forfeited all its games by exceptions", file=sys.stderr)
    failed = forfeits.broken or (config.strict and forfeits.count)
    return code or (FORFEITS if failed else OK), run.path


def _in_order(
    missing: Sequence[ScheduledGame], schedule: Sequence[ScheduledGame], config: TournamentConfig
) -> list[ScheduledGame]:
    """Returns the missing games in the order in which to play them: that of the sequential test, if any."""
    if config.sprt is None:
        return list(missing)
    left = {game.index for game in missing}
    pairs = pairs_in_order(schedule, config.players[0])
    return [game for pair in pairs for game in pair if game.index in left]


def _enough(
    config: TournamentConfig, schedule: Sequence[ScheduledGame], store: Store
) -> Callable[[Sequence[GameRecord]], bool] | None:
    """Returns a function that is told of finished games, and answers whether the sequential test has ended.

    It is None without such a test.
    """
    hypotheses = config.hypotheses()
    if hypotheses is None:
        return None
    finished = store.games()

    def enough(games: Sequence[GameRecord]) -> bool:
        finished.extend(games)
        return sequential_test(schedule, finished, config.players[0], hypotheses).accepted is not None

    return enough


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
        "players": list(config.everyone),
        "boards": [str(board) for board in boards],
        **{name: value for name, value in settings_of(config).items() if name not in ("schedule", "players")},
        "opening_plies": config.conditions.plies,
        **source_files(agents),
        **training_boards(agents),
    }


def _record(config: TournamentConfig, run: RunFolder) -> None:
    """Writes the options and the environment of the games to be played; keeps a stored anchor."""
    anchor = config.anchor or run.config().get("anchor")
    run.write_config({**options_of(config), "out": str(run.path), "anchor": anchor})
    run.add_environment()
