"""The tasks of `bttt bricks`: games of a seed, retraining with a candidate, weights of a choice.

Each depends only on the study, a seed, and a cell or a choice, and writes one file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agents.alphazero.network import make_evaluator, one_thread
from bttt import Board
from bttt.runs import write_json
from pruning.bilevel import Counter
from pruning.studies.alphazero import Buffer, load_buffer, load_subject, save_buffer
from pruning.studies.bricks.cells import Choice, cells
from pruning.studies.bricks.config import BricksConfig
from pruning.studies.bricks.data import deal, needed, play_each
from pruning.studies.bricks.heads import Features, Trunk, joined, losses
from pruning.studies.bricks.ranking import LEARNED, PREDICTORS
from pruning.studies.bricks.retraining import Exact, losses_by_cell, retrained
from pruning.studies.bricks.weights import Lower, Weighed, base_alone, corners, learn, search, uniform

LEARN_FILE, HELD_FILE = "learn.npz", "held.npz"
"""Games for training, and games on the cells that may be held out."""
BASE = "base"
RANDOM_WEIGHTS = "best random weights"
PLAY_KEY, SEARCH_KEY = 1, 2
"""Spawn keys of a seed's random-number streams."""


@dataclass(frozen=True)
class Study:
    """The data that all tasks share.

    Attributes:
        config: The options.
        folder: Folder of the run.
        base: The network's training boards.
        candidates: The candidate boards.
    """

    config: BricksConfig
    folder: Path
    base: tuple[Board, ...]
    candidates: tuple[Board, ...]

    def games_file(self, seed: int, name: str) -> Path:
        """Returns the file of a seed's games."""
        return self.folder / f"seed-{seed}" / name

    def retrained_file(self, seed: int, board: Board | None) -> Path:
        """Returns the file of a retraining run's measurements; None means the training cells alone."""
        return self.folder / f"seed-{seed}" / f"retrained-{board.brick_names if board else BASE}.json"

    def weighed_file(self, seed: int, choice: Choice) -> Path:
        """Returns the file of a choice's results."""
        return self.folder / f"seed-{seed}" / f"{choice.name}.json"


def play(study: Study, seed: int, name: str) -> None:
    """Plays the games of one of the two files of a seed."""
    config, teacher = study.config, load_subject(study.config.teacher)
    made = _made(study, seed, name)
    games = play_each(
        make_evaluator(teacher.network, "selfplay"),
        _wanted(study, name),
        teacher.network.config.encoding == "bricks",
        config=config.selfplay,
        search=config.search,
        seed=made["seed"],
    )
    save_buffer(games, study.games_file(seed, name), made)


