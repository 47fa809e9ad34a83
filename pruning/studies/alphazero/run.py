"""A run of `bttt prune`: its folder, its self-play buffer, its levels and their table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from agents.alphazero import SearchConfig
from agents.alphazero.network import (
    PolicyValueNet,
    as_network,
    digests_of,
    load_network,
    make_evaluator,
    one_thread,
    save_network,
)
from agents.alphazero.training import SolverErrors
from agents.alphazero.weights import RUN_FILE, find_network
from bttt import Board
from bttt.command_line import tell_boards
from bttt.runs import open_run, options_of, plain, report_found, settings_of
from pruning.channels import shrink
from pruning.loop import Additions, Level, Plan, Result, cycle_file, ending, finished_cycles, groups_of, whole
from pruning.loop import run as run_loop
from pruning.measures import cost
from pruning.studies.alphazero.buffer import Buffer, load_buffer, play_buffer, save_buffer
from pruning.studies.alphazero.config import PruneConfig
from pruning.studies.alphazero.measures import MeasuredLevel, level_folder, level_times, searched
from pruning.studies.alphazero.plans import make_plan
from pruning.studies.alphazero.table import write_table
from pruning.studies.alphazero.task import AlphaZeroTask, Retraining, shrunk_config

BUFFER_FILE = "buffer.npz"
PREFIX = "alphazero:"


@dataclass(frozen=True)
class Subject:
    """The network to prune.

    Attributes:
        network: The trained network.
        record: The contents of its checkpoint, besides the weights.
        boards: The boards it was trained on.
        fingerprint: Digest of what the network learned.
        earlier_fingerprint: Digest of the checkpoint's file, by which earlier versions stored runs.
    """

    network: PolicyValueNet
    record: dict[str, Any]
    boards: tuple[Board, ...]
    fingerprint: str
    earlier_fingerprint: str


def prune(config: PruneConfig) -> Path:
    """Starts or resumes a plan on a network, and returns the folder; see `PruneConfig`."""
    subject = load_subject(config.agent)
    plan = make_plan(config)
    _check(plan, subject, config)  # before anything is written: the folder would store a wrong setting
    settings = _settings(config, subject)
    defaults = options_of(PruneConfig(config.agent))
    earlier = {**settings, "network": subject.earlier_fingerprint}
    opening = open_run("prune", settings, out=config.out, defaults=defaults, earlier=earlier)
    with one_thread(), opening as opened:
        folder = opened.path
        opened.write_config({**settings, "cycles": config.stop.cycles, "out": str(folder)})
        if not level_folder(folder, plan.stop.cycles).exists():
            opened.add_environment()
        tell_boards(subject.boards, "plays and measures on")
        task = _task(config, subject, folder)
        found = finished_cycles([folder])
        with tqdm(total=plan.stop.cycles + 1, unit="level") as bar:

            def publish(level: Level) -> Additions:
                bar.set_postfix_str(f"density {level.masks.density():.3f}", refresh=False)
                return publish_level(folder, level, subject, config)

            def count(result: Result) -> None:
                bar.update()

            results = run_loop(task, plan, folder, publish, count)
        report_found(found, len(results) - found, "finished cycle", folder)
        _check_levels(folder, results)
        measured = _measured(config, folder, results, subject.boards)
        print(f"{measured[0].times.heading}:\n\n{write_table(folder, measured)}")
    over = ending(plan, task.measure, results)
    if over is not None and over.early:
        print(f"\nended before cycle {plan.stop.cycles}: {over.reason}")
    print(f"\nwritten: {folder}; play a level as alphazero:{level_folder(folder, len(results) - 1)}")
    return folder


def _check_levels(folder: Path, results: Sequence[Result]) -> None:
    """Raises ValueError if the checkpoint of a level differs from the one that was written."""
    for level, result in enumerate(results):
        path = level_folder(folder, level) / RUN_FILE
        whole = {"parameters", "macs", "bytes"} <= result.cost.keys()
        if not whole or not path.exists() or path.stat().st_size != result.cost["bytes"]:
            later = cycle_file(folder, level).name
            raise ValueError(
                f"{path} is corrupt: delete {later} and all later cycles, then rerun to rebuild them"
            )


def prepare(config: PruneConfig) -> None:
    """Generates the buffer of a run if it is missing, and does nothing else."""
    with one_thread():
        _buffer(config, load_subject(config.agent), Path())


def _measured(
    config: PruneConfig, folder: Path, results: Sequence[Result], boards: Sequence[Board]
) -> list[MeasuredLevel]:
    """Returns the levels with the measurements made once all are finished."""
    levels = [
        MeasuredLevel(result, times)
        for result, times in zip(results, level_times(folder, len(results)), strict=True)
    ]
    if not config.simulations:
        return levels
    rates = searched(folder, len(levels), boards, config.simulations)
    return [replace(level, searched=own) for level, own in zip(levels, rates, strict=True)]


def load_subject(agent: str) -> Subject:
    """Returns the network of an agent's spec.

    Raises:
        ValueError: It is not an AlphaZero agent, or its checkpoint lacks its training boards.
    """
    name = agent.removeprefix(PREFIX)
    if name == agent or "," in name:
        raise ValueError(
            "agent must be alphazero:NETWORK without options, "
            f"for example alphazero:all or alphazero:runs/r3, got {agent!r}"
        )
    path = find_network(name)
    network, record = load_network(path)
    try:
        boards = tuple(Board.parse(text) for text in record["boards"])
        if not boards:
            raise ValueError("no boards")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} does not record its training boards") from error
    found = digests_of(path)
    return Subject(network, record, boards, found.stored, found.file)


def _check(plan: Plan, subject: Subject, options: PruneConfig) -> None:
    """Raises ValueError if a plan does not fit a network."""
    prunable = whole(plan, subject.network, groups_of(plan, subject.network, _example(subject)))
    most = max(mask.numel() for mask in prunable.values())
    if plan.amount.drops and plan.least >= most:
        raise ValueError(f"floor must be below the size of the largest layer, {most}, got {plan.least}")
    if options.simulations and not SolverErrors.fits(subject.boards[0]):
        board = subject.boards[0].with_bricks(())
        raise ValueError(f"simulations must be 0 on {board} boards: value-losing moves are known on 7x7x4")
    known = "seed" in subject.record and "pruning" not in subject.record
    if (plan.start.restart == "rewind" or plan.start.untrained) and not known:
        asked = "untrained" if plan.start.untrained else "restart=rewind"
        raise ValueError(
            f"{asked} needs a network whose initial weights are known: one that bttt train wrote, "
            "not a level of another pruning run"
        )


def _settings(config: PruneConfig, subject: Subject) -> dict[str, Any]:
    """Returns the settings that determine a run, as JSON values."""
    return {**settings_of(config), "network": subject.fingerprint}


def _task(config: PruneConfig, subject: Subject, folder: Path) -> AlphaZeroTask:
    """Returns the task of a run; generates its buffer if it is missing."""
    train, validation = _buffer(config, subject, folder).split()
    options = config.retraining
    retraining = Retraining(
        steps=options.steps,
        learner=config.learning.learner,
        iterations=options.iterations if options.in_loop else 0,
        fresh=bool(config.start.untrained),
        selfplay=config.learning.selfplay,
        search=_search(config, subject),
    )
    seed = int(subject.record.get("seed", 0))
    return AlphaZeroTask(subject.network, subject.boards, train, validation, seed=seed, retraining=retraining)


def _search(config: PruneConfig, subject: Subject) -> SearchConfig:
    """Returns the search of self-play, with the discount of the network's value targets."""
    trained = subject.record.get("config", {}).get("search", {})
    search = config.learning.search
    return replace(search, discount=trained.get("discount", search.discount))


