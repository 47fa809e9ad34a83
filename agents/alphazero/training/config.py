"""The settings of a training run: `bttt train` turns them into options."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agents.alphazero.configs import Encoding, LearnerConfig, SearchConfig, SelfPlayConfig
from agents.alphazero.training.budget import Budget


@dataclass(frozen=True)
class TrainConfig:
    """Train AlphaZero by self-play on boards with chosen bricks.

    The same command again continues the run; a longer budget continues a finished one. The network with the
    fewest value-losing moves on the training boards is kept; play it as alphazero:FOLDER,simulations=100.

    A continued run is the uninterrupted one bit for bit where the same number of games or iterations ends it,
    with the same workers, on the same kind of machine; with minutes the learning rate follows the clock.
    """

    bricks: tuple[str, ...] = ("all",)
    """Brick sets to train on: D4, D4+E5, none, R2, R3, all, orbit:K, random:K,count=N,seed=S, drawn:K."""
    board: str = "7x7x4"
    """Size and win length of the boards: ROWSxCOLSxWIN."""
    preset: Literal["small", "base", "paper"] = "small"
    """The network: small (32 channels, 3 blocks, any board), base (64 x 6), or paper (75 x 5, for 7x7)."""
    encoding: Encoding | None = None
    """How the network sees bricks: a plane of playable cells, or of bricks; by default the preset's own."""
    minutes: float | None = None
    """End after so many minutes of work; 20 where no end is given."""
    games: int | None = None
    """End after so many games of self-play."""
    iterations: int | None = None
    """End after so many iterations."""
    seed: int = 0
    """Seed of all random numbers."""
    out: Path | None = None
    """Folder of the run; by default runs/train-<hash of the settings>."""
    workers: int = 1
    """Processes that play, beside the one that learns; 1 does both in turn."""
    device: str = "cpu"
    """Where the network runs: cpu or cuda; cuda with one worker only."""
    plies: int = 8
    """Plies of every game in an iteration."""
    buffer: int = 200_000
    """Most samples to learn from, the latest."""
    evaluate_every: int = 10
    """Iterations between two looks at the yardstick."""
    tensorboard: bool = False
    """Also write TensorBoard files (needs the extra `tensorboard`)."""
    search: SearchConfig = field(default_factory=lambda: SearchConfig(simulations=32, gumbel=True))
    selfplay: SelfPlayConfig = field(default_factory=SelfPlayConfig)
    learner: LearnerConfig = field(default_factory=LearnerConfig)

    def __post_init__(self):
        Budget(self.minutes, self.games, self.iterations)  # its errors come before any folder is made
        least_values = {"seed": 0, "workers": 1, "plies": 1, "buffer": 1, "evaluate_every": 1}
        for name, least in least_values.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.workers > 1 and self.device != "cpu":
            raise ValueError(f"workers must be 1 with device={self.device}, got {self.workers}")
        if self.search.simulations < 1:
            raise ValueError("search.simulations must be at least 1 for training, got 0")
        if self.workers > self.selfplay.games:
            raise ValueError(
                f"workers must be at most selfplay.games, {self.selfplay.games}, got {self.workers}"
            )

    @property
    def budget(self) -> Budget:
        """The end of the training."""
        return Budget(self.minutes, self.games, self.iterations)
