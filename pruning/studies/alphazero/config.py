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
    """How networks are pruned and retrained."""

    method: str = "dropnet"
    """Pruning method: for channels dropnet, dropnet-code, maximum, random, apoz, apoz-code, l1, l2, taylor,
    oracle, greedy-forward, greedy-local or greedy-global; for weights magnitude, gradient, gradient-magnitude
    or random-weights; before training snip, grasp or synflow; while training static, set, snfs, rigl or
    gradual. Options follow the name, for example rigl:alpha=0.3,every=100,end=0.75 or
    greedy-forward:tolerance=0.02. A method of your own: python:module:name,option=value."""
    scope: Literal["global", "layer"] | None = None
    """Prune the lowest scores of all layers together (global) or of each layer (layer). DropNet calls them
    minimum and minimum_layer. Default: layer for the greedy methods, otherwise global."""
    schedule: str | None = None
    """Learning-rate schedule of retraining, NAME or NAME:option=value,...; bttt schedules plots them. Its
    peak (lr or epsilon) is --learner.lr unless given; its delta is 4/3 of the peak. A schedule of your own:
    python:module:name,option=value. Default: silo, or clr for pruning before training."""
    cycles: int | None = None
    """Cycles of pruning and retraining. Default: 12, or 1 for pruning before training."""
    fraction: float | None = None
    """Fraction of the remaining weights or channels that each cycle prunes; 0 only retrains. Default: 0.2, or
    0.9 for pruning before training."""
    count: int | None = None
    """Number of weights or channels that each cycle prunes; with --scope layer, in each layer. Default: use
    the fraction."""
    restart: Literal["keep", "rewind", "reinit"] = "keep"
    """Weights that each retraining run starts from: keep the current weights, rewind to the start of
    training, or reinit to new random weights."""
    rewind_to: float = 0.0
    """With rewind: point in a dense retraining run whose weights are restored, as a fraction of its steps; 0
    is the start of training."""
    floor: int | None = None
    """Minimum number of channels or weights that each layer keeps. Default: 1 channel, 0 weights."""
    exclude: tuple[str, ...] = ()
    """Layers that are never pruned; * and ? are wildcards. Channels: stem (the stream), blocks.*,
    policy_conv, value_conv, value_hidden. Weights: for example blocks.0.conv1.weight. Channels of outputs are
    never pruned."""
    untrained: bool | None = None
    """Prune the initial weights before training, with any method. Default: only with methods that prune
    before or while training."""
    rounds: int | None = None
    """Rounds of scoring and pruning in each cycle. Default: 100 for synflow, otherwise 1."""
    allocation: Literal["scores", "uniform", "er", "erk"] | None = None
    """How many weights each layer keeps: decided by the scores, at uniform density, or at Erdos-Renyi
    densities (er; erk counts the kernel). Default: erk for methods that prune while training, otherwise
    scores."""
    until_density: float = 0.0
    """Stop at the first level whose density (of channels or weights) is at most this; 0 never stops early."""
    kappa: float = 0.0
    """Stop one level after the agreement with the search falls to this fraction of the dense network's; 0
    never stops early."""
    grid: tuple[float, ...] = ()
    """Peak learning rates to try in each cycle, of which the best is kept (SILO's oracle). Needs a schedule
    with an option lr."""
    tolerance: float = 0.005
    """Largest loss of agreement, compared with the best peak, at which a peak is in the oracle's interval."""
    simulations: int = 0
    """Also measure the value-losing moves of each level with this many simulations per decision; 0 measures
    the raw policy alone."""
    positions: int = 150_000
    """Self-play positions to retrain on."""
    buffer: Path | None = None
    """File of these positions, which runs can share; it is made if it does not exist. Default: a file in the
    run folder."""
    steps: int = 1500
    """Retraining steps per cycle."""
    in_loop: bool = False
    """Retrain by self-play of the pruned network instead, in phases of 8 plies of every game."""
    iterations: int = 10
    """With in-loop: self-play phases per cycle."""
    seed: int = 0
    """Seed of all random numbers."""
    out: Path | None = None
    """Run folder. Default: runs/prune-<hash of the settings>."""
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
    """Prune and retrain an AlphaZero network in cycles.

    The network is retrained on a buffer of its own self-play games, which are played first (two minutes; a
    cycle takes one or two). Each level, the network after a cycle, is a checkpoint: play level 7 with
    alphazero:FOLDER/level-07,simulations=100. Methods that prune channels write smaller networks; methods
    that prune weights write zeros. Rerun the command to resume; finished levels are kept.

    Columns of the table:

    - ms, 1 and ms, 64: milliseconds for a batch of 1 or 64 positions on the inference backend that plays
      (onnxruntime if it is installed)
    - evals/s: evaluations per second in batches of 64 on the inference backend that makes samples (torch)
    - agreement: fraction of positions of held-out games in which the best cell of the raw policy is that of
      the search
    - losing: fraction of the raw policy's decisions that are value-losing moves, on boards seen in training,
      their mirror images, and novel boards
    - searched: the same fraction, measured with --simulations
    """

    agent: Annotated[str, tyro.conf.Positional]
    """Network: alphazero:all (or d4, r2, r3), or alphazero:FOLDER of a training run. A task of your own:
    python:module:name."""
