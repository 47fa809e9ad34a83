"""The settings of a training run: `bttt train` turns them into options."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, get_args

import tyro

from agents.alphazero.configs import (
    Encoding,
    GoalName,
    LearnerConfig,
    Preset,
    SearchConfig,
    SelfPlayConfig,
    noise_without_effect,
)
from agents.alphazero.training.budget import Budget
from bttt.runs import PLUGIN_PREFIX, is_plugin, nearest, option, require_at_least


@dataclass(frozen=True)
class TrainConfig:
    """Train AlphaZero by self-play on chosen brick placements.

    Rerun the command to resume the run; a larger budget extends a finished run. The run keeps the evaluated
    network with the fewest value-losing moves on the training boards; play it with
    alphazero:FOLDER,simulations=100.

    A resumed run equals an uninterrupted run bit for bit if --games or --iterations ends it. It must have the
    same number of workers and run on the same kind of machine. With --minutes, the learning rate follows the
    clock.
    """

    bricks: tuple[str, ...] = option(("all",), by_study=True)
    """Brick sets to train on: D4, D4+E5, none, R2, R3, all, orbit:K, drawn:K, random:K,count=N,seed=S,
    or a function of your own, python:module:function."""
    board: str = "7x7x4"
    """Board size and win length, ROWSxCOLSxWIN."""
    preset: Annotated[str, tyro.conf.arg(aliases=("--network",))] = "small"
    """Network: small (32 channels, 3 blocks, any board), base (64 channels, 6 blocks, any board), paper
    (75 channels, 5 blocks, 7x7 only), or a class of your own, python:module:Class."""
    encoding: str | None = None
    """Input plane that shows the bricks: playable (the playable cells), bricks, or a function of your own,
    python:module:function. Default: the preset's encoding."""
    minutes: float | None = option(None, setting=False)
    """Stop after this many minutes of work. Default: 20 if neither --games nor --iterations is given,
    otherwise no limit."""
    games: int | None = option(None, setting=False)
    """Stop after this many self-play games. Default: no limit."""
    iterations: int | None = option(None, setting=False, by_study=True)
    """Stop after this many iterations of self-play and learning. Default: no limit."""
    until: GoalName | None = option(None, setting=False)
    """Also stop when the averaged network, at an evaluation, wins as the first player on every training
    board: minimax against minimax:depth=2 by its raw policy, perfect against perfect with 100 simulations,
    perfect-raw against perfect by its raw policy. The run then keeps this network. Default: no goal."""
    seed: int = option(0, by_study=True)
    """Seed of all random numbers."""
    out: Path | None = option(None, setting=False, by_study=True)
    """Run folder. Default: runs/train-<hash of the settings>."""
    workers: int = option(1, by_study=True)
    """Processes: each plays a part of the games and learns from a part of each batch (of at least 64
    samples). They wait for each other, so each needs a core of its own. Results depend on their number."""
    device: str = option("cpu", setting=False)
    """Device of the network: cpu or cuda; cuda allows only one worker."""
    plies: int = 8
    """Plies that each game advances in one iteration."""
    buffer: int = 200_000
    """Replay buffer size: the most recent samples kept for training."""
    evaluate_every: int = 10
    """Iterations between two evaluations of the value-losing move rate."""
    tensorboard: bool = option(False, setting=False)
    """Also write TensorBoard files (needs the extra `tensorboard`)."""
    search: SearchConfig = field(default_factory=lambda: SearchConfig(simulations=32, gumbel=True))
    selfplay: SelfPlayConfig = field(default_factory=SelfPlayConfig)
    learner: LearnerConfig = field(default_factory=LearnerConfig)

    def __post_init__(self) -> None:
        Budget(self.minutes, self.games, self.iterations)  # raises its errors before any folder is made
        require_at_least(0, seed=self.seed)
        require_at_least(1, workers=self.workers, plies=self.plies, buffer=self.buffer)
        require_at_least(1, evaluate_every=self.evaluate_every)
        _check_name("preset", self.preset, get_args(Preset))
        if self.encoding is not None:
            _check_name("encoding", self.encoding, get_args(Encoding))
        if self.workers > 1 and self.device != "cpu":
            raise ValueError(f"workers must be 1 with device={self.device}, got {self.workers}")
        require_at_least(1, **{"search.simulations": self.search.simulations})
        if self.workers > self.selfplay.games:
            raise ValueError(
                f"workers must be at most selfplay.games, {self.selfplay.games}, got {self.workers}"
            )

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        return noise_without_effect(self.selfplay, self.search)

    @property
    def budget(self) -> Budget:
        """The end of the training run."""
        return Budget(self.minutes, self.games, self.iterations)


def _check_name(option: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known and not is_plugin(name):
        raise ValueError(
            f"{option} must be {', '.join(known)} or {PLUGIN_PREFIX}module:name, "
            f"got {name!r}{nearest(name, known)}"
        )
