"""The command `bttt compression`: does a pruned network lose generalisation before it loses skill?

Networks trained on sets of brick cells are pruned by several variants. Every level is measured on training,
mirrored and novel cells. Each pruning run is one task, which depends only on its configuration; finished
tasks are reused. Only this process writes results.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from agents.alphazero import SearchConfig
from bttt import boards_of_size
from bttt.command_line import suggest, tell_boards
from bttt.processes import quietly, work_through
from bttt.runs import (
    OK,
    make_folder,
    open_results,
    refuse_set_by_study,
    report_found,
    require_at_least,
    with_options,
)
from pruning.studies.alphazero import PruneConfig, PruneOptions
from pruning.studies.compression.arms import ArmRun, prunings
from pruning.studies.compression.config import JSON_NAME, CompressionConfig, MeasuredPruning, control_sets
from tournaments.generalisation import (
    SINGLE,
    SINGLE_SIZE,
    Counts,
    Part,
    StudyNetwork,
    check_training,
    evaluate,
    stored,
    study_networks,
)


def run(config: CompressionConfig) -> int:
    """Runs the missing training, pruning and measurements, writes and prints the results, and returns 0.

    Raises:
        ValueError: An option is wrong, a folder holds a run with other settings, or with --report nothing
            is measured yet.
        OSError: A folder cannot be written, or a worker process has died; finished work is kept.
    """
    _check(config)
    networks = study_networks(config.sets, config.seeds)
    seeds = config.seeds if config.control_seeds is None else config.control_seeds
    plan = prunings(config.arms, networks, control_sets(config), seeds)
    if not config.report:
        _check_arms(config, plan)
    make_folder(config.networks)
    make_folder(config.runs)
    with open_results(config.out, JSON_NAME):
        if not config.report:
            from pruning.loop import finished_cycles  # torch, which takes a second to load

            folders = [config.runs / pruned.name for pruned in plan]
            found = finished_cycles(folders)
            tell_boards([*dict.fromkeys(board for each in networks for board in each.boards)], "trains on")
            for_each = partial(work_through, workers=config.workers, unit="network")
            for_each(_train, [(config, each) for each in networks], what="trained")
            for_each(_prune, [(config, each) for each in plan], what="pruned and measured")
            report_found(found, finished_cycles(folders) - found, "finished level", config.runs)
        from pruning.studies.compression.report import publish  # matplotlib, which takes a second to load

        publish(config.out, config, measured(config, plan))
    suggest("levels", config.runs / plan[0].name, why="rate the levels of one pruning run")
    return OK


def measured(config: CompressionConfig, plan: Iterable[ArmRun]) -> list[MeasuredPruning]:
    """Returns the pruning runs whose measurements are complete; ValueError if there are none."""
    from pruning.loop import stored_results
    from pruning.studies.alphazero import MeasuredLevel, level_folder, level_times

    found = []
    for pruned in plan:
        folder = config.runs / pruned.name
        results = stored_results(folder, cost=["parameters", "macs", "bytes"])
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
    require_at_least(1, seeds=config.seeds, positions=config.positions, games=config.games)
    require_at_least(1, workers=config.workers, iterations=config.iterations)
    require_at_least(1, control_seeds=config.control_seeds)
    require_at_least(0, control_cycles=config.control_cycles)
    for number in (*config.simulations, *config.control_simulations):
        SearchConfig(simulations=number)  # raises if it is wrong
    for name in ("sets", "simulations", "control_simulations"):
        if not getattr(config, name):
            raise ValueError(f"{name} must have at least one entry, got none")
    if absent := [name for name in config.control_sets or () if name not in config.sets]:
        raise ValueError(f"control set {absent[0]!r} must be one of the sets, {', '.join(config.sets)}")
    refuse_set_by_study(config.prune, PruneOptions(), of="prune")


def _check_arms(config: CompressionConfig, plan: Sequence[ArmRun]) -> None:
    """Raises ValueError if a pruning or training run is not possible, before hours of training."""
    from pruning.studies.alphazero import make_plan

    for arm in config.arms:
        make_plan(_pruning(config, next(pruned for pruned in plan if pruned.arm == arm)))
    check_training(config.train)


def _pruning(config: CompressionConfig, pruned: ArmRun) -> PruneConfig:
    """Returns the settings of a pruning run."""
    base = config.prune
    if pruned.arm != config.arms[0] and config.control_cycles is not None:
        base = with_options(base, cycles=config.control_cycles)
    return pruned.config(base, config.grid, config.networks, config.runs)


def _parts(config: CompressionConfig, pruned: ArmRun) -> list[Part]:
    """Returns the measurements for each level of a pruning run."""
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
    """Returns the counts, with the counts on training cells and on other cells merged."""
    order = {board: place for place, board in enumerate(boards_of_size(SINGLE_SIZE, ("all",)))}
    found: dict[Part, list[Counts]] = {}
    for part, own in zip(parts, counts, strict=True):
        found.setdefault(replace(part, amount=None, bricks=()), []).extend(own or ())
    return {part: sorted(own, key=lambda each: order[each.board]) for part, own in found.items()}


def _train(config: CompressionConfig, network: StudyNetwork) -> str:
    """Trains a network if necessary, and generates the self-play buffer that its pruning runs share."""
    from agents.alphazero.training import train
    from pruning.studies.alphazero import prepare

    with quietly():
        trained = network.training(replace(config.train, iterations=config.iterations), config.networks)
        train(trained)
        prepare(_pruning(config, ArmRun(config.arms[0], network)))
    return network.name


def _prune(config: CompressionConfig, pruned: ArmRun) -> str:
    """Starts or resumes a pruning run, and measures each level."""
    from pruning.studies.alphazero import prune

    with quietly():
        folder = prune(_pruning(config, pruned))
        for level in sorted(folder.glob("level-*")):
            evaluate(level, _parts(config, pruned))
    return pruned.name
