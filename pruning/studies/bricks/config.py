"""The settings of `bttt bricks`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from agents.alphazero import LearnerConfig, SearchConfig, SelfPlayConfig


@dataclass(frozen=True)
class BricksConfig:
    """Learn how much each candidate cell of the brick is worth as the next training cell, and check it.

    A trained network's trunk is frozen. Linear heads are fitted to positions of its training cells (half the
    loss) and of candidate cells (the other half, shared out by learned weights); the weights are those with
    the least loss on held-out cells (bilevel optimisation). The truth is the network itself, retrained for
    some steps on its training cells and one candidate: what its loss and its value-losing moves on the
    held-out cells gain. Held-out cells are no mirror images of training cells or candidates: the retraining
    sees all symmetries of a position.

    Prints tables and writes bricks.csv (a row a candidate), bricks.json (all figures, provenance), report.txt
    and bricks.png. The same command again continues; more seeds or splits may then be asked for. The defaults
    take under 15 minutes on two cores.
    """

    agent: Annotated[str, tyro.conf.Positional] = "alphazero:d4"
    """The network: alphazero:d4 (r2, r3), or alphazero:FOLDER of a training run; it must be trained on 7x7
    boards of one brick."""
    candidates: tuple[str, ...] = ()
    """Brick sets of the candidate cells, as in bttt tournament; by default one cell of each orbit that has no
    training cell."""
    teacher: str = "alphazero:all"
    """The network that plays the games, whose searches all learn from."""
    positions: int = 1000
    """Positions of each candidate cell, and of the training cells together, that a retraining learns from."""
    fitted: int = 400
    """How many of them the heads are fitted to."""
    held: int = 200
    """Positions of each held-out cell that choose the weights, and, of other games, as many that measure."""
    suite: int = 200
    """Positions of the exact suite on each cell in which value-losing moves are counted; 200 are all."""
    seeds: int = 3
    """Repetitions, with the seeds 0, 1, ...: other games, splits and retrainings."""
    splits: int = 3
    """Times in each seed that the candidates' orbits are drawn into two halves, each held out for the other;
    0 instead weighs all candidates together, on the cells that no symmetry takes to them."""
    steps: int = 300
    """Steps of a retraining."""
    outer: int = 25
    """Steps on the weights."""
    outer_lr: float = 0.3
    """Learning rate of these steps (Adam on logarithms of the weights)."""
    l2: float = 1e-3
    """L2 of the heads, which makes the lower problem strongly convex."""
    workers: int = 1
    """Processes."""
    out: Path | None = None
    """Folder of the run; by default runs/bricks-<hash of the settings>."""
    learner: LearnerConfig = field(default_factory=lambda: LearnerConfig(batch=256, lr=1e-3, averaging=0.98))
    selfplay: SelfPlayConfig = field(default_factory=lambda: SelfPlayConfig(games=64))
    search: SearchConfig = field(default_factory=lambda: SearchConfig(simulations=64, gumbel=True))

    def __post_init__(self):
        least_values = {"positions": 1, "fitted": 1, "held": 1, "suite": 1, "seeds": 1, "splits": 0}
        least_values |= {"steps": 1, "outer": 1, "workers": 1}
        for name, least in least_values.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name in ("l2", "outer_lr"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be above 0 and finite, got {getattr(self, name)}")
        if self.fitted > self.positions:
            raise ValueError(f"fitted must be at most positions ({self.positions}), got {self.fitted}")
