"""A run of `bttt prune`: its folder, its buffer of self-play, its levels and their table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from agents.alphazero.checkpoint import load_network, save_network
from agents.alphazero.configs import SearchConfig
from agents.alphazero.evaluators import make_evaluator
from agents.alphazero.network import PolicyValueNet
from agents.alphazero.torch_evaluators import one_thread
from agents.alphazero.weights import RUN_FILE, find_network
from agents.alphazero.yardstick import Yardstick
from agents.options import nearest
from bttt.board import Board
from bttt.run_folder import add_environment, default_folder, hold, open_folder, plain, write_json
from pruning.cost import cost
from pruning.criteria import CRITERIA
from pruning.groups import find_groups
from pruning.loop import Level
from pruning.loop import run as run_loop
from pruning.plan import Plan, whole
from pruning.shrink import shrink
from pruning.studies import buffer
from pruning.studies.alphazero import AlphaZeroTask, Retraining, shrunk_config
from pruning.studies.buffer import Buffer
from pruning.studies.level_measures import level_folder, level_times, searched
from pruning.studies.prune import PruneConfig
from pruning.studies.prune_table import write_table
from pruning.studies.specs import schedule_spec, with_peak

BUFFER_FILE = "buffer.npz"
NOT_SETTINGS = ("out", "cycles", "buffer", "simulations")
OF_PLAN = (
    *("scope", "fraction", "count", "cycles", "restart", "rewind_to", "floor", "exclude", "until_density"),
    *("kappa", "grid", "tolerance", "seed"),
)
"""Options that are the plan's too."""
PREFIX = "alphazero:"


def prune(config: PruneConfig) -> Path:
    """Runs a plan on a network, or the rest of it, and returns the folder; see `PruneConfig`."""
    path = network_path(config.agent)
    network, record = load_network(path)
    boards = boards_of(record, path)
    plan = make_plan(config)
    # before anything is written: a folder would remember a wrong setting
    whole(plan, network, find_groups(network, torch.zeros(1, 3, *_size(record)), coupled=plan.coupled))
    folder = _open_folder(config, path)
    with one_thread(), hold(folder):
        add_environment(folder)
        task = _task(config, network, record, boards, folder)
        with tqdm(total=plan.cycles + 1, unit="level", initial=0) as bar:

            def publish(level: Level) -> None:
                publish_level(folder, level, network, record, config)
                bar.set_postfix_str(f"density {level.masks.density():.3f}", refresh=False)

            def count(result: Mapping[str, Any]) -> None:
                bar.update()

            results = run_loop(task, plan, folder, publish, count)
        print(write_table(folder, _measured(config, folder, results, boards)))
    return folder


def _measured(
    config: PruneConfig, folder: Path, results: Sequence[Mapping[str, Any]], boards: Sequence[Board]
) -> list[dict[str, Any]]:
    """Returns the levels' results with what is measured when all are there."""
    rows = [dict(result) for result in results]
    for row, times in zip(rows, level_times(folder, len(rows)), strict=True):
        row["times"] = times
        row["evaluations a second"] = 64e3 / times["ms, 64, selfplay"]
    if config.simulations and Yardstick.fits(boards[0]):
        found = searched(folder, len(rows), boards, config.simulations)
        for row, rates in zip(rows, found, strict=True):
            row |= {f"searched {novelty}": rate for novelty, rate in rates.items()}
    return rows


def prepare(config: PruneConfig) -> None:
    """Plays the buffer of a run where it is not there, and nothing else."""
    path = network_path(config.agent)
    network, record = load_network(path)
    with one_thread():
        _buffer(config, network, boards_of(record, path), _search(config, record), Path())


def network_path(agent: str) -> Path:
    """Returns the checkpoint of an agent's spec; ValueError where it is no AlphaZero agent."""
    name = agent.removeprefix(PREFIX)
    if name == agent or "," in name:
        raise ValueError(
            "agent must be alphazero:NETWORK without options, as alphazero:all or alphazero:runs/r3, "
            f"got {agent!r}"
        )
    return find_network(name)


