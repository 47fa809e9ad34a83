"""The settings of a pruning run: `bttt prune` turns them into options."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from agents.alphazero import LearnerConfig, SearchConfig, SelfPlayConfig
from pruning.studies.alphazero.defaults import defaults


@dataclass(frozen=True, kw_only=True)
class PruneOptions:
    """How a network is pruned and retrained."""

    method: str = "dropnet"
    """What is cut. Channels by dropnet, dropnet-code, maximum, random, apoz, apoz-code, l1, l2, taylor,
    oracle, greedy-forward, greedy-local, or greedy-global; weights by magnitude, gradient,
    gradient-magnitude, or random-weights. Of initial weights, before training: snip, grasp, synflow; and
    sparse training: static, set, snfs, rigl, gradual. Options of sparse and greedy methods stand behind a
    colon, as rigl:alpha=0.3,every=100,end=0.75 or greedy-forward:tolerance=0.02."""
    scope: Literal["global", "layer"] | None = None
    """The lowest scores of all layers together, or of each layer (DropNet's minimum and minimum_layer); by
    default global, and layer for the greedy methods, which choose in each."""
    schedule: str | None = None
    """Learning rate, as NAME or NAME:option=value,...; bttt schedules draws them. Its peak (lr, or epsilon)
    is by default --learner.lr, its delta 4/3 of that. By default silo; before training clr."""
    cycles: int | None = None
    """Cycles of cutting and retraining; by default 12, before training 1."""
    fraction: float | None = None
    """Share of what is left that a cycle cuts; 0 only retrains. By default 0.2, before training 0.9."""
    count: int | None = None
    """Channels or weights that a cycle cuts, instead of a share (with --scope layer, in each layer)."""
    restart: Literal["keep", "rewind", "reinit"] = "keep"
    """Where each retraining starts: the weights as they are, those of the training's start, or new ones."""
    rewind_to: float = 0.0
    """With rewind: share of a dense retraining whose weights to rewind to; 0 is the training's start."""
    floor: int | None = None
    """Entries that each layer keeps; by default 1 channel or 0 weights."""
    exclude: tuple[str, ...] = ()
    """Layers to leave whole, with * and ?: channels of stem (the stream), blocks.*, policy_conv, value_conv,
    value_hidden; weights as blocks.0.conv1.weight. By default none is; channels of outputs are never cut."""
    untrained: bool | None = None
    """Cut initial weights, and train then, with any method; by default snip and those named after it do."""
    rounds: int | None = None
    """Rounds of scoring in which a cycle cuts; by default 1, for synflow 100."""
    allocation: Literal["scores", "uniform", "er", "erk"] | None = None
    """How many weights each layer keeps: what the scores say, the same share of each, or Erdos-Renyi shares
    (erk counts the kernel); by default erk for sparse training, else scores."""
    until_density: float = 0.0
    """Stop at the first level with at most this share of channels (or weights)."""
    kappa: float = 0.0
    """Stop one level after the agreement with the search falls to this share of the dense network's."""
    grid: tuple[float, ...] = ()
    """Peak learning rates to try in each cycle, of which the best is kept (SILO's oracle); with schedules of
    an option lr."""
    tolerance: float = 0.005
    """Agreement below the best that is still in the oracle's interval."""
    simulations: int = 0
    """Also measure the value-losing moves of each level with so many simulations a decision."""
    positions: int = 150_000
    """Positions of self-play to retrain on."""
    buffer: Path | None = None
    """File of the positions, made where it is not there; by default in the run's folder. Runs can share."""
    steps: int = 1500
    """Steps of a cycle's retraining."""
    in_loop: bool = False
    """Retrain by self-play of the pruned network instead, in stretches of 8 plies of every game."""
    iterations: int = 10
    """With in-loop: stretches of self-play in a cycle."""
    seed: int = 0
    """Seed of all random numbers."""
    out: Path | None = None
    """Folder of the run; by default runs/prune-<hash of the settings>."""
    learner: LearnerConfig = field(default_factory=lambda: LearnerConfig(averaging=0.98))
    selfplay: SelfPlayConfig = field(default_factory=SelfPlayConfig)
    search: SearchConfig = field(default_factory=lambda: SearchConfig(simulations=32, gumbel=True))

    def __post_init__(self) -> None:
        for name, value in defaults(self.method, self.untrained).items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        least_values = {"positions": 1, "steps": 1, "iterations": 1, "simulations": 0, "cycles": 0}
        for name, least in least_values.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")


@dataclass(frozen=True)
class PruneConfig(PruneOptions):
    """Prune a trained AlphaZero network in cycles of cutting and retraining.

    It is retrained on a buffer of its own self-play, which is played first (two minutes; a cycle takes one or
    two). Each level is a checkpoint: play level 7 as alphazero:FOLDER/level-07,simulations=100. Methods that
    cut channels write networks that are smaller; those that cut weights write zeros. The same command again
    continues; what is finished is kept.

    Columns of the table: ms, 1 and ms, 64 are milliseconds for a batch of 1 or 64 positions on the evaluator
    that plays (onnxruntime where it is installed), evals/s evaluations a second in batches of 64 on the one
    that makes samples (torch); agreement is the share of positions of games kept apart in which the raw
    policy's best cell is the search's; losing is the share of the raw policy's decisions that lose value, on
    boards seen in training, their mirror images, and novel ones; searched the same with --simulations.
    """

    agent: Annotated[str, tyro.conf.Positional]
    """The network: alphazero:all (d4, r2, r3), or alphazero:FOLDER of a training run."""
