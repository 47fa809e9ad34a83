"""The settings of `bttt compression`, and what it measures of one pruning."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.alphazero.training import TrainConfig
from pruning.studies.alphazero import PruneOptions
from pruning.studies.compression.arms import ARMS, ArmRun
from tournaments.generalisation import Counts, Part

CONTROL_SET = "R3"


@dataclass(frozen=True)
class CompressionConfig:
    """Prune networks trained on sets of brick cells, and measure every level on cells seen and never seen.

    Prints tables and writes compression.csv (rates and costs), compression.json (all counts, provenance) and
    compression.png. The same command again continues it. The defaults take hours of a core.
    """

    sets: tuple[str, ...] = ("D4", "R3", "all")
    """Training sets of the networks."""
    seeds: int = 3
    """Networks of each set, with the seeds 0, 1, ..."""
    arms: tuple[str, ...] = tuple(ARMS)
    """Ways to prune; the first prunes all networks, the others are controls: dropnet-layer, dropnet,
    maximum-layer, random-layer, apoz-layer, dense, rewind, reinit, magnitude, gradient, magnitude-rewind,
    magnitude-reinit, fine-tuning, constant, warmup-step, upper, silo-step, silo-linear, oracle."""
    control_sets: tuple[str, ...] | None = None
    """Training sets whose networks the controls prune; by default R3, or the first where that is none."""
    control_seeds: int | None = None
    """Networks of each of them; by default as many as `seeds`."""
    control_cycles: int | None = None
    """Cycles of the controls; by default as many as `prune.cycles`."""
    iterations: int = 100
    """Iterations of each network's training, where it is not trained yet."""
    simulations: tuple[int, ...] = (0, 100)
    """Simulations of a decision; 0 is the raw policy."""
    control_simulations: tuple[int, ...] = (0,)
    """The same for the controls."""
    positions: int = 50
    """Positions of each cell in which the search decides; the raw policy decides in all 200, and so does the
    search on training cells, where a set has not all of them: they are few, and compared with the others."""
    games: int = 2
    """Games against minimax:depth=2 on each cell with the raw policy."""
    grid: tuple[float, ...] = (0.0015, 0.003, 0.005, 0.007, 0.01)
    """Peak learning rates that the arm oracle tries in each cycle."""
    out: Path = Path("runs/compression-results")
    """Folder of the results, which are replaced."""
    networks: Path = Path("runs/networks")
    """Folder of the trained networks."""
    runs: Path = Path("runs/compression")
    """Folder of the prunings."""
    workers: int = 1
    """Processes that prune and measure, a network at a time."""
    report: bool = False
    """Train, prune and measure nothing: write the results of what is measured so far."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """How networks are trained; bricks, seed, out and iterations are set by the options above."""
    prune: PruneOptions = field(default_factory=lambda: PruneOptions(steps=600, positions=60_000))
    """How they are pruned; the study sets method, scope, restart, grid, seed, simulations, buffer and out."""


@dataclass(frozen=True)
class MeasuredPruning:
    """A pruning that is measured.

    Attributes:
        pruned: The pruning.
        results: The result of each level (see `pruning.loop`), with its "times" (see `level_measures`).
        counts: For each level, the counts of each measurement on all cells (its amount differs among them).
    """

    pruned: ArmRun
    results: list[dict[str, Any]]
    counts: list[dict[Part, list[Counts]]]


def control_sets(config: CompressionConfig) -> tuple[str, ...]:
    """Returns the training sets of the controls."""
    if config.control_sets is not None:
        return config.control_sets
    return (CONTROL_SET,) if CONTROL_SET in config.sets else config.sets[:1]
