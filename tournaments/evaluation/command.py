"""The command `bttt evaluate`: how often agents make value-losing moves, on seen and on unseen boards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from agents import Agent
from bttt import Board, Suite, brick_sets, load_suite
from bttt.command_line import suggest, tell_boards
from bttt.runs import (
    NOT_A_SETTING,
    OK,
    csv_text,
    environment,
    make_folder,
    open_run,
    option,
    options_of,
    read_json,
    require_at_least,
    rounded,
    settings_of,
    write_text,
)
from tournaments.evaluation.decisions import decide_suite
from tournaments.evaluation.table import loss_table
from tournaments.evaluation.value_losses import LossRate, loss_rates
from tournaments.play import TRAINED_ON, expanded, make_players, source_files, training_boards

DECISIONS = "decisions"
"""Folder of the decisions, with one file per agent and settings."""
OWN_BOARDS = "seen, mirror and novel: by each network's own training boards (--train names others)"
CSV_NAME, PICTURE_NAME = "evaluation.csv", "evaluation.png"


@dataclass(frozen=True)
class EvaluateConfig:
    """Measure how often agents make value-losing moves, in positions labelled by the exact solver.

    A value-losing move turns a win into a draw or a loss, or a draw into a loss. Prints a table and writes
    evaluation.csv and evaluation.png. An agent's decisions are stored once all of them are made. Rerun the
    command, also with more agents, to compute only what is missing.
    """

    agents: Annotated[tuple[str, ...], tyro.conf.Positional] = field(metadata=NOT_A_SETTING)
    """Agent specs, for example mcts:iterations=1000 or python:package.module:Class; bttt agents lists
    them."""
    suite: str = "single"
    """Suite of labelled positions: single, bricks2, bricks4 or drawn."""
    bricks: tuple[str, ...] = option((), setting=False)
    """Brick sets that select boards of the suite, for example R3 or python:module:function. Default: all
    boards of the suite."""
    train: tuple[str, ...] = option((), setting=False)
    """Brick sets that the agents were trained on; the table separates seen, mirror and novel boards. Default:
    each network's own training boards, which its file records."""
    positions: int | None = option(None, setting=False)
    """Positions per board, the first ones of the suite. Default: all."""
    repeats: int = 1
    """Decisions per position, for agents that choose at random."""
    seed: int = 0
    """Seed of all random numbers; each position has its own random stream."""
    batch: int = option(256, setting=False)
    """Positions per query of an agent. The decisions do not depend on it."""
    workers: int = option(0, setting=False)
    """Worker processes; 0 starts one per core. The decisions do not depend on it."""
    out: Path | None = option(None, setting=False)
    """Folder of the results. Default: runs/evaluate-<hash of the settings>."""


def run(config: EvaluateConfig) -> int:
    """Evaluates the agents, writes and prints the rates, and returns 0.

    Raises:
        ValueError: An option is wrong, or an agent raised an exception or played a cell that is not free.
        OSError: The folder cannot be written; decisions stored earlier are kept.
    """
    config = replace(config, agents=expanded(config.agents))
    _check(config)
    agents = make_players(config.agents)
    suite, places = chosen_positions(config)
    train = _trained_on(config, suite, agents)
    settings = {
        "positions": suite.made["sha256"],
        "boards": [str(board) for board in suite.boards],
        "positions a board": config.positions,
        **settings_of(config),
    }
    with open_run("evaluate", settings, out=config.out, known_by=DECISIONS) as run:
        make_folder(run.path / DECISIONS)  # first: it marks the folder
        tell_boards(suite.boards, "measures on")
        run.write_config({**options_of(config), "out": str(run.path), "made": environment()})
        rates: list[LossRate] = []
        for spec, agent in agents.items():
            path = _file(run.path / DECISIONS, {**settings, "agent": spec}, spec, agent)
            cells = _decisions(path, spec, agent, suite, places, config)
            rates += loss_rates(spec, suite, cells, train.get(spec, ()))
        _publish(run.path, rates, suite, train, config)
    suggest("conversion", *config.agents, why="how often they win won positions")
    return OK


def _trained_on(
    config: EvaluateConfig, suite: Suite, agents: Mapping[str, Agent]
) -> dict[str, tuple[Board, ...]]:
    """Returns the training boards by agent: those of `--train`, or else those that the agent states."""
    if config.train:
        return dict.fromkeys(agents, brick_sets(config.train, suite.size))
    stated = training_boards(agents).get(TRAINED_ON, {})
    return {spec: tuple(map(Board.parse, boards)) for spec, boards in stated.items()}


