"""The command `bttt levels`: the levels of a pruning run play each other, at equal simulations and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from agents import make_agent
from agents.alphazero import MOST_SIMULATIONS
from agents.alphazero.network import evaluator_name, load_network, make_evaluator, parameters
from agents.alphazero.weights import RUN_FILE
from bttt import boards_of_size, load_suite
from bttt.command_line import suggest
from bttt.runs import (
    OK,
    aligned,
    csv_text,
    number_text,
    open_run,
    option,
    read_json,
    settings_of,
    write_json,
    write_text,
)
from pruning.measures import latencies_ms
from pruning.studies.alphazero.table import time_table
from tournaments import TournamentConfig, run_tournament
from tournaments.play import STORE_FILE, Conditions, Store
from tournaments.standings import fit_ratings, milliseconds_text, move_times

TIMING_FILE, CSV_FILE, TEXT_FILE = "timing.json", "levels.csv", "levels.txt"
MODES = ("equal simulations", "equal time")
ROUNDS = 7
"""Number of timed evaluations of the same positions by each level; the median counts."""


@dataclass(frozen=True)
class LevelsConfig:
    """Rate the networks of a pruning run against each other, at equal simulations and at equal time.

    For equal time, each level gets as many simulations as it can run in the time the first level needs for
    its own; the tables show the milliseconds per move that were then measured in the games. Prints both
    tournaments and a table of the levels. Rerun the command to resume, with the same numbers of simulations.
    """

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder of bttt prune."""
    levels: tuple[int, ...] = ()
    """Levels that play. Default: all."""
    simulations: int = 100
    """Simulations per decision: of every level at equal simulations, of the first level at equal time."""
    bricks: tuple[str, ...] = ("all",)
    """Brick sets, each board once: D4, D4+E5, none, R2, R3, all, orbit:K, drawn:K,
    random:K,count=N,seed=S, or a function of your own, python:module:function."""
    repeats: int = 2
    """Games per pairing, board and seat."""
    seed: int = 0
    """Seed of all random numbers."""
    in_flight: int = 64
    """Games that each process plays at once, and positions per query when levels are timed."""
    workers: int = option(1, setting=False)
    """Worker processes. On a busy machine, several workers make the times less even."""
    out: Path | None = option(None, setting=False)
    """Folder of the results. Default: runs/levels-<hash of the settings>."""
    time: bool = option(False, setting=False)
    """Play no games: print where the time of an evaluation goes in each level, and write nothing."""

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        names = ("simulations", "bricks", "repeats", "seed", "in_flight", "workers", "out")
        return dict.fromkeys(names, "with --time, which plays no games") if self.time else {}


def run(config: LevelsConfig) -> int:
    """Times the levels, plays both tournaments, writes levels.csv and prints the tables; returns 0.

    Raises:
        ValueError: An option is wrong, or the folder is not a run of bttt prune.
        OSError: A folder cannot be written; the games stored before are kept.
    """
    networks = _networks(config)
    if config.time:
        print(time_table({level: path / RUN_FILE for level, path in networks.items()}))
        suggest("levels", config.run, why="rate the levels against each other")
        return OK
    settings = settings_of(config)
    commas = {**settings, "bricks": [text.replace("+", ",") for text in config.bricks]}  # once allowed
    with open_run("levels", settings, out=config.out, earlier=commas, known_by=TIMING_FILE) as run:
        _play(config, run.path, networks)
    smallest = list(networks.values())[-1]
    suggest("play", "--second", f"alphazero:{smallest},simulations=100", why="play against the last level")
    return OK


def _play(config: LevelsConfig, folder: Path, networks: Mapping[int, Path]) -> None:
    """Times the levels, plays both tournaments, and writes and prints the tables."""
    equal, evaluator = _equal(config, folder, networks)
    budgets = {MODES[0]: dict.fromkeys(networks, config.simulations), MODES[1]: equal}
    rows: dict[int, dict[str, Any]] = {level: _told(path) for level, path in networks.items()}
    for mode, simulations in budgets.items():
        specs = {
            level: f"alphazero:{path},simulations={simulations[level]}" for level, path in networks.items()
        }
        print(f"\n{mode}:\n")
        played = folder / mode.replace(" ", "-")
        run_tournament(
            TournamentConfig(
                players=tuple(specs.values()),
                bricks=config.bricks,
                repeats=config.repeats,
                conditions=Conditions(seed=config.seed, openings="balanced"),
                anchor=next(iter(specs.values())),
                out=played,
                workers=config.workers,
                in_flight=config.in_flight,
            )
        )
        _rate(rows, mode, specs, simulations, played)
    write_text(folder / CSV_FILE, csv_text({"level": level, **row} for level, row in rows.items()))
    table = _table(rows, evaluator)
    write_text(folder / TEXT_FILE, f"{table}\n")
    print(f"\n{table}\n\nelo: 0 is the first level; written: {folder / CSV_FILE}")


