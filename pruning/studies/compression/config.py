"""The settings of `bttt compression`, and its measurements of one pruning run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from agents.alphazero.training import TrainConfig
from bttt.runs import from_options
from pruning.studies.alphazero import MeasuredLevel, PruneOptions
from pruning.studies.compression.arms import ARMS, ArmRun
from tournaments.generalisation import Counts, Part

CONTROL_SET = "R3"
JSON_NAME = "compression.json"
"""The file with all counts; it identifies the folder of the results."""


@dataclass(frozen=True)
class CompressionConfig:
    """Prune networks, and measure every level on placements seen and not seen in training.

    Prints tables and writes compression.csv (rates and costs), compression.json (all counts, provenance) and
    compression.png. Rerun the command to resume. The defaults take hours on one core.
    """

    sets: tuple[str, ...] = ("D4", "R3", "all")
    """Brick sets to train the networks on."""
    seeds: int = 3
    """Number of networks per training set, with seeds 0, 1, ..."""
    arms: tuple[str, ...] = tuple(ARMS)
    """Pruning variants, all by default, or methods of your own, python:module:name; the first prunes all
    networks, the others are controls."""
    control_sets: tuple[str, ...] | None = None
    """Training sets of the networks that the controls prune. Default: R3, or the first of --sets if R3 is not
    among them."""
    control_seeds: int | None = None
    """Number of networks per training set that the controls prune. Default: the value of --seeds."""
    control_cycles: int | None = None
    """Pruning cycles of the controls. Default: the value of --prune.cycles."""
    iterations: int = 100
    """Training iterations per network; networks that are already trained are reused."""
    simulations: tuple[int, ...] = (0, 100)
    """Numbers of simulations per decision to measure with; 0 is the raw policy."""
    control_simulations: tuple[int, ...] = (0,)
    """Numbers of simulations per decision to measure the controls with; 0 is the raw policy."""
    positions: int = 50
    """Positions per novel cell in which the search is measured. On training cells the search is measured in
    all 200 positions, unless every cell is a training cell. The raw policy is always measured in all 200."""
    games: int = 2
    """Games of the raw policy against minimax:depth=2 on each cell."""
    grid: tuple[float, ...] = (0.0015, 0.003, 0.005, 0.007, 0.01)
    """Peak learning rates that the variant oracle tries in each cycle."""
    out: Path = Path("runs/compression-results")
    """Folder of the results; existing results are replaced."""
    networks: Path = Path("runs/networks")
    """Folder of the trained networks."""
    runs: Path = Path("runs/compression")
    """Folder of the pruning runs."""
    workers: int = 1
    """Worker processes, each with one network at a time."""
    report: bool = False
    """Train, prune and measure nothing; write the results of what is already measured."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """How the networks are trained. The options above set bricks, seed, out and iterations."""
    prune: PruneOptions = field(
        default_factory=lambda: from_options(PruneOptions, steps=600, positions=60_000)
    )
    """How the networks are pruned. The study sets method, scope, restart, grid, seed, simulations, buffer and
    out."""

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        found: dict[str, str] = {}
        if len(self.arms) == 1:
            controls = ("control_sets", "control_seeds", "control_cycles", "control_simulations")
            found |= dict.fromkeys(controls, "with one variant: there is no control")
        if "oracle" not in self.arms:
            found["grid"] = "without the variant oracle"
        if not any((*self.simulations, *self.control_simulations)):
            found["positions"] = "without search: --simulations are 0"
        if self.report:
            found["workers"] = "with --report, which runs nothing"
        return found


@dataclass(frozen=True)
class MeasuredPruning:
    """A measured pruning run.

    Attributes:
        pruned: The pruning run.
        levels: The result and times of each level.
        counts: For each level, the counts of each measurement on all cells; cells may have different numbers
            of trials.
    """

    pruned: ArmRun
    levels: list[MeasuredLevel]
    counts: list[dict[Part, list[Counts]]]


def control_sets(config: CompressionConfig) -> tuple[str, ...]:
    """Returns the training sets of the controls."""
    if config.control_sets is not None:
        return config.control_sets
    return (CONTROL_SET,) if CONTROL_SET in config.sets else config.sets[:1]
