"""The command `bttt methods`: every pruning method at one density, on AlphaZero and a vision network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bttt.command_line import suggest, tell_boards
from bttt.processes import quietly, work_through
from bttt.runs import (
    OK,
    from_options,
    is_plugin,
    make_folder,
    nearest,
    open_results,
    refuse_set_by_study,
    report_found,
    require_at_least,
)
from pruning.studies.alphazero import PruneConfig
from pruning.studies.methods.arms import STUDIES, WHOLE_PARTS
from pruning.studies.methods.config import MethodRun, MethodsConfig
from tournaments.generalisation import StudyNetwork, check_training, study_networks


def run(config: MethodsConfig) -> int:
    """Runs the missing training and pruning, writes and prints the results, and returns 0.

    Raises:
        ValueError: An option is wrong, or a folder holds a run with other settings.
        OSError: A folder cannot be written, or a worker process has died; finished work is kept.
    """
    _check(config)
    networks = study_networks((config.brick_set,), config.seeds)
    methods = config.methods or tuple(STUDIES[config.study])
    prunings = [MethodRun(config.study, method, network) for network in networks for method in methods]
    from pruning.studies.methods.table import (  # torch, which takes a second to load
        JSON_NAME,
        publish,
        vision_points,
    )

    seen = vision_points(config.vision) if config.vision else []
    make_folder(config.networks)
    make_folder(config.runs)
    with open_results(config.out, JSON_NAME):
        if not config.report:
            _check_plans(config, prunings)
            from pruning.loop import finished_cycles  # torch, which takes a second to load

            folders = [config.runs / pruned.folder for pruned in prunings]
            found = finished_cycles(folders)
            tell_boards([*dict.fromkeys(board for each in networks for board in each.boards)], "trains on")
            for_each = partial(work_through, workers=config.workers, unit="network")
            for_each(_train, [(config, each) for each in networks], what="trained")
            for_each(_prune, [(config, each) for each in prunings], what="pruned")
            report_found(found, finished_cycles(folders) - found, "finished level", config.runs)
        publish(config, prunings, seen)
    network = f"alphazero:{config.networks / networks[0].name}"
    suggest("prune", network, "--method", "magnitude", why="prune one of the networks in cycles")
    return OK


def pruning_config(config: MethodsConfig, pruned: MethodRun) -> PruneConfig:
    """Returns the settings of a pruning run."""
    method = pruned.method
    folder = config.networks / pruned.network.name
    return from_options(
        PruneConfig,
        agent=f"alphazero:{folder}",
        learning=config.prune.learning,
        exclude=WHOLE_PARTS[method.of],
        **method.options,
        steps=max(1, round(method.time * config.steps)),
        seed=pruned.network.seed,
        buffer=folder / "buffer.npz",
        out=config.runs / pruned.folder,
    )


def _check(config: MethodsConfig) -> None:
    require_at_least(1, seeds=config.seeds, iterations=config.iterations, steps=config.steps)
    require_at_least(1, workers=config.workers)
    # users choose the training data; other options would change the methods
    allowed = replace(MethodsConfig().prune, learning=config.prune.learning)
    refuse_set_by_study(config.prune, allowed, of="prune", every=True)
    check_training(config.train)
    known = list(STUDIES[config.study])
    for name in config.methods:
        if is_plugin(name) and config.study != "methods":
            raise ValueError(f"method {name!r}: a method of your own needs --study methods")
        if name not in known and not is_plugin(name):
            allowed_names = ", ".join([*known, "python:module:name"])
            raise ValueError(f"unknown method {name!r}{nearest(name, known)}; methods are {allowed_names}")


def _check_plans(config: MethodsConfig, prunings: Sequence[MethodRun]) -> None:
    """Raises ValueError if a pruning run is not possible, before hours of training."""
    from pruning.studies.alphazero import make_plan

    for pruned in prunings:
        make_plan(pruning_config(config, pruned))


def _train(config: MethodsConfig, network: StudyNetwork) -> str:
    """Trains a network if necessary, and generates the self-play buffer that its pruning runs share."""
    from agents.alphazero.training import train
    from pruning.studies.alphazero import prepare

    with quietly():
        train(network.training(replace(config.train, iterations=config.iterations), config.networks))
        prepare(pruning_config(config, MethodRun("methods", "dense-retrained", network)))
    return network.name


def _prune(config: MethodsConfig, pruned: MethodRun) -> str:
    """Starts or resumes a pruning run."""
    from pruning.studies.alphazero import prune

    with quietly():
        prune(pruning_config(config, pruned))
    return pruned.folder