def _publish(
    folder: Path,
    rates: Sequence[LossRate],
    suite: Suite,
    train: Mapping[str, Sequence[Board]],
    config: EvaluateConfig,
) -> None:
    """Writes the CSV file and the picture, and prints the table."""
    from tournaments.evaluation.plot import draw_evaluation  # matplotlib, which takes a second to load

    write_text(folder / CSV_NAME, csv_text(map(_row, rates)))
    draw_evaluation(rates, suite, train, folder / PICTURE_NAME)
    print(loss_table(rates))
    print(f"\n{_about(suite, config, train)}\nwritten: {folder / CSV_NAME} {folder / PICTURE_NAME}")


def _row(rate: LossRate) -> dict[str, Any]:
    """Returns a row of the CSV file; an interval that does not exist is empty."""
    row = rounded(asdict(rate))
    del row["boards"]  # they have rows of their own
    return row


def _check(config: EvaluateConfig) -> None:
    if not config.agents:
        raise ValueError("no agent given; bttt agents lists them")
    require_at_least(1, positions=config.positions, repeats=config.repeats, batch=config.batch)
    require_at_least(0, seed=config.seed, workers=config.workers)


def chosen_positions(config: EvaluateConfig) -> tuple[Suite, np.ndarray]:
    """Returns the positions to evaluate, and their indices `[N]` in the whole suite.

    Raises:
        ValueError: The suite is unknown, or it has no positions on one of the boards.
    """
    suite = load_suite(config.suite)
    places = np.arange(len(suite))
    if config.bricks:
        boards = brick_sets(config.bricks, suite.size)
        absent = [board for board in boards if board not in suite.boards]
        if absent:
            known = f"{suite.boards[0]} to {suite.boards[-1]}"
            raise ValueError(
                f"suite {config.suite!r} has no positions on {absent[0]}; its boards are {known}"
            )
        numbers = [suite.boards.index(board) for board in boards]
        places = np.flatnonzero(np.isin(suite.board_numbers, numbers))
    if config.positions is not None:
        suite.require(config.positions)
        places = np.intersect1d(places, suite.first_of_each_board(config.positions))
    return suite.take(places), places


def _decisions(
    path: Path, spec: str, agent: Agent, suite: Suite, places: np.ndarray, config: EvaluateConfig
) -> np.ndarray:
    """Returns the cells `[repeats, N]` that an agent plays: from the file, or by querying the agent."""
    stored = read_json(path, dict)
    if stored:
        return _stored_cells(stored, path, (config.repeats, len(suite)), suite.size.cells)
    cells = decide_suite(
        spec,
        agent,
        suite,
        places,
        repeats=config.repeats,
        seed=config.seed,
        batch=config.batch,
        workers=config.workers,
    )
    write_text(path, json.dumps({"agent": spec, "cells": cells.tolist()}) + "\n")
    return cells


def _stored_cells(stored: Mapping[str, Any], path: Path, shape: tuple[int, int], count: int) -> np.ndarray:
    """Returns the decisions `[repeats, N]` of a file: cells of a board that has `count` cells."""
    try:
        cells = np.array(stored["cells"], np.int64)
        if cells.shape != shape or ((cells < 0) | (cells >= count)).any():
            raise ValueError
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ValueError(f"{path} is corrupt: delete it, and rerun to query the agent again") from None
    return cells


def _file(folder: Path, settings: Mapping[str, Any], spec: str, agent: Agent) -> Path:
    """Returns the file of an agent's decisions under these settings; one of an earlier version is found."""
    made = ({**settings, **source_files({spec: agent}, earlier=earlier)} for earlier in (False, True))
    texts = (json.dumps(each, sort_keys=True) for each in made)
    now, before = (folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json" for text in texts)
    return before if before.exists() and not now.exists() else now


def _about(suite: Suite, config: EvaluateConfig, train: Mapping[str, Sequence[Board]]) -> str:
    """Returns a description of the suite, the number of positions, the seed, and what is seen and novel."""
    count = f"{len(suite)} positions on {len(suite.boards)} boards"
    repeats = f", {config.repeats} decisions each" if config.repeats > 1 else ""
    text = f"suite {config.suite} version {suite.version}: {count}{repeats}, seed {config.seed}"
    return text if config.train or not train else f"{text}\n{OWN_BOARDS}"
