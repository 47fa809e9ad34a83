"""The settings of `bttt generalisation`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from agents.alphazero.training import TrainConfig
from tournaments.generalisation.networks import VARIANTS


@dataclass(frozen=True)
class GeneralisationConfig:
    """Train AlphaZero on sets of brick placements, and measure it on all placements and on other boards.

    Prints tables and writes generalisation.csv (rates), generalisation.json (all counts, cells, provenance)
    and two pictures. Rerun the command to resume; finished networks and measurements are kept. A network of
    30 iterations takes about four minutes on one core; the defaults train more than 40 networks.
    """

    sets: tuple[str, ...] = ("D4", "R2", "R3", "5", "10", "all")
    """Training sets: D4, R2, R3, all, orbit:K, ... A number K stands for K cells drawn at random for
    each seed."""
    seeds: int = 3
    """Networks per training set, with seeds 0, 1, ..."""
    variants: tuple[str, ...] = tuple(VARIANTS)
    """Training variants: base and its controls."""
    control_sets: tuple[str, ...] | None = None
    """Training sets of the controls. Default: the first of --sets."""
    control_seeds: int | None = None
    """Networks per control and training set. Default: as many as --seeds."""
    iterations: int | None = None
    """Training iterations per network. Default: no limit if --train.minutes or --train.games is given,
    otherwise 20 minutes."""
    simulations: tuple[int, ...] = (0, 100, 1000)
    """Simulations per decision to measure with; 0 is the raw policy."""
    games: int = 4
    """Games against minimax:depth=2 on each cell; one game above 100 simulations and on other boards."""
    positions: int = 100
    """Positions per cell in which the search is measured, up to 100 simulations. The raw policy is measured
    in all 200."""
    positions_deep: int = 10
    """Positions per cell in which the search is measured, above 100 simulations."""
    conversion_seeds: int = 3
    """Seeds whose base networks also play every won start against perfect play."""
    cells: tuple[str, ...] = ("all",)
    """Brick sets of single bricks to measure on."""
    suites: tuple[str, ...] = ("bricks2", "bricks4", "drawn")
    """Suites with other numbers of bricks to measure on."""
    boards: tuple[str, ...] = ("6x6x4", "6x7x4", "8x7x4", "7x7x4 random:3,count=48")
    """Other boards to play on: a size (one brick, on each cell in turn), or a size and a brick set."""
    out: Path = Path("runs/generalisation-results")
    """Folder of the results; existing results are replaced."""
    runs: Path = Path("runs/generalisation")
    """Folder of the training runs."""
    workers: int = 1
    """Worker processes, each with one network at a time. With --iterations the results do not depend on
    it."""
    report: bool = False
    """Train and measure nothing; write the results of what is already measured."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """How the base networks are trained. The options above set bricks, seed, out and iterations."""

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        found: dict[str, str] = {}
        if len(self.variants) == 1:
            found |= dict.fromkeys(("control_sets", "control_seeds"), "with one variant: there is no control")
        valid = bool(self.simulations) and min(self.simulations) >= 0
        if valid and not any(0 < each <= 100 for each in self.simulations):
            found["positions"] = "without --simulations of 1 to 100"
        if valid and not any(each > 100 for each in self.simulations):
            found["positions_deep"] = "without --simulations above 100"
        if self.report:
            found["workers"] = "with --report, which runs nothing"
        return found
