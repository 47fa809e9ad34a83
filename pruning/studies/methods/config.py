"""The settings of `bttt methods`, and one pruning of the study."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agents.alphazero.training import TrainConfig
from pruning.studies.alphazero import PruneOptions
from pruning.studies.methods.arms import STUDIES, ComparedMethod
from tournaments.generalisation import StudyNetwork


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
class MethodRun:
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
    def method(self) -> ComparedMethod:
        """The method."""
        return STUDIES[self.study][self.name]

    @property
    def folder(self) -> str:
        """The name of its folder."""
        kind = "" if self.study == "methods" else f"{self.study}-"
        return f"{kind}{self.name}-{self.network.name}"
