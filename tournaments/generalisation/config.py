"""The settings of `bttt generalisation`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from agents.alphazero.training import TrainConfig
from tournaments.generalisation.networks import VARIANTS


@dataclass(frozen=True)
class GeneralisationConfig:
    """Train AlphaZero on sets of brick cells, and measure it on cells, layouts and sizes it has never seen.

    Prints tables and writes generalisation.csv (rates), generalisation.json (all counts, cells, provenance)
    and two pictures. The same command again continues it; what is trained and measured is not done again.
    A network of 30 iterations takes about four minutes of a core; the defaults train more than 40.
    """

    sets: tuple[str, ...] = ("D4", "R2", "R3", "5", "10", "all")
    """Training sets: D4, R2, R3, all, orbit:K, ...; a number K is K cells drawn at random, others for
    each seed."""
    seeds: int = 3
    """Networks of each set, with the seeds 0, 1, ..."""
    variants: tuple[str, ...] = tuple(VARIANTS)
    """What is trained: base, and as controls aug-none, aug-flips, bricks-plane, paper, paper-like,
    lookahead-0, budget-x0.25, budget-x2.5."""
    control_sets: tuple[str, ...] | None = None
    """Training sets of the controls; by default the first of the sets."""
    control_seeds: int | None = None
    """Networks of each control; by default as many as `seeds`."""
    iterations: int | None = None
    """Iterations of each training; or give --train.minutes or --train.games."""
    simulations: tuple[int, ...] = (0, 100, 1000)
    """Simulations of a decision; 0 is the raw policy."""
    games: int = 4
    """Games against minimax:depth=2 on each cell; one above 100 simulations, and on other boards."""
    positions: int = 100
    """Positions of each cell in which the search decides; the raw policy decides in all 200."""
    positions_deep: int = 10
    """Positions of each cell above 100 simulations."""
    conversion_seeds: int = 3
    """Seeds whose base networks play every won start against perfect play."""
    cells: tuple[str, ...] = ("all",)
    """Brick sets of single bricks to measure on."""
    suites: tuple[str, ...] = ("bricks2", "bricks4", "drawn")
    """Suites of other numbers of bricks to measure on."""
    boards: tuple[str, ...] = ("6x6x4", "6x7x4", "8x7x4", "7x7x4 random:3,count=48")
    """Other boards to play on: a size, with one brick on each cell in turn, or a size and a brick set."""
    out: Path = Path("runs/generalisation-results")
    """Folder of the results, which are replaced."""
    runs: Path = Path("runs/generalisation")
    """Folder of the training runs."""
    workers: int = 1
    """Processes that train and measure, a network at a time; with --iterations the results are the same."""
    report: bool = False
    """Train and measure nothing: write the results of what is measured so far."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """How the base is trained; its bricks, seed, out and iterations are set by the options above."""
