"""The command `bttt methods`: every method of pruning at one density, on AlphaZero and a vision network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from agents.alphazero.train import TrainConfig
from agents.options import nearest
from bttt.exit_codes import OK
from pruning.studies.methods_arms import STUDIES, WHOLE_PARTS, Method
from pruning.studies.prune import PruneConfig, PruneOptions
from pruning.studies.side_by_side import quietly, side_by_side
from tournaments.generalisation_networks import FIXED_BY_STUDY, StudyNetwork, study_networks

FREE = ("positions", "learner", "selfplay", "search")
"""Options of a pruning that the study leaves to the user; the others are set, or would change methods."""


@dataclass(frozen=True)
class MethodsConfig:
    """Prune networks with every method of the module to one density, and set them side by side.

    What is pruned are the insides of the residual blocks, to an eighth: weights, or channels. Networks are
    trained first where they are not there; each then plays a buffer of self-play, on which all prunings of
    it are retrained, and those that are pruned before training trained. Prints a table and writes
    methods.txt, methods.csv (every network) and methods.json. The same command again continues it.

    Columns: % kept of the blocks' weights, or channels; MACs of the network as it is; if sparse, those of its
    weights that are not zero, which nothing here skips; training, the multiply-adds of its training if zeros
    were skipped, in retrainings of the whole network (of images, with the base's); accuracy on test images;
    losing, % of the raw policy's decisions that lose value, on boards seen in training and on novel ones.
    """

    study: Literal["methods", "self-play"] = "methods"
    """All methods on a buffer of the network's self-play; or sparse training by self-play from the start, at
    densities of a fifth and a tenth."""
    brick_set: str = "R3"
    """Training set of the networks."""
    seeds: int = 3
    """Networks, with the seeds 0, 1, ..."""
    iterations: int = 100
    """Iterations of each network's training, where it is not trained yet."""
    methods: tuple[str, ...] = ()
    """Methods, by name in the table; by default all."""
    steps: int = 600
    """Steps that a network is retrained for that is cut once; twice as many before training, three times as
    many by self-play."""
    vision: Path | None = None
    """Folder of `bttt vision methods/resnet8-fashion-mnist`, whose accuracies join the table."""
    out: Path = Path("runs/methods-results")
    """Folder of the results, which are replaced."""
    networks: Path = Path("runs/networks")
    """Folder of the trained networks."""
    runs: Path = Path("runs/methods")
    """Folder of the prunings."""
    workers: int = 1
    """Processes that train and prune, a network at a time."""
    report: bool = False
    """Train and prune nothing: write the results of what is finished."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """How networks are trained; bricks, seed, out and iterations are set by the options above."""
    prune: PruneOptions = field(default_factory=lambda: PruneOptions(positions=60_000))
    """How they are pruned: positions, learner, selfplay and search; the study sets the rest."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """One pruning of the study.

    Attributes:
        study: Name in `STUDIES`.
        name: Of the method in it.
        network: The network that is pruned.
    """

    study: str
    name: str
    network: StudyNetwork

    @property
    def method(self) -> Method:
        """The method."""
        return STUDIES[self.study][self.name]

    @property
    def folder(self) -> str:
        """The name of its folder."""
        kind = "" if self.study == "methods" else f"{self.study}-"
        return f"{kind}{self.name}-{self.network.name}"


def run(config: MethodsConfig) -> int:
    """Trains and prunes what is missing, writes and prints the results, and returns 0.

    Raises:
        ValueError: An option is wrong, or a folder holds a run with other settings.
        OSError: A folder cannot be written, or a worker process has died; what was finished is kept.
    """
    _check(config)
    networks = study_networks((config.brick_set,), config.seeds)
    methods = config.methods or tuple(STUDIES[config.study])
    prunings = [Pruned(config.study, method, network) for network in networks for method in methods]
    from pruning.studies.methods_table import publish, vision_points  # torch, which takes a second to load

    seen = vision_points(config.vision) if config.vision else []
    for folder in (config.out, config.networks, config.runs):
        folder.mkdir(parents=True, exist_ok=True)
    if not config.report:
        _check_plans(config, prunings)
        _each(config, "trained", _train, networks)
        _each(config, "pruned", _prune, prunings)
    publish(config, prunings, seen)
    return OK


def pruning_config(config: MethodsConfig, pruned: Pruned) -> PruneConfig:
    """Returns how a network is pruned."""
    method = pruned.method
    folder = config.networks / pruned.network.name
    options = {name: getattr(config.prune, name) for name in FREE}
    options |= {"exclude": WHOLE_PARTS[method.of], **method.options}
    options |= {"steps": max(1, round(method.time * config.steps)), "seed": pruned.network.seed}
    options |= {"buffer": folder / "buffer.npz", "out": config.runs / pruned.folder}
    return PruneConfig(f"alphazero:{folder}", **options)


def _check(config: MethodsConfig) -> None:
    for name in ("seeds", "iterations", "steps", "workers"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name} must be at least 1, got {getattr(config, name)}")
    _check_set_by_study(config)
    known = list(STUDIES[config.study])
    for name in config.methods:
        if name not in known:
            raise ValueError(f"unknown method {name!r}{nearest(name, known)}; methods are {', '.join(known)}")
    for folder in (config.out, config.networks, config.runs):
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder} must be a folder, it is a file")


def _check_set_by_study(config: MethodsConfig) -> None:
    set_here = [field.name for field in fields(PruneOptions) if field.name not in FREE]
    for of, names in (("prune", set_here), ("train", FIXED_BY_STUDY)):
        for name in names:
            if (value := getattr(getattr(config, of), name)) != getattr(getattr(MethodsConfig(), of), name):
                raise ValueError(f"{of}.{name} is set by the study itself, got {value!r}")


def _check_plans(config: MethodsConfig, prunings: Sequence[Pruned]) -> None:
    """Raises ValueError where a pruning cannot be made, before trainings that take hours."""
    from pruning.studies.prune_run import make_plan

    for pruned in prunings:
        make_plan(pruning_config(config, pruned))


def _each(config: MethodsConfig, what: str, task: Any, items: Sequence[Any]) -> None:
    with tqdm(total=len(items), unit="network", desc=what) as progress:
        side_by_side(task, ((config, item) for item in items), workers=config.workers, progress=progress)


def _train(config: MethodsConfig, network: StudyNetwork) -> str:
    """Trains a network where that is not done, and has it play the buffer that its prunings share."""
    from agents.alphazero.training import train
    from pruning.studies.prune_run import prepare

    with quietly():
        train(network.training(replace(config.train, iterations=config.iterations), config.networks))
        prepare(pruning_config(config, Pruned("methods", "dense-retrained", network)))
    return network.name


def _prune(config: MethodsConfig, pruned: Pruned) -> str:
    """Prunes a network, or goes on with it."""
    from pruning.studies.prune_run import prune

    with quietly():
        prune(pruning_config(config, pruned))
    return pruned.folder
