"""The settings of `bttt bricks`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from agents.alphazero import LearnerConfig, SearchConfig, SelfPlayConfig, noise_without_effect
from bttt.runs import option, require_at_least


@dataclass(frozen=True)
class BricksConfig:
    """Learn which brick placement to add to training next, and check the answer by retraining.

    The trunk of a trained network is frozen, and linear heads are fitted on top of it. Half of the loss comes
    from positions of the training cells, the other half from candidate cells with learned weights. The
    weights minimise the loss on held-out cells (bilevel optimisation).

    The ground truth: retrain the network itself for some steps on its training cells plus one candidate.
    Measure how much its loss and its value-losing moves improve on the held-out cells. Held-out cells are
    never mirror images of training cells or candidates, because retraining uses all symmetries of a position.

    Prints tables and writes bricks.csv (one row per candidate), bricks.json (all figures, provenance),
    report.txt and bricks.png. Rerun the command to resume, also with more seeds or splits. The defaults take
    under 15 minutes on two cores.
    """

    agent: Annotated[str, tyro.conf.Positional] = "alphazero:d4"
    """Network: alphazero:d4 (or r2, r3), or alphazero:FOLDER of a training run. It must be trained on 7x7
    boards with one brick."""
    candidates: tuple[str, ...] = ()
    """Brick sets of the candidate cells, for example all or D4. Default: one cell of each orbit without a
    training cell."""
    teacher: str = "alphazero:all"
    """Network that plays the games; its searches are the training targets."""
    positions: int = 1000
    """Training positions per candidate cell, and for all training cells together."""
    fitted: int = 400
    """How many of these positions the heads are fitted to."""
    held: int = 200
    """Positions per held-out cell that select the weights, and as many from other games that measure the
    result."""
    suite: int = 200
    """Labelled positions per cell in which value-losing moves are counted; 200 is all of them."""
    seeds: int = option(3, setting=False)
    """Number of repetitions, with seeds 0, 1, ...; each has its own games, splits and retraining runs."""
    splits: int = option(3, setting=False)
    """Random splits per seed of the candidates' orbits into two halves; each half is held out for the other.
    0: all candidates in one choice, and every cell held out that no symmetry maps to a candidate."""
    steps: int = 300
    """Steps of a retraining run."""
    outer: int = 25
    """Optimisation steps for the weights of the candidates."""
    outer_lr: float = 0.3
    """Adam's learning rate in these steps, on the logarithms of the weights."""
    l2: float = 1e-3
    """L2 penalty on the heads, which makes the lower-level problem strongly convex."""
    workers: int = option(1, setting=False)
    """Worker processes."""
    out: Path | None = option(None, setting=False)
    """Run folder. Default: runs/bricks-<hash of the settings>."""
    learner: LearnerConfig = field(default_factory=lambda: LearnerConfig(batch=256, lr=1e-3, averaging=0.98))
    selfplay: SelfPlayConfig = field(default_factory=lambda: SelfPlayConfig(games=64))
    search: SearchConfig = field(default_factory=lambda: SearchConfig(simulations=64, gumbel=True))

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        found = noise_without_effect(self.selfplay, self.search)
        return found | {"learner.passes": "here: --steps says how long a retraining run is"}

    def __post_init__(self) -> None:
        require_at_least(1, positions=self.positions, fitted=self.fitted, held=self.held, suite=self.suite)
        require_at_least(1, seeds=self.seeds)
        require_at_least(0, splits=self.splits)
        require_at_least(1, steps=self.steps, outer=self.outer, workers=self.workers)
        for name in ("l2", "outer_lr"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be above 0 and finite, got {getattr(self, name)}")
        if self.fitted > self.positions:
            raise ValueError(f"fitted must be at most positions ({self.positions}), got {self.fitted}")
