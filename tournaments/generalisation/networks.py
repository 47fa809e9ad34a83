"""The networks of the study `bttt generalisation`: their training sets, variants and seeds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agents.alphazero import BoardAugmentation
from agents.alphazero.training import TrainConfig
from bttt import Board, brick_sets
from bttt.runs import nearest, refuse_set_by_study

BASE = "base"
SINGLE_SIZE = "7x7x4"
"""Board size of the networks, which are trained on boards with one brick."""


def _augmented(config: TrainConfig, augmentation: BoardAugmentation) -> TrainConfig:
    return replace(config, learner=replace(config.learner, augmentation=augmentation))


def _longer(config: TrainConfig, factor: float) -> TrainConfig:
    """Returns the configuration with its training budget multiplied by `factor`."""
    budget = config.budget
    return replace(
        config,
        minutes=None if budget.minutes is None else budget.minutes * factor,
        games=None if budget.games is None else max(1, round(budget.games * factor)),
        iterations=None if budget.iterations is None else max(1, round(budget.iterations * factor)),
    )


VARIANTS: dict[str, Callable[[TrainConfig], TrainConfig]] = {
    BASE: lambda config: config,
    "aug-none": lambda config: _augmented(config, "none"),
    "aug-flips": lambda config: _augmented(config, "flips"),
    "bricks-plane": lambda config: replace(config, encoding="bricks"),
    "paper": lambda config: replace(config, preset="paper", encoding=config.encoding or "playable"),
    "paper-like": lambda config: _augmented(replace(config, preset="paper", encoding="bricks"), "flips"),
    "lookahead-0": lambda config: replace(config, search=replace(config.search, lookahead=0)),
    "budget-x0.25": lambda config: _longer(config, 0.25),
    "budget-x2.5": lambda config: _longer(config, 2.5),
}
"""The training variants, each of which changes one factor. Only "paper-like" changes three: it has the
paper's network, plane of bricks and flips."""


@dataclass(frozen=True, slots=True)
class StudyNetwork:
    """One network to train.

    Attributes:
        variant: Name in `VARIANTS`.
        brick_set: The training set as given, for example "D4"; a number K stands for K cells drawn at random.
        seed: Seed of the training run, and of the cells drawn.
        bricks: Brick sets that form the training set.
    """

    variant: str
    brick_set: str
    seed: int
    bricks: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the network's run folder."""
        return f"{self.variant}-{re.sub(r'[^A-Za-z0-9.+=]', '_', self.brick_set)}-seed{self.seed}"

    @property
    def boards(self) -> tuple[Board, ...]:
        """The training boards."""
        return brick_sets(self.bricks)

    def training(self, config: TrainConfig, folder: Path) -> TrainConfig:
        """Returns the network's training configuration, made from the study's."""
        varied = VARIANTS[self.variant](config)
        return replace(varied, bricks=self.bricks, seed=self.seed, out=folder / self.name)


def check_training(config: TrainConfig) -> None:
    """Raises ValueError if the board differs, or if an option is set that the study sets itself."""
    if config.board != SINGLE_SIZE:
        raise ValueError(f"train.board must be {SINGLE_SIZE}, got {config.board!r}")
    refuse_set_by_study(config, TrainConfig(), of="train")


def training_bricks(text: str, seed: int) -> tuple[str, ...]:
    """Returns the brick sets of a training set given as text.

    A number K stands for boards with one brick on K different cells, drawn uniformly with the seed.

    Raises:
        ValueError: The text is not a brick set, or the board has fewer than K cells.
    """
    if not text.strip().isdecimal():
        if several := [board for board in brick_sets((text,)) if len(board.bricks) != 1]:
            raise ValueError(f"sets must have one brick per board, got {text!r} with board {several[0]}")
        return (text.strip(),)
    number, board = int(text), Board()
    if not 1 <= number <= board.cells:
        raise ValueError(f"a training set must have 1 to {board.cells} cells, got {number}")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    cells = rng.choice(board.cells, size=number, replace=False)
    return tuple(board.cell_name(int(cell)) for cell in sorted(cells))


def study_networks(
    sets: Sequence[str],
    seeds: int,
    variants: Sequence[str] = (BASE,),
    control_sets: Sequence[str] = (),
    control_seeds: int = 1,
) -> list[StudyNetwork]:
    """Returns the networks of a study, seed by seed; networks of the variant "base" come first.

    Args:
        sets: Training sets of the variant "base".
        seeds: Networks per training set of the variant "base".
        variants: Names in `VARIANTS`.
        control_sets: Training sets of the other variants.
        control_seeds: Networks per control set of each other variant.

    Raises:
        ValueError: A variant or a training set is unknown or named twice.
    """
    for what, names in (("variant", variants), ("set", sets), ("control set", control_sets)):
        if twice := [name for number, name in enumerate(names) if name in names[:number]]:
            raise ValueError(f"{what} {twice[0]!r} is named twice")
    for name in variants:
        if name not in VARIANTS:
            raise ValueError(
                f"unknown variant {name!r}{nearest(name, list(VARIANTS))}; variants are {', '.join(VARIANTS)}"
            )
    parts = [(BASE, sets, seeds)] if BASE in variants else []
    parts += [(name, control_sets, control_seeds) for name in variants if name != BASE]
    parts.sort(key=lambda part: part[0] != BASE)
    return [
        StudyNetwork(variant, text, seed, training_bricks(text, seed))
        for control in (False, True)
        for seed in range(max(seeds, control_seeds))
        for variant, texts, number in parts
        if seed < number and control == (variant != BASE)
        for text in texts
    ]
