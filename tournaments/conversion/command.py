"""The command `bttt conversion`: how often agents win proven wins against perfect play."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from agents import Agent
from bttt import Board, boards_of_size, load_suite
from bttt.command_line import suggest, tell_boards
from bttt.runs import (
    FORFEITS,
    OK,
    csv_text,
    environment,
    open_run,
    option,
    options_of,
    require_at_least,
    settings_of,
    write_text,
)
from tournaments.conversion.table import Conversion, conversion_rows, conversion_text
from tournaments.conversion.won_starts import WonStart, conversion_schedule, empty_starts, suite_starts
from tournaments.play import (
    IN_FLIGHT,
    STORE_FILE,
    Conditions,
    Store,
    broken_players,
    expanded,
    make_players,
    missing_games,
    open_store,
    play_and_store,
    source_files,
)

OPPONENT = "perfect"
CSV_NAME = "conversion.csv"


@dataclass(frozen=True)
class ConversionConfig:
    """Measure how often agents win won positions against perfect play.

    The agent plays the winning side. Games start on empty boards that are proven won, or from won positions
    of a suite. Rerun the command to resume; stored games are not played again.
    """

    agents: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Agent specs, for example mcts:iterations=1000 or python:package.module:Class; bttt agents lists
    them."""
    bricks: tuple[str, ...] | None = option(None, setting=False)
    """Brick sets, each board once: D4, D4+E5, none, R2, R3, all, orbit:K, drawn:K, random:K,count=N,seed=S,
    or a function of your own, python:module:function. Default: all, or all boards of the suite."""
    board: str = option("7x7x4", setting=False)
    """Board size and win length, ROWSxCOLSxWIN."""
    suite: str | None = option(None, setting=False)
    """Start from the won positions of this suite: single, bricks2, bricks4 or drawn. Default: start on empty
    boards."""
    positions: int = option(10, setting=False)
    """Maximum positions per board of the suite."""
    games: int = 1
    """Games per agent and start; both sides break ties at random."""
    seed: int = 0
    """Seed of all random numbers. Each game has its own random stream, so other games do not change it."""
    out: Path | None = option(None, setting=False)
    """Run folder. Default: runs/conversion-<hash of the settings>."""
    workers: int = option(0, setting=False)
    """Worker processes; 0 starts one per core."""
    in_flight: int = option(IN_FLIGHT, setting=False)
    """Games that each process plays at once, so that agents are queried in batches."""

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        return {"positions": "without --suite"} if self.suite is None else {}


def run(config: ConversionConfig) -> int:
    """Plays or resumes the games and returns the exit code: 0, or 130 on Ctrl-C.

    Raises:
        ValueError: An option is wrong, no start is won, or the folder holds a run with other settings.
        OSError: The folder cannot be written; games stored earlier are kept.
    """
    config = replace(config, agents=expanded(config.agents))
    _check(config)
    players = list(dict.fromkeys([*config.agents, OPPONENT]))
    agents = make_players(players)
    starts = _starts(config)
    schedule, seats = conversion_schedule(config.agents, OPPONENT, starts, config.games)
    settings = _settings(config, starts, agents)
    earlier = {**settings, **source_files(agents, earlier=True)}
    with (
        open_run("conversion", settings, out=config.out, earlier=earlier, known_by=STORE_FILE) as run,
        open_store(run.path, settings, players, len(schedule), earlier=earlier) as store,
    ):
        tell_boards([*dict.fromkeys(start.board for start in starts)], "plays on")
        missing = missing_games(schedule, store)
        if missing:
            run.write_config({**options_of(config), "out": str(run.path)})
            run.add_environment()
        conditions = Conditions(seed=config.seed)
        code = play_and_store(
            missing, agents, store, conditions, workers=config.workers, in_flight=config.in_flight
        )
        _publish(run.path, store, seats, config.seed)
        broken = broken_players(store.players, store.games())
    for agent in broken:
        print(f"{agent} forfeited all its games by exceptions", file=sys.stderr)
    if code == OK:
        suggest("replay", run.path, 0, why="print a game")
    return code or (FORFEITS if broken else OK)


def _check(config: ConversionConfig) -> None:
    require_at_least(1, positions=config.positions, games=config.games)
    require_at_least(0, seed=config.seed, workers=config.workers)
    require_at_least(1, in_flight=config.in_flight)
    if not config.agents:
        raise ValueError("no agent given; bttt agents lists them")
    twice = [agent for number, agent in enumerate(config.agents) if agent in config.agents[:number]]
    if twice:
        raise ValueError(f"agent {twice[0]!r} is named twice")


def _starts(config: ConversionConfig) -> list[WonStart]:
    """Returns the won starts and prints how many boards are excluded; ValueError if there is no won start."""
    if config.suite is None:
        boards = boards_of_size(config.board, config.bricks or ("all",))
        starts = empty_starts(boards)
        left_out = len(boards) - len(starts)
        if left_out and starts:
            print(f"excluded: {left_out} of {len(boards)} boards, not proven won from the start")
        problem = (
            f"no board is proven won from the start, out of the {len(boards)} given (for example {boards[0]})"
        )
    else:
        suite = load_suite(config.suite)
        if Board.parse(config.board) != suite.size:
            raise ValueError(f"suite {suite.name!r} is for board {suite.size}, got {config.board!r}")
        boards = boards_of_size(config.board, config.bricks) if config.bricks else suite.boards
        starts = suite_starts(suite, frozenset(boards), config.positions)
        problem = (
            f"suite {suite.name!r} has no won position on the {len(boards)} boards given "
            f"(for example {boards[0]})"
        )
    if not starts:
        raise ValueError(problem)
    return starts


def _settings(
    config: ConversionConfig, starts: Sequence[WonStart], agents: Mapping[str, Agent]
) -> dict[str, Any]:
    """Returns the settings that determine the games, and no others."""
    return {
        "agents": list(config.agents),
        "opponent": OPPONENT,
        "starts": [_text(start) for start in starts],
        **settings_of(config),
        **source_files(agents),
    }


def _text(start: WonStart) -> str:
    return " ".join([str(start.board), *map(start.board.cell_name, start.cells)])


def _publish(folder: Path, store: Store, seats: Sequence[int], seed: int) -> None:
    """Writes the CSV file and prints the tables of the games stored so far."""
    conversions = [Conversion(game, seats[game.index]) for game in store.games()]
    made = environment()
    origin = {"command": " ".join(made["command"]), "seed": seed, "date": made["date"]}
    write_text(folder / CSV_NAME, csv_text(conversion_rows(conversions, origin)))
    print(conversion_text(conversions))
    print(f"\n{len(conversions)} of {store.scheduled} games\nwritten: {store.path} {folder / CSV_NAME}")