def _wanted(study: Study, name: str) -> dict[Board, int]:
    """Returns the number of positions on each board for one of the files."""
    config = study.config
    if name == LEARN_FILE:
        share = -(-2 * config.positions // len(study.base))
        return dict.fromkeys(study.base, share) | dict.fromkeys(study.candidates, config.positions)
    return {board: needed(config.held, config.held, board=board) for board in _others(study)}


def _others(study: Study) -> list[Board]:
    """Returns the boards other than the training cells."""
    return [board for board in cells() if board not in study.base]


def _made(study: Study, seed: int, name: str) -> dict[str, Any]:
    """Returns the settings that games are made with, including their own seed."""
    keys = np.random.SeedSequence(seed, spawn_key=(PLAY_KEY, int(name == HELD_FILE)))
    config = study.config
    return {
        "seed": int(keys.generate_state(1)[0]),
        "teacher": config.teacher,
        "positions": config.positions,
        "held": config.held,
        "selfplay": asdict(config.selfplay),
        "search": asdict(config.search),
    }


def _games(study: Study, seed: int, name: str) -> Buffer:
    return load_buffer(study.games_file(seed, name), cells()[0].cells, _made(study, seed, name))


def _held(study: Study, seed: int, boards: Sequence[Board]) -> tuple[np.ndarray, np.ndarray]:
    """Returns positions for choosing weights, and positions from other games for measuring."""
    games, held = _games(study, seed, HELD_FILE), study.config.held
    dealt = [deal(games, [board], [held, held], seed) for board in boards]
    choosing, measuring = (np.concatenate(parts) for parts in zip(*dealt, strict=True))
    return choosing, measuring


def retrain(study: Study, seed: int, board: Board | None) -> None:
    """Retrains on training cells plus a candidate (or twice the training cells), and measures."""
    config, subject = study.config, load_subject(study.config.agent)
    games = _games(study, seed, LEARN_FILE)
    if board is None:
        (samples,) = deal(games, study.base, [2 * config.positions], seed)
    else:
        parts = [deal(games, boards, [config.positions], seed)[0] for boards in (study.base, [board])]
        samples = np.concatenate(parts)
    boards = study.base if board is None else (*study.base, board)
    with one_thread():
        seconds, network = _timed(
            lambda: retrained(
                subject.network, boards, samples, steps=config.steps, learner=config.learner, seed=seed
            )
        )
        _, measuring = _held(study, seed, _others(study))
        loss = losses_by_cell(network, measuring, cells()[0].with_bricks(()))
        if np.isfinite(loss).sum() < len(_others(study)):
            raise ValueError(
                f"learner.lr must be lower than {config.learner.lr}: a retraining run has diverged"
            )
        exact = Exact(config.suite, network.config.encoding == "bricks")
        losing = exact.losing(make_evaluator(network, "torch"))
    found = {"loss": _by_cell(loss), "losing": _by_cell(losing), "seconds": round(seconds, 2)}
    write_json(study.retrained_file(seed, board), found)


def _by_cell(values: np.ndarray) -> dict[str, float]:
    """Returns the finite values of `[49]` by the name of the cell."""
    pairs = zip(cells(), values.tolist(), strict=True)
    return {board.brick_names: value for board, value in pairs if np.isfinite(value)}


class Material(NamedTuple):
    """The data for learning the weights of a choice.

    Attributes:
        trunk: The frozen trunk.
        lower: The fit of heads to the training cells and the candidates.
        choosing: Features of held-out positions that choose the weights.
        measuring: Features of held-out positions, from other games, that measure the chosen weights.
        choice: The choice.
    """

    trunk: Trunk
    lower: Lower
    choosing: Features
    measuring: Features
    choice: Choice


def _material(study: Study, seed: int, choice: Choice) -> Material:
    config, games = study.config, _games(study, seed, LEARN_FILE)
    groups = [study.base, *([board] for board in choice.candidates)]
    samples = [deal(games, boards, [config.positions], seed)[0][: config.fitted] for boards in groups]
    trunk = Trunk(load_subject(config.agent).network, samples[0], cells()[0].with_bricks(()))
    lower = Lower(joined(list(map(trunk.features, samples))), len(samples), config.l2)
    choosing, measuring = map(trunk.features, _held(study, seed, choice.held))
    return Material(trunk, lower, choosing, measuring, choice)


def weigh(study: Study, seed: int, choice: Choice) -> None:
    """Learns the weights of a choice, and fits the alternatives they are compared with."""
    with one_thread():
        write_json(study.weighed_file(seed, choice), _weighed(study, seed, _material(study, seed, choice)))


def _weighed(study: Study, seed: int, material: Material) -> dict[str, Any]:
    config, choice = study.config, material.choice
    problem = material.lower, material.choosing
    seconds, learned = _timed(partial(learn, *problem, steps=config.outer, lr=config.outer_lr))
    even = uniform(*problem)
    keys = np.random.SeedSequence(seed, spawn_key=(SEARCH_KEY, choice.number))
    budget = {"calls": learned.counter.calls, "rng": np.random.default_rng(keys)}
    searching, (best, tried) = _timed(partial(search, *problem, even.heads, **budget))
    single = corners(*problem, even.heads)
    base = base_alone(*problem, even.heads)
    worst = losses(base.heads, material.lower.features).unflatten(0, (material.lower.groups, -1)).mean(1)[1:]
    scores = (learned.weights, learned.influence, [-each.upper for each in single], worst)
    fits = {
        "training cells alone": base,
        "and the best candidate": min(single, key=lambda each: each.upper),
        "uniform weights": even,
        RANDOM_WEIGHTS: best,
        LEARNED: learned,
    }
    exact = Exact(config.suite, material.trunk.bricks_plane)
    return {
        "candidates": [board.brick_names for board in choice.candidates],
        "held": [board.brick_names for board in choice.held],
        "scores": {name: list(map(float, each)) for name, each in zip(PREDICTORS, scores, strict=True)},
        "fits": {name: _fit(each, material, exact) for name, each in fits.items()},
        "path": list(learned.path),
        "tried": tried,
        "calls": {LEARNED: _calls(learned.counter), RANDOM_WEIGHTS: _calls(best.counter)},
        "seconds": {LEARNED: round(seconds, 2), RANDOM_WEIGHTS: round(searching, 2)},
    }


def _fit(each: Weighed, material: Material, exact: Exact) -> dict[str, Any]:
    """Returns the record of heads: weights, losses, and value-losing moves on the held-out cells."""
    losing = exact.losing(material.trunk.evaluator(each.heads))
    return {
        "weights": each.weights.tolist(),
        "choosing": each.upper,
        "measuring": float(losses(each.heads, material.measuring).mean()),
        "losing": float(np.mean([losing[board.bricks[0]] for board in material.choice.held])),
    }


def _calls(counter: Counter) -> Mapping[str, int]:
    return {"gradients": counter.gradients, "products": counter.hvps + counter.crosses}


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Returns the seconds that a call takes, and its result."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found