def _buffer(config: PruneConfig, subject: Subject, folder: Path) -> Buffer:
    """Returns the samples to retrain on; generates them if they are missing."""
    path = config.retraining.buffer or folder / BUFFER_FILE
    learning, search = config.learning, _search(config, subject)
    made = {
        "network": subject.fingerprint,
        "positions": learning.positions,
        "selfplay": plain(asdict(learning.selfplay)),
        "search": plain(asdict(search)),
        "seed": config.seed,
    }
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)  # before minutes of self-play
        played = play_buffer(
            make_evaluator(subject.network, "selfplay"),
            subject.boards,
            subject.network.config.encoding == "bricks",
            positions=learning.positions,
            config=learning.selfplay,
            search=search,
            seed=config.seed,
        )
        save_buffer(played, path, made)
    earlier = {"network": subject.earlier_fingerprint}
    return load_buffer(path, subject.boards[0].cells, made, earlier=earlier)


def publish_level(folder: Path, level: Level, subject: Subject, config: PruneConfig) -> Additions:
    """Writes a level as a checkpoint, shrunk if channels were pruned, and returns its costs."""
    exported, density = level.network, level.masks.density()
    if level.removable is not None:
        exported, _ = shrink(level.network, level.groups, level.removable)
        exported.config = shrunk_config(subject.network.config, level.removable)
    file = level_folder(folder, level.cycle) / RUN_FILE
    file.parent.mkdir(exist_ok=True)
    excluded = list(config.amount.exclude)
    stored = level.result.to_json()
    told = {name: stored[name] for name in ("cycle", "density", "kept", "prunable", "layers", "masks")}
    asked = {"agent": config.agent, "method": config.scoring.method, "scope": config.amount.scope}
    pruning = {**asked, "excluded": excluded, **told}
    save_network(file, as_network(exported), {**subject.record, "pruning": pruning})
    costs = asdict(cost(exported, _example(subject), density=density, file=file))
    return Additions(groups={"cost": costs}, notes={"excluded": excluded})


def _example(subject: Subject) -> torch.Tensor:
    board = subject.boards[0]
    return torch.zeros(1, 3, board.rows, board.cols)