def boards_of(record: Mapping[str, Any], path: Path) -> tuple[Board, ...]:
    """Returns the boards that a network was trained on; ValueError where its checkpoint does not tell."""
    try:
        boards = tuple(Board.parse(text) for text in record["boards"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} does not tell the boards of its training") from error
    if not boards:
        raise ValueError(f"{path} does not tell the boards of its training")
    return boards


def make_plan(config: PruneConfig) -> Plan:
    """Returns the plan of a configuration; ValueError where it is wrong."""
    if config.method not in CRITERIA:
        known = ", ".join(CRITERIA)
        raise ValueError(
            f"unknown method {config.method!r}{nearest(config.method, CRITERIA)}; methods are {known}"
        )
    name, options = schedule_spec(config.schedule)
    options = with_peak(name, options, lr=config.learner.lr, p=config.fraction or 0.2, last=config.cycles)
    return Plan(
        criterion=config.method,
        schedule=name,
        schedule_options=options,
        **{name: getattr(config, name) for name in OF_PLAN},
    )


def _open_folder(config: PruneConfig, path: Path) -> Path:
    """Returns the run's folder, made and checked against the settings of the run that it holds."""
    settings = {name: value for name, value in plain(asdict(config)).items() if name not in NOT_SETTINGS}
    settings["network"] = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    folder = config.out or default_folder("prune", settings)
    open_folder(folder, settings, plain(asdict(PruneConfig(config.agent))))
    write_json(folder / "config.json", {**settings, "cycles": config.cycles, "out": str(folder)})
    return folder


def _task(
    config: PruneConfig,
    network: PolicyValueNet,
    record: Mapping[str, Any],
    boards: tuple[Board, ...],
    folder: Path,
) -> AlphaZeroTask:
    """Returns the task of a run; its buffer is played where it is not there."""
    search = _search(config, record)
    train, validation = _buffer(config, network, boards, search, folder).split()
    retraining = Retraining(
        steps=config.steps,
        learner=config.learner,
        iterations=config.iterations if config.in_loop else 0,
        selfplay=config.selfplay,
        search=search,
    )
    seed = int(record.get("seed", 0))
    return AlphaZeroTask(network, boards, train, validation, seed=seed, retraining=retraining)


def _search(config: PruneConfig, record: Mapping[str, Any]) -> SearchConfig:
    """Returns the search of self-play, with the discount that the network's values are learned with."""
    discount = record.get("config", {}).get("search", {}).get("discount", config.search.discount)
    return replace(config.search, discount=discount)


def _buffer(
    config: PruneConfig, network: PolicyValueNet, boards: Sequence[Board], search: SearchConfig, folder: Path
) -> Buffer:
    """Returns the samples to retrain on; they are played where they are not there."""
    path = config.buffer or folder / BUFFER_FILE
    if not path.exists():
        played = buffer.play(
            make_evaluator(network, "selfplay"),
            boards,
            network.config.encoding == "bricks",
            positions=config.positions,
            config=config.selfplay,
            search=search,
            seed=config.seed,
        )
        buffer.save(played, path)
    return buffer.load(path, boards[0].cells)


def publish_level(
    folder: Path, level: Level, network: PolicyValueNet, record: Mapping[str, Any], config: PruneConfig
) -> None:
    """Writes a level as a checkpoint, shrunk where channels were cut, and adds its costs to its result."""
    exported, density = level.network, level.masks.density()
    if level.removable is not None:
        exported, _ = shrink(level.network, level.groups, level.removable)
        exported.config = shrunk_config(network.config, level.removable)
    file = level_folder(folder, level.cycle) / RUN_FILE
    file.parent.mkdir(exist_ok=True)
    told = {name: level.result[name] for name in ("cycle", "density", "kept", "prunable", "masks")}
    pruning = {"agent": config.agent, "method": config.method, "scope": config.scope, **told}
    save_network(file, exported, {**record, "pruning": pruning})
    example = torch.zeros(1, 3, *_size(record))
    level.result["cost"] = asdict(cost(exported, example, density=density, file=file))


def _size(record: Mapping[str, Any]) -> tuple[int, int]:
    board = Board.parse(record["boards"][0])
    return board.rows, board.cols
