"""Training: iterations of self-play and learning, each stored before the next begins.

In an iteration the games advance by some plies, played with the averaged weights, and the network learns from
the samples of earlier iterations. Several processes share both, see `team`.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from agents.alphazero.learning import Learner, Losses, sample_type
from agents.alphazero.network import (
    AlphaZeroNetwork,
    bfloat16_is_fast,
    make_evaluator,
    one_thread,
    parameters,
    save_network,
)
from agents.alphazero.training.goals import GoalGames
from agents.alphazero.training.progress import BAR, shown, tensorboard_writer
from agents.alphazero.training.selfplay import Played
from agents.alphazero.training.solver_errors import SolverErrors
from agents.alphazero.training.state import REMEDY, TrainingState, as_arrays, as_tensors
from agents.alphazero.training.team import Team, new_network, new_part, rng_of
from agents.alphazero.weights import RUN_FILE
from bttt import Board, Outcome, boards_of_size
from bttt.command_line import tell_boards
from bttt.runs import (
    environment,
    one_line,
    open_run,
    options_of,
    peak_memory_mb,
    report_found,
    settings_of,
)

if TYPE_CHECKING:
    from agents.alphazero.training.config import TrainConfig
    from bttt.runs import RunFolder

LATEST_FILE = "latest.safetensors"


def train(config: TrainConfig) -> Path:
    """Trains until the budget is used and returns the run's folder; see `TrainConfig`.

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings.
        OSError: The folder cannot be written.
    """
    boards = boards_of_size(config.board, config.bricks)
    network = new_network(config, boards[0])
    _check_device(config.device)
    settings, defaults = settings_of(config), options_of(type(config)())
    commas = {**settings, "bricks": [text.replace("+", ",") for text in config.bricks]}  # once allowed
    opened = open_run("train", settings, out=config.out, defaults=defaults, earlier=commas)
    with one_thread(), opened as run:
        run.write_config({**options_of(config), "out": str(run.path)})
        tell_boards(boards, "trains on")
        _train(config, boards, network, run)
    return run.path


def _train(config: TrainConfig, boards: tuple[Board, ...], network: AlphaZeroNetwork, run: RunFolder) -> None:
    """Starts or resumes the training run in an open folder, and prints a summary."""
    folder = run.path
    with tensorboard_writer(folder, config.tensorboard) as write, ExitStack() as stopping:
        training = TrainingRun(config, boards, network, folder)
        stopping.callback(training.team.stop)
        found = training.counts.iteration
        unfinished = training.progress() < 1
        if unfinished:
            run.add_environment()
        with tqdm(total=100, unit="%", bar_format=BAR) as bar:
            bar.update(round(100 * training.progress(), 1) - bar.n)
            while training.progress() < 1:
                metrics = training.iterate()
                write(metrics)
                bar.set_postfix(shown(metrics), refresh=False)
                bar.update(round(100 * training.progress(), 1) - bar.n)
        if unfinished or not (folder / RUN_FILE).exists():
            training.finish()
    report_found(found, training.counts.iteration - found, "finished iteration", folder)
    print(training.summary())


def _check_device(device: str) -> None:
    """Raises ValueError if this machine cannot train on the device."""
    try:
        if device not in ("cpu", "cuda"):
            raise RuntimeError("no such device")
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError) as error:
        raise ValueError(
            f"device must be cpu, or cuda on a machine with a GPU, got {device!r} ({error})"
        ) from error


class TrainingRun:
    """A training run in progress.

    Args:
        config: The configuration.
        boards: The training boards.
        network: The untrained network.
        folder: The run's folder; a run in it is resumed.
    """

    def __init__(
        self, config: TrainConfig, boards: tuple[Board, ...], network: AlphaZeroNetwork, folder: Path
    ):
        self.config = config
        self.boards = boards
        self.folder = folder
        self.size = boards[0].with_bricks(())
        self.learner = Learner(network, config.learner, self.size, config.device)
        bricks_plane = network.config.encoding == "bricks"
        self.parts = [new_part(config, boards, bricks_plane, number) for number in range(config.workers)]
        self.team = Team(config, self.parts)
        self.errors = SolverErrors(boards, bricks_plane) if SolverErrors.fits(self.size) else None
        self.goal = GoalGames(boards, config.until, bricks_plane, config.seed) if config.until else None
        self.rates: dict[str, float] = {}
        self.state = TrainingState(folder)
        self.counts, tensors = self.state.load()
        if tensors:
            self._restore(tensors)
        self.buffer = self.state.samples(sample_type(self.size.cells), config.buffer)
        if len(self.buffer) < self.counts.buffer:
            found = f"found {len(self.buffer)} of {self.counts.buffer}"
            raise ValueError(f"the samples in {folder} are corrupt ({found}): {REMEDY}")
        self.shards: list[tuple[int, int]] = self.state.shards(sample_type(self.size.cells))
        self._since = perf_counter()

    def progress(self) -> float:
        """Returns the fraction of the budget used, in [0, 1]."""
        if self._at_goal():
            return 1.0
        counts = self.counts
        return self.config.budget.progress(counts.seconds / 60, counts.games, counts.iteration)

    def iterate(self) -> dict[str, Any]:
        """Runs one iteration, stores it, and returns its metrics.

        Raises:
            ValueError: The training run has diverged.
        """
        iteration = self.counts.iteration + 1
        lr = self.config.learner.lr_at(self.progress())
        start = perf_counter()
        played = self.team.play(self.learner.average, iteration)
        playing = perf_counter() - start
        losses = self._learn(iteration)
        learning = perf_counter() - start - playing
        if not math.isfinite(losses.policy + losses.value):
            raise ValueError(
                f"the losses of iteration {iteration} are not finite: the training run has diverged; "
                f"try a learner.lr below {self.config.learner.lr}"
            )
        seconds = self._lap()
        self._keep(iteration, played.samples)
        self._count(iteration, played, losses, seconds)
        due = iteration % self.config.evaluate_every == 0 or self.progress() >= 1
        evaluated = self._evaluate() if due else {}
        metrics = self._metrics(played, losses, lr, seconds, playing, learning) | evaluated
        self.state.add_metrics(metrics)
        self.state.save(self.counts, self._tensors())
        self._forget()  # only now, because an interrupted iteration restarts from the earlier samples
        return metrics

    def finish(self) -> None:
        """Stores the final network if the run could not select one by its error rate."""
        if not (self.folder / RUN_FILE).exists() or (self.errors is None and not self._at_goal()):
            save_network(self.folder / RUN_FILE, self.learner.average, self._record())

    def summary(self) -> str:
        """Returns the run's counts and error rate in one line, and the path of its network."""
        counts = self.counts
        text = (
            f"{counts.iteration} iterations, {counts.games} games, {counts.positions} positions, "
            f"{counts.seconds / 60:.1f} minutes, {parameters(self.learner.network):,} parameters"
        )
        if memory := peak_memory_mb():
            text += f", {memory:.0f} MB"
        if not counts.steps:
            text += (
                f"; no gradient step was taken: {counts.positions} samples, "
                f"a batch needs {self.config.learner.batch}"
            )
        if counts.best is not None:
            text += (
                f"; error rate (value-losing moves) on training boards, raw policy: {100 * counts.best:.2f}%"
            )
        if counts.reached:
            text += f"; reached the goal {counts.reached}"
        return f"{text}\nwritten: {self.folder / RUN_FILE}"

    def _at_goal(self) -> bool:
        return self.config.until is not None and self.counts.reached == self.config.until

    def _learn(self, iteration: int) -> Losses:
        config = self.config.learner
        if not len(self.buffer):
            return Losses(0.0, 0.0, 0)
        steps = int(config.passes * self.counts.positions / config.batch) - self.counts.steps
        rng = rng_of(self.config, iteration)
        return self.learner.learn(self.buffer, steps, self.progress(), rng, self.team.members)

    def _lap(self) -> float:
        """Returns the seconds since the last call, which include the last iteration's evaluation."""
        before, self._since = self._since, perf_counter()
        return self._since - before

    def _count(self, iteration: int, played: Played, losses: Losses, seconds: float) -> None:
        counts = self.counts
        self.counts = counts.moved(
            iteration=iteration,
            seconds=counts.seconds + seconds,
            games=counts.games + len(played.plies),
            positions=counts.positions + len(played.samples),
            simulations=counts.simulations + played.simulations,
            steps=counts.steps + losses.steps,
            buffer=len(self.buffer),
        )

    def _keep(self, iteration: int, samples: np.ndarray) -> None:
        """Stores samples and adds them to the replay buffer, where they replace the oldest."""
        self.state.add_samples(iteration, samples)
        self.buffer = np.concatenate([self.buffer, samples])[-self.config.buffer :]
        self.shards.append((iteration, len(samples)))

    def _forget(self) -> None:
        """Deletes the files of samples that have left the replay buffer."""
        while sum(number for _, number in self.shards[1:]) >= self.config.buffer:
            self.state.forget_samples(self.shards.pop(0)[0])

    def _evaluate(self) -> dict[str, float]:
        """Measures the network and keeps it if it is the best so far; returns metrics.

        The best network has the lowest error rate on the training boards, or reaches the goal. It is measured
        with the evaluator of self-play: the rates differ from those in float32 by 0.1 points at most.
        """
        evaluate = make_evaluator(self.learner.average, "selfplay", self.config.device)
        metrics: dict[str, float] = {}
        if self.errors is not None:
            self.rates = self.errors.rates(evaluate)
            metrics |= {f"value_losing_{name}": round(rate, 5) for name, rate in self.rates.items()}
            save_network(self.folder / LATEST_FILE, self.learner.average, self._record())
        if self.goal is not None:
            metrics["won"] = self.goal.won(evaluate)
            if metrics["won"] == len(self.goal.boards):
                self.counts = self.counts.moved(reached=self.config.until)
        best, seen = self.counts.best, self.rates.get("seen")  # None if the suite has no training board
        better = self.errors is not None and (seen is None or best is None or seen <= best)
        if better:
            self.counts = self.counts.moved(best=seen)
        if better or self._at_goal():
            save_network(self.folder / RUN_FILE, self.learner.average, self._record())
        return metrics

    def _record(self) -> dict[str, Any]:
        """Returns the record to store with a network."""
        made = environment()
        return {
            "bricks": list(self.config.bricks),
            "board": self.config.board,
            "boards": [str(board) for board in self.boards],
            "seed": self.config.seed,
            "command": made["command"],
            "date": made["date"],
            "packages": made["packages"],
            "bfloat16": bfloat16_is_fast(),
            "config": {name: value for name, value in options_of(self.config).items() if name != "out"},
            "training": asdict(self.counts),
            "value-losing moves, raw policy": self.rates,
        }

    def _metrics(
        self, played: Played, losses: Losses, lr: float, seconds: float, playing: float, learning: float
    ) -> dict[str, Any]:
        counts = self.counts
        games = len(played.plies)
        metrics = {
            "iteration": counts.iteration,
            "seconds": round(counts.seconds, 2),
            "games": counts.games,
            "positions": counts.positions,
            "games/s": round(games / seconds, 2),
            "seconds_playing": round(playing, 3),
            "seconds_learning": round(learning, 3),
            "positions/s": round(len(played.samples) / seconds, 1),
            "simulations/s": round(played.simulations / playing),
            "policy_loss": round(losses.policy, 5),
            "value_loss": round(losses.value, 5),
            "policy_entropy": round(played.entropy, 4),
            "steps": losses.steps,
            "lr": lr,
            "buffer": len(self.buffer),
            "peak_memory_mb": peak_memory_mb(),
        }
        if games:
            outcomes = np.bincount(played.outcomes, minlength=4) / games
            metrics["plies_per_game"] = round(float(played.plies.mean()), 2)
            metrics["first_wins"] = round(float(outcomes[Outcome.FIRST_WINS]), 4)
            metrics["draws"] = round(float(outcomes[Outcome.DRAW]), 4)
        return metrics

    def _tensors(self) -> dict[str, torch.Tensor]:
        tensors = {name: tensor.cpu() for name, tensor in self.learner.state().items()}
        for number, part in enumerate(self.parts):
            tensors |= as_tensors(part.state(), f"part{number}.")
        return tensors

    def _restore(self, tensors: dict[str, torch.Tensor]) -> None:
        try:
            self.learner.restore(tensors)
            for number, part in enumerate(self.parts):
                part.restore(as_arrays(tensors, f"part{number}."))
        except (IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(
                f"the state in {self.folder} is corrupt ({one_line(error, own=True)}): {REMEDY}"
            ) from error
