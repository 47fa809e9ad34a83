"""The options of a pruning run, in groups: the first five are parts of a `Plan`, with defaults by method.

An option that is None has the default of its method, see `pruning.studies.alphazero.defaults`. Nothing here
loads torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from agents.alphazero import LearnerConfig, SearchConfig, SelfPlayConfig
from bttt.runs import option, require_at_least
from pruning import PRUNING_METHODS


def method_help() -> str:
    """Returns the help of `--method`, which lists all methods by what they prune and when they score."""
    kinds: dict[str, list[str]] = {}
    for row in PRUNING_METHODS.values():
        kinds.setdefault(f"{row.prunes} {row.when}", []).append(row.name)
    listed = "; ".join(f"{', '.join(names)} ({kind})" for kind, names in kinds.items())
    return (
        f"Pruning method: {listed}. "
        "Options follow the name, for example rigl:alpha=0.3,every=100,end=0.75 or "
        "greedy-forward:tolerance=0.02. A method of your own: python:module:name,option=value."
    )


@dataclass(frozen=True)
class ScoringOptions:
    """How a cycle chooses the weights or channels to prune."""

    method: Annotated[str, tyro.conf.arg(help=method_help())] = option("dropnet", by_study=True)
    rounds: int | None = None
    """Rounds of scoring and pruning in each cycle. Default: 100 for synflow, otherwise 1."""


@dataclass(frozen=True)
class AmountOptions:
    """How many weights or channels a cycle prunes, and where."""

    scope: Literal["global", "layer"] | None = option(None, by_study=True)
    """Prune the lowest scores of all layers together (global) or of each layer (layer). DropNet calls them
    minimum and minimum_layer. Default: layer for the greedy methods, otherwise global."""
    fraction: float | None = None
    """Fraction of the remaining weights or channels that each cycle prunes; 0 only retrains. Default: 0.2, or
    0.9 for pruning before training."""
    count: int | None = None
    """Number of weights or channels that each cycle prunes; with --scope layer, in each layer. Default: use
    the fraction."""
    floor: int | None = None
    """Minimum number of channels or weights that each layer keeps. Default: 1 channel, 0 weights."""
    exclude: tuple[str, ...] = ()
    """Layers that are never pruned; * and ? are wildcards. Channels: stem (the stream), blocks.*,
    policy_conv, value_conv, value_hidden. Weights: for example blocks.0.conv1.weight. Channels of outputs are
    never pruned."""
    allocation: Literal["scores", "uniform", "er", "erk"] | None = None
    """How many weights each layer keeps: decided by the scores, at uniform density, or at Erdos-Renyi
    densities (er; erk counts the kernel). Default: erk for methods that prune while training, otherwise
    scores."""
    embeddings: bool = option(False, later=True)
    """Prune the weights of embeddings too, in a network of your own."""
    round_to: int = option(1, later=True)
    """Keep a multiple of this number of channels in each layer, or all of them, as near to the fraction as
    possible. CPUs are fastest at multiples of 16 or 32. Only for methods that prune channels."""


@dataclass(frozen=True)
class StartOptions:
    """Which weights a cycle starts from."""

    untrained: bool | None = None
    """Prune the initial weights before training, with any method. Default: only with methods that prune
    before or while training."""
    restart: Literal["keep", "rewind", "reinit"] = option("keep", by_study=True)
    """Weights that each retraining run starts from: keep (the current ones), rewind (start of training) or
    reinit (new random ones)."""
    rewind_to: float = 0.0
    """With rewind: point in a dense retraining run whose weights are restored, as a fraction of its steps; 0
    is the start of training."""

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        return {} if self.restart == "rewind" else {"rewind_to": "without --restart rewind"}


@dataclass(frozen=True)
class LearningRateOptions:
    """At which learning rates a cycle retrains."""

    schedule: str | None = None
    """Learning-rate schedule of retraining, NAME or NAME:option=value,...; bttt schedules plots them. Its
    peak (lr or epsilon) is --learner.lr unless given; its delta is 4/3 of the peak. A schedule of your own:
    python:module:name,option=value. Default: silo, or clr for pruning before training."""
    grid: tuple[float, ...] = option((), by_study=True)
    """Peak learning rates to try in each cycle, of which the best is kept (SILO's oracle). Needs a schedule
    with an option lr."""
    tolerance: float = 0.005
    """Largest loss of agreement, compared with the best peak, at which a peak is in the oracle's interval."""

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        return {} if self.grid else {"tolerance": "without --grid"}


@dataclass(frozen=True)
class StopOptions:
    """When a run ends; it may be continued with other values."""

    cycles: int | None = option(None, setting=False)
    """Cycles of pruning and retraining. Default: 12, or 1 for pruning before training."""
    until_density: float = option(0.0, setting=False)
    """Stop at the first level whose density (of channels or weights) is at most this; 0 never stops early."""
    kappa: float = option(0.0, setting=False)
    """Stop one level after the agreement with the search falls to this fraction of the dense network's; 0
    never stops early."""

    def __post_init__(self) -> None:
        require_at_least(0, cycles=self.cycles)


@dataclass(frozen=True)
class RetrainingOptions:
    """How long a cycle retrains, and on which games."""

    steps: int = 1500
    """Retraining steps per cycle."""
    in_loop: bool = False
    """Retrain on new self-play games of the pruned network instead; a phase plays 8 plies of every game."""
    iterations: int = 10
    """With in-loop: self-play phases per cycle."""
    buffer: Path | None = option(None, setting=False, by_study=True)
    """File of these positions, which runs can share; it is made if it does not exist. Default: a file in the
    run folder."""

    def __post_init__(self) -> None:
        require_at_least(1, steps=self.steps, iterations=self.iterations)

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        return {} if self.in_loop else {"iterations": "without --in-loop"}


@dataclass(frozen=True)
class LearningOptions:
    """What the network learns from, and how."""

    positions: int = 150_000
    """Self-play positions to retrain on."""
    learner: LearnerConfig = field(default_factory=lambda: LearnerConfig(averaging=0.98))
    selfplay: SelfPlayConfig = field(default_factory=SelfPlayConfig)
    search: SearchConfig = field(default_factory=lambda: SearchConfig(simulations=32, gumbel=True))

    def __post_init__(self) -> None:
        require_at_least(1, positions=self.positions)
