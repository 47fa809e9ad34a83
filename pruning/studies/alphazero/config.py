"""The settings of a pruning run: `bttt prune` turns them into options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from agents.alphazero import noise_without_effect
from bttt.runs import is_plugin, option, options_of, part, require_at_least
from pruning.studies.alphazero.defaults import SCORES, defaults
from pruning.studies.alphazero.options import (
    AmountOptions,
    LearningOptions,
    LearningRateOptions,
    RetrainingOptions,
    ScoringOptions,
    StartOptions,
    StopOptions,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, kw_only=True)
class PruneOptions:
    """How networks are pruned and retrained."""

    scoring: Annotated[ScoringOptions, tyro.conf.arg(name="")] = part(ScoringOptions)
    amount: Annotated[AmountOptions, tyro.conf.arg(name="")] = part(AmountOptions)
    start: Annotated[StartOptions, tyro.conf.arg(name="")] = part(StartOptions)
    learning_rate: Annotated[LearningRateOptions, tyro.conf.arg(name="")] = part(LearningRateOptions)
    stop: Annotated[StopOptions, tyro.conf.arg(name="")] = part(StopOptions)
    retraining: Annotated[RetrainingOptions, tyro.conf.arg(name="")] = part(RetrainingOptions)
    learning: Annotated[LearningOptions, tyro.conf.arg(name="")] = part(LearningOptions)
    simulations: int = option(0, setting=False, by_study=True)
    """Also measure the value-losing moves of each level with this many simulations per decision; 0 measures
    the raw policy alone."""
    seed: int = option(0, by_study=True)
    """Seed of all random numbers."""
    out: Path | None = option(None, setting=False, by_study=True)
    """Run folder. Default: runs/prune-<hash of the settings>."""

    def __post_init__(self) -> None:
        require_at_least(0, simulations=self.simulations)
        of_method = defaults(self.scoring.method, self.start.untrained)
        for each in fields(self):
            value = getattr(self, each.name)
            if is_dataclass(value) and not isinstance(value, type):
                object.__setattr__(self, each.name, _completed(value, of_method))

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others, each with the reason."""
        found = noise_without_effect(self.learning.selfplay, self.learning.search)
        found |= dict.fromkeys(("learner.schedule", "learner.passes"), "here: --schedule and --steps decide")
        if self.amount.count is not None:
            found["fraction"] = "with --count"
        if self.amount.allocation != SCORES:
            found["scope"] = f"with --allocation {self.amount.allocation}, which decides for each layer"
        if self.start.untrained and self.start.restart == "rewind" and (self.stop.cycles or 0) <= 1:
            found["restart"] = "with one cycle that prunes initial weights: it starts from them anyway"
        if any(f"{peak}=" in (self.learning_rate.schedule or "") for peak in ("lr", "epsilon")):
            found["learner.lr"] = "with the peak that --schedule gives"
        return found


@dataclass(frozen=True)
class PruneConfig(PruneOptions):
    """Prune and retrain an AlphaZero network in cycles.

    The network is retrained on a buffer of its own self-play games, which are played first (two minutes; a
    cycle takes one or two). Each level, the network after a cycle, is a checkpoint: play level 7 with
    alphazero:FOLDER/level-07,simulations=100. Methods that prune channels write smaller networks; methods
    that prune weights write zeros. Rerun the command to resume; finished levels are kept.

    Columns of the table:

    - of all, sparse MACs and sparse bytes, if weights are pruned: density of all weights, and what a program
      would need that skips pruned weights (a bit for each prunable weight, and the kept ones)
    - ms, 1 and ms, 64: milliseconds for a batch of 1 or 64 positions on the inference backend that plays,
      which the line above the table names
    - evals/s: evaluations per second in batches of 64 on the same backend
    - agreement: fraction of positions of held-out games in which the best cell of the raw policy is that of
      the search
    - error %, raw: percentage of the raw policy's decisions that are value-losing moves, on boards seen in
      training, their mirror images, and novel boards
    - error %, search: the same percentage, measured with --simulations
    """

    agent: Annotated[str, tyro.conf.Positional]
    """Network: alphazero:all (or d4, r2, r3), or alphazero:FOLDER of a training run. A task of your own:
    python:module:Task,option=value."""

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others, and on a task of the user's own."""
        found = super().without_effect()
        if is_plugin(self.agent):
            own = ("simulations", *_names(self.retraining), *_names(self.learning))
            found |= dict.fromkeys(own, "on a task of your own, which trains itself")
            found.pop("learner.lr")  # the peak of schedules without one of their own
        return found


def _names(part: DataclassInstance) -> list[str]:
    """Returns the names of a part's options on the command line: "steps", "learner.lr"."""
    options = options_of(part)
    own = [name for name, value in options.items() if not isinstance(value, dict)]
    nested = [f"{name}.{key}" for name, value in options.items() if isinstance(value, dict) for key in value]
    return own + nested


def _completed(part: DataclassInstance, of_method: Mapping[str, Any]) -> DataclassInstance:
    """Returns a group of options in which the method's defaults, if any, replace None."""
    names = [each.name for each in fields(part) if getattr(part, each.name) is None]
    return replace(part, **{name: of_method[name] for name in names if name in of_method})