def _networks(config: LevelsConfig) -> dict[int, Path]:
    """Returns the folders of the levels that play; ValueError if one is missing."""
    for name, most in (("simulations", MOST_SIMULATIONS), ("repeats", 10_000), ("in_flight", 1024)):
        if not 1 <= getattr(config, name) <= most:
            raise ValueError(f"{name} must be 1 to {most}, got {getattr(config, name)}")
    boards_of_size("7x7x4", config.bricks)  # raises if they are wrong
    found = {
        int(path.name.removeprefix("level-")): path
        for path in sorted(config.run.glob("level-*"))
        if path.name.removeprefix("level-").isdecimal() and (path / RUN_FILE).is_file()
    }
    if not found:
        raise ValueError(f"{config.run} contains no levels: give the folder of a run of bttt prune")
    chosen = sorted(set(config.levels or found))
    if absent := [level for level in chosen if level not in found]:
        raise ValueError(f"no level {absent[0]} in {config.run}; levels are {', '.join(map(str, found))}")
    if len(chosen) < 2:
        raise ValueError(f"at least two levels are needed, got {', '.join(map(str, chosen))}")
    return {level: found[level] for level in chosen}


def _told(path: Path) -> dict[str, Any]:
    """Returns the sizes that a level's checkpoint records; ValueError if it is not a level."""
    network, record = load_network(path / RUN_FILE)
    try:
        density = float(record["pruning"]["density"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a level of bttt prune") from error
    return {"density": density, "parameters": parameters(network)}


def _equal(config: LevelsConfig, folder: Path, networks: Mapping[int, Path]) -> tuple[dict[int, int], str]:
    """Returns each level's simulations at equal time with the first level, and the evaluator that was timed.

    Both are measured once, then stored; earlier versions did not store the evaluator, whose name is then "".
    """
    file = folder / TIMING_FILE
    stored = read_json(file, dict)
    if not stored:
        positions = load_suite("single").take(np.arange(config.in_flight)).positions()
        agents = [
            make_agent(f"alphazero:{each},simulations={config.simulations}") for each in networks.values()
        ]
        calls = {
            number: partial(agent.decide, positions, np.random.default_rng(0))
            for number, agent in enumerate(agents)
        }
        times = list(latencies_ms(calls, rounds=ROUNDS).values())
        first = next(iter(networks.values()))
        stored = {
            "milliseconds a decision": [each / len(positions) for each in times],
            "simulations": [max(1, round(config.simulations * times[0] / each)) for each in times],
            "levels": list(networks),
            "evaluator": evaluator_name(make_evaluator(load_network(first / RUN_FILE)[0])),
        }
        write_json(file, stored)
    numbers = stored.get("simulations")
    known = isinstance(numbers, list) and all(isinstance(number, int) and number > 0 for number in numbers)
    if not known or stored.get("levels") != list(networks) or len(numbers) != len(networks):
        raise ValueError(f"{file} belongs to other levels, or is corrupt: delete it, or choose another --out")
    return dict(zip(networks, numbers, strict=True)), str(stored.get("evaluator", ""))


def _rate(
    rows: dict[int, dict[str, Any]],
    mode: str,
    specs: Mapping[int, str],
    simulations: Mapping[int, int],
    played: Path,
) -> None:
    """Adds a tournament's ratings to the rows of the levels."""
    with Store.open(played / STORE_FILE, read_only=True) as store:
        games = store.games()
    players = tuple(specs.values())
    ratings, times = fit_ratings(players, games, anchor=players[0]), move_times(players, games)
    for number, (level, spec) in enumerate(specs.items()):
        rows[level] |= {
            f"{mode}: simulations": simulations[level],
            f"{mode}: ms a move": round(1000 * times[spec].seconds, 4),
            f"{mode}: elo": round(float(ratings.elo[number]), 1),
            f"{mode}: +-": round(float(ratings.margin[number]), 1),
        }


def _table(rows: Mapping[int, Mapping[str, Any]], evaluator: str) -> str:
    heads = ["level", "density", "parameters"]
    lines = [[*heads, *(f"{name}" for _ in MODES for name in ("simulations", "ms/move", "elo", "+-"))]]
    for level, row in rows.items():
        line = [str(level), number_text(row["density"], 3), f"{row['parameters']:,}"]
        for mode in MODES:
            line += [
                str(row[f"{mode}: simulations"]),
                milliseconds_text(row[f"{mode}: ms a move"] / 1000),
                number_text(row[f"{mode}: elo"]),
                number_text(row[f"{mode}: +-"]),
            ]
        lines.append(line)
    timed = f" (times on {evaluator})" if evaluator else ""
    return "\n".join([f"{MODES[0]}, then {MODES[1]}{timed}:", *aligned(lines)])
