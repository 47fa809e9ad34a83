"""The command `bttt compression`: does a network that is cut stop generalising before it stops playing?

Networks trained on sets of brick cells are pruned in several ways; every level is measured on training,
mirrored and novel cells. Each pruning is one task, which depends on its configuration alone; what is finished
is found again. This process alone writes results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from tqdm import tqdm

from agents.alphazero import SearchConfig
from agents.alphazero.training import TrainConfig
from bttt import boards_of_size
from bttt.runs import OK, quietly, side_by_side
from pruning.studies.alphazero import PruneConfig, PruneOptions
from pruning.studies.compression.arms import ArmRun, prunings
from pruning.studies.compression.config import CompressionConfig, MeasuredPruning, control_sets
from tournaments.generalisation import (
    FIXED_BY_STUDY,
    SINGLE,
    SINGLE_SIZE,
    Counts,
    Part,
    StudyNetwork,
    evaluate,
    stored,
    study_networks,
)

OF_STUDY = ("method", "scope", "restart", "grid", "seed", "simulations", "buffer", "out")
"""Options of a pruning that the study sets."""


def run(config: CompressionConfig) -> int:
    """Trains, prunes and measures what is missing, writes and prints the results, and returns 0.

    Raises:
        ValueError: An option is wrong, a folder holds a run with other settings, or with --report nothing is
            measured yet.
        OSError: A folder cannot be written, or a worker process has died; what was finished is kept.
    """
    _check(config)
    networks = study_networks(config.sets, config.seeds)
    seeds = config.seeds if config.control_seeds is None else config.control_seeds
    plan = prunings(config.arms, networks, control_sets(config), seeds)
    if not config.report:
        _check_arms(config, plan)
    for folder in (config.out, config.networks, config.runs):
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder} must be a folder, it is a file")
        folder.mkdir(parents=True, exist_ok=True)
    if not config.report:
        _each(config, "trained", _train, networks)
        _each(config, "pruned and measured", _prune, plan)
    from pruning.studies.compression.report import publish  # matplotlib, which takes a second to load

    publish(config.out, config, measured(config, plan))
    return OK


def measured(config: CompressionConfig, plan: Iterable[ArmRun]) -> list[MeasuredPruning]:
    """Returns the prunings that are measured in full; ValueError where there is none."""
    from pruning.loop import stored_results
    from pruning.studies.alphazero import MeasuredLevel, level_folder, level_times

    found = []
    for pruned in plan:
        folder = config.runs / pruned.name
        results = stored_results(folder)
        parts = _parts(config, pruned)
        counts = [stored(level_folder(folder, level), parts) for level in range(len(results))]
        if results and all(own for level in counts for own in level):
            times = level_times(folder, len(results))
            levels = [MeasuredLevel(*each) for each in zip(results, times, strict=True)]
            found.append(MeasuredPruning(pruned, levels, [_joined(parts, own) for own in counts]))
    if not found:
        raise ValueError(f"nothing is measured yet in {config.runs}")
    return found


def _check(config: CompressionConfig) -> None:
    least_values = {"seeds": 1, "positions": 1, "games": 1, "workers": 1, "iterations": 1}
    least_values |= {"control_seeds": 1, "control_cycles": 0}
    for name, least in least_values.items():
        value = getattr(config, name)
        if value is not None and value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    for number in (*config.simulations, *config.control_simulations):
        SearchConfig(simulations=number)  # raises where it is wrong
    for name in ("sets", "simulations", "control_simulations"):
        if not getattr(config, name):
            raise ValueError(f"{name} must have at least one entry, got none")
    if absent := [name for name in config.control_sets or () if name not in config.sets]:
        raise ValueError(f"control set {absent[0]!r} must be one of the sets, {', '.join(config.sets)}")
    for name in OF_STUDY:
        if (value := getattr(config.prune, name)) != getattr(PruneOptions(), name):
            raise ValueError(f"prune.{name} is set by the study itself, got {value!r}")


def _check_arms(config: CompressionConfig, plan: Sequence[ArmRun]) -> None:
    """Raises ValueError where a pruning or training cannot be made, before trainings that take hours."""
    from pruning.studies.alphazero import make_plan

    for arm in config.arms:
        make_plan(_pruning(config, next(pruned for pruned in plan if pruned.arm == arm)))
    if config.train.board != SINGLE_SIZE:
        raise ValueError(f"train.board must be {SINGLE_SIZE}, got {config.train.board!r}")
    for name in FIXED_BY_STUDY:
        if (value := getattr(config.train, name)) != getattr(TrainConfig(), name):
            raise ValueError(f"train.{name} is set by the study itself, got {value!r}")


def _pruning(config: CompressionConfig, pruned: ArmRun) -> PruneConfig:
    """Returns how a network is pruned."""
    cycles = config.prune.cycles
    if pruned.arm != config.arms[0] and config.control_cycles is not None:
        cycles = config.control_cycles
    base = replace(config.prune, cycles=cycles)
    return pruned.config(base, config.grid, config.networks, config.runs)


def _parts(config: CompressionConfig, pruned: ArmRun) -> list[Part]:
    """Returns what is measured of each level of a pruning."""
    network, parts = pruned.network, []
    seen = {str(board) for board in network.boards}
    unseen = tuple(
        board.brick_names for board in boards_of_size(SINGLE_SIZE, ("all",)) if str(board) not in seen
    )
    main = pruned.arm == config.arms[0]
    for simulations in dict.fromkeys(config.simulations if main else config.control_simulations):
        if not simulations:
            parts.append(Part("losing", SINGLE, 0, None, (), 0))
            parts.append(Part("wins", SINGLE, 0, config.games, (), 0))
        elif not unseen:
            parts.append(Part("losing", SINGLE, simulations, config.positions, (), 0))
        else:
            parts.append(Part("losing", SINGLE, simulations, None, network.bricks, 0))
            parts.append(Part("losing", SINGLE, simulations, config.positions, unseen, 0))
    return parts


def _joined(parts: Sequence[Part], counts: Sequence[Sequence[Counts] | None]) -> dict[Part, list[Counts]]:
    """Returns the counts with those of one measurement, on training cells and on the others, as one."""
    order = {board: place for place, board in enumerate(boards_of_size(SINGLE_SIZE, ("all",)))}
    found: dict[Part, list[Counts]] = {}
    for part, own in zip(parts, counts, strict=True):
        found.setdefault(replace(part, amount=None, bricks=()), []).extend(own or ())
    return {part: sorted(own, key=lambda each: order[each.board]) for part, own in found.items()}


def _each(config: CompressionConfig, what: str, task: Callable[..., str], items: Sequence[Any]) -> None:
    """Runs a task for each item, in processes of its own."""
    with tqdm(total=len(items), unit="network", desc=what) as progress:
        side_by_side(task, ((config, item) for item in items), workers=config.workers, progress=progress)


def _train(config: CompressionConfig, network: StudyNetwork) -> str:
    """Trains a network where that is not done, and has it play the buffer that its prunings share."""
    from agents.alphazero.training import train
    from pruning.studies.alphazero import prepare

    with quietly():
        trained = network.training(replace(config.train, iterations=config.iterations), config.networks)
        train(trained)
        prepare(_pruning(config, ArmRun(config.arms[0], network)))
    return network.name


def _prune(config: CompressionConfig, pruned: ArmRun) -> str:
    """Prunes a network, or goes on with it, and measures each level."""
    from pruning.studies.alphazero import prune

    with quietly():
        folder = prune(_pruning(config, pruned))
        for level in sorted(folder.glob("level-*")):
            evaluate(level, _parts(config, pruned))
    return pruned.name
