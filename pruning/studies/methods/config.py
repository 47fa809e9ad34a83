"""The settings of `bttt methods`, and one pruning run of the study."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agents.alphazero.training import TrainConfig
from bttt.runs import folder_name, from_options, options_of
from pruning.studies.alphazero import PruneOptions
from pruning.studies.methods.arms import ComparedMethod, compared_method
from tournaments.generalisation import StudyNetwork


@dataclass(frozen=True)
class MethodsConfig:
    """Compare all pruning methods at one density.

    Every method prunes the layers inside the residual blocks to 12.5% density: either weights or channels.
    Networks that do not exist yet are trained first. Each network plays one buffer of self-play games, on
    which all its pruned copies are retrained; methods that prune before training train on it. Prints a table
    and writes methods.txt, methods.csv (every network) and methods.json. Rerun the command to resume.

    Columns of the table:

    - % kept: of the weights, or of the channels, of the blocks
    - MACs: of the network as it is
    - if sparse: MACs of the non-zero weights only; nothing here skips zeros
    - training: multiply-adds of the training if zeros were skipped, relative to one retraining of the dense
      network (for images, including the training of the dense network)
    - accuracy: on test images
    - error %, raw: percentage of the raw policy's decisions that are value-losing moves, on boards seen in
      training and on novel boards
    """

    study: Literal["methods", "self-play"] = "methods"
    """methods: all methods, on a buffer of the network's self-play games. self-play: sparse training by
    self-play from the start, at 20% and 10% density."""
    brick_set: str = "R3"
    """Brick set to train the networks on."""
    seeds: int = 3
    """Number of networks to prune, with seeds 0, 1, ..."""
    iterations: int = 100
    """Training iterations per network; networks that are already trained are reused."""
    methods: tuple[str, ...] = ()
    """Methods to compare, by their names in the table, or your own: python:module:name. Default: all methods
    of the study."""
    steps: int = 600
    """Retraining steps of a network that is pruned once. Methods that prune before training get twice as
    many, self-play gets three times as many."""
    vision: Path | None = None
    """Folder of a run of bttt vision methods/resnet8-fashion-mnist, whose accuracies are added to the table.
    Default: no accuracies."""
    out: Path = Path("runs/methods-results")
    """Folder of the results; existing results are replaced."""
    networks: Path = Path("runs/networks")
    """Folder of the trained networks."""
    runs: Path = Path("runs/methods")
    """Folder of the pruning runs."""
    workers: int = 1
    """Worker processes, each with one network at a time."""
    report: bool = False
    """Train and prune nothing; write the results of what is already finished."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """How the networks are trained. The options above set bricks, seed, out and iterations."""
    prune: PruneOptions = field(default_factory=lambda: from_options(PruneOptions, positions=60_000))
    """How the networks are pruned: positions, learner, selfplay and search. The study sets the rest."""

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        used = options_of(self.prune.learning)
        set_here = (name for name in options_of(self.prune) if name not in used)
        found = {f"prune.{name}": "here: the study sets it" for name in set_here}
        return found | ({"workers": "with --report, which runs nothing"} if self.report else {})


@dataclass(frozen=True, slots=True)
class MethodRun:
    """One pruning run of the study.

    Attributes:
        study: Name in `STUDIES`.
        name: Name of the method in the study, or of a user's own.
        network: The network to prune.
    """

    study: str
    name: str
    network: StudyNetwork

    @property
    def method(self) -> ComparedMethod:
        """The method."""
        return compared_method(self.study, self.name)

    @property
    def folder(self) -> str:
        """The name of its folder."""
        kind = "" if self.study == "methods" else f"{self.study}-"
        return f"{kind}{folder_name(self.name)}-{self.network.name}"
