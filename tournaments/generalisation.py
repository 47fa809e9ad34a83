"""The command `bttt generalisation`: does AlphaZero play well where the brick stands on cells it never saw?

Networks are trained on sets of cells and measured on every cell. Each network is one task, which depends on
its configuration and seed alone; what is finished of it is found again. This process alone writes results.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path

import joblib
from tqdm import tqdm

from agents.alphazero.configs import SearchConfig
from agents.alphazero.train import TrainConfig
from bttt.bricks import boards_of_size
from bttt.exit_codes import OK
from tournaments.generalisation_evaluation import (
    SINGLE,
    SINGLE_SIZE,
    Counts,
    Part,
    check_suites,
    evaluate,
    other_boards,
    stored,
)
from tournaments.generalisation_networks import (
    BASE,
    FIXED_BY_STUDY,
    VARIANTS,
    StudyNetwork,
    study_networks,
)
from tournaments.generalisation_rates import Measured
from tournaments.generalisation_results import publish

DEEP = 100
"""Simulations above which fewer games and positions are measured, and only of the base and single bricks."""


@dataclass(frozen=True)
class GeneralisationConfig:
    """Train AlphaZero on sets of brick cells, and measure it on cells, layouts and sizes it has never seen.

    Prints tables and writes generalisation.csv (rates), generalisation.json (all counts, cells, provenance)
    and two pictures. The same command again continues it; what is trained and measured is not done again.
    A network of 30 iterations takes about four minutes of a core; the defaults train more than 40.
    """

    sets: tuple[str, ...] = ("D4", "R2", "R3", "5", "10", "all")
    """Training sets: D4, R2, R3, all, orbit:K, ...; a number K is K cells drawn at random, others for
    each seed."""
    seeds: int = 3
    """Networks of each set, with the seeds 0, 1, ..."""
    variants: tuple[str, ...] = tuple(VARIANTS)
    """What is trained: base, and as controls aug-none, aug-flips, bricks-plane, paper, paper-like,
    lookahead-0, budget-x0.25, budget-x2.5."""
    control_sets: tuple[str, ...] | None = None
    """Training sets of the controls; by default the first of the sets."""
    control_seeds: int | None = None
    """Networks of each control; by default as many as `seeds`."""
    iterations: int | None = None
    """Iterations of each training; or give --train.minutes or --train.games."""
    simulations: tuple[int, ...] = (0, 100, 1000)
    """Simulations of a decision; 0 is the raw policy."""
    games: int = 4
    """Games against minimax:depth=2 on each cell; one above 100 simulations, and on other boards."""
    positions: int = 100
    """Positions of each cell in which the search decides; the raw policy decides in all 200."""
    positions_deep: int = 10
    """Positions of each cell above 100 simulations."""
    conversion_seeds: int = 3
    """Seeds whose base networks play every won start against perfect play."""
    cells: tuple[str, ...] = ("all",)
    """Brick sets of single bricks to measure on."""
    suites: tuple[str, ...] = ("bricks2", "bricks4", "drawn")
    """Suites of other numbers of bricks to measure on."""
    boards: tuple[str, ...] = ("6x6x4", "6x7x4", "8x7x4", "7x7x4 random:3,count=48")
    """Other boards to play on: a size, with one brick on each cell in turn, or a size and a brick set."""
    out: Path = Path("runs/generalisation-results")
    """Folder of the results, which are replaced."""
    runs: Path = Path("runs/generalisation")
    """Folder of the training runs."""
    workers: int = 1
    """Processes that train and measure, a network at a time; with --iterations the results are the same."""
    report: bool = False
    """Train and measure nothing: write the results of what is measured so far."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """How the base is trained; its bricks, seed, out and iterations are set by the options above."""


def run(config: GeneralisationConfig) -> int:
    """Trains and measures what is missing, writes and prints the results, and returns 0.

    Raises:
        ValueError: An option is wrong, a folder holds a run with other settings, or with --report nothing is
            measured yet.
        OSError: A folder cannot be written, or a worker process has died; what was finished is kept.
    """
    _check(config)
    networks = study_networks(
        config.sets, config.seeds, config.variants, _control_sets(config), _control_seeds(config)
    )
    for network in networks:
        if network.brick_set not in config.sets:
            raise ValueError(
                f"control set {network.brick_set!r} must be one of the sets, {', '.join(config.sets)}"
            )
    parts = {network: _parts(config, network) for network in networks}
    for folder in (config.out, config.runs):
        folder.mkdir(parents=True, exist_ok=True)
    measured = _stored(config, parts) if config.report else _measured(config, parts)
    publish(config.out, config, measured, _compared(config, measured))
    return OK


def _check(config: GeneralisationConfig) -> None:
    least_values = {"seeds": 1, "games": 1, "positions": 1, "positions_deep": 1}
    least_values |= {"conversion_seeds": 0, "control_seeds": 1, "workers": 1}
    for name, least in least_values.items():
        value = getattr(config, name)
        if value is not None and value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    for number in config.simulations:
        SearchConfig(simulations=number)  # raises where it is wrong
    for name in ("sets", "variants", "simulations"):
        if not getattr(config, name):
            raise ValueError(f"{name} must have at least one entry, got none")
    _check_training(config)
    _check_boards(config)


def _check_training(config: GeneralisationConfig) -> None:
    if config.train.board != SINGLE_SIZE:
        raise ValueError(f"train.board must be {SINGLE_SIZE}, got {config.train.board!r}")
    for name in FIXED_BY_STUDY:
        if (value := getattr(config.train, name)) != getattr(TrainConfig(), name):
            raise ValueError(f"train.{name} is set by the study itself, got {value}")
    _ = _train_config(config).budget  # raises where it is wrong


def _check_boards(config: GeneralisationConfig) -> None:
    check_suites(config.suites)
    several = [board for board in boards_of_size(SINGLE_SIZE, config.cells) if len(board.bricks) != 1]
    if several:
        raise ValueError(f"cells must be sets of single bricks, got {several[0]}")
    for text in config.boards:
        if text == SINGLE_SIZE:
            raise ValueError(f"boards must be others than {SINGLE_SIZE} with one brick, got {text!r}")
        other_boards(text)


def _train_config(config: GeneralisationConfig) -> TrainConfig:
    return replace(config.train, iterations=config.iterations)


def _control_sets(config: GeneralisationConfig) -> tuple[str, ...]:
    return config.sets[:1] if config.control_sets is None else config.control_sets


def _control_seeds(config: GeneralisationConfig) -> int:
    return config.seeds if config.control_seeds is None else config.control_seeds


def _parts(config: GeneralisationConfig, network: StudyNetwork) -> list[Part]:
    """Returns what is measured of a network."""
    parts = []
    for simulations in dict.fromkeys(config.simulations):
        deep = simulations > DEEP
        if deep and network.variant != BASE:
            continue
        games = 1 if deep else config.games
        positions = config.positions_deep if deep else config.positions if simulations else None
        parts.append(Part("losing", SINGLE, simulations, positions, config.cells, 0))
        parts.append(Part("wins", SINGLE, simulations, games, config.cells, 0))
        if network.variant == BASE and network.seed < config.conversion_seeds:
            parts.append(Part("conversion", SINGLE, simulations, 1, config.cells, 0))
        if not deep:
            parts += [Part("losing", suite, simulations, None, (), 0) for suite in config.suites]
            parts += [Part("wins", text, simulations, 1, (), 0) for text in config.boards]
    return parts


def _measured(config: GeneralisationConfig, parts: Mapping[StudyNetwork, Sequence[Part]]) -> Measured:
    """Trains and measures the networks, each in a task of its own."""
    trained = _train_config(config)
    tasks = (
        joblib.delayed(_train_and_evaluate)(network, network.training(trained, config.runs), own)
        for network, own in parts.items()
    )
    parallel = joblib.Parallel(n_jobs=config.workers, return_as="generator_unordered")
    found: dict[StudyNetwork, list[list[Counts] | None]] = {}
    try:
        with tqdm(total=len(parts), unit="network", desc="trained and measured") as progress:
            for network, counts in parallel(tasks):
                found[network] = counts
                progress.set_postfix_str(network.name, refresh=False)
                progress.update()
    except BrokenProcessPool as error:
        raise OSError(
            "a worker process has died (killed or out of memory); what is stored is kept"
        ) from error
    return {network: _by_part(own, found[network]) for network, own in parts.items()}


def _train_and_evaluate(
    network: StudyNetwork, config: TrainConfig, parts: Sequence[Part]
) -> tuple[StudyNetwork, list[list[Counts] | None]]:
    """Trains one network, or continues, and measures it; quietly, since others do so beside it."""
    import torch

    from agents.alphazero.training import train

    torch.set_num_threads(1)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        folder = train(config)
        return network, evaluate(folder, parts)


def _stored(config: GeneralisationConfig, parts: Mapping[StudyNetwork, Sequence[Part]]) -> Measured:
    """Returns what is measured already; ValueError where that is nothing."""
    found = {
        network: _by_part(own, stored(config.runs / network.name, own)) for network, own in parts.items()
    }
    measured = {network: counts for network, counts in found.items() if counts}
    if not measured:
        raise ValueError(f"nothing is measured yet in {config.runs}")
    return measured


def _by_part(parts: Sequence[Part], counts: Sequence[list[Counts] | None]) -> dict[Part, list[Counts]]:
    return {part: own for part, own in zip(parts, counts, strict=True) if own}


def _compared(config: GeneralisationConfig, measured: Measured) -> Measured:
    """Returns the sets and seeds that all variants have, to compare them; nothing without controls."""
    if all(network.variant == BASE for network in measured):
        return {}
    seeds = _control_seeds(config)
    return {
        network: parts
        for network, parts in measured.items()
        if network.brick_set in _control_sets(config) and network.seed < seeds
    }
