"""Positions for each cell of the brick, from games of a teacher, split by game.

Shapes: N samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from agents.alphazero import SearchConfig, SelfPlayConfig
from agents.alphazero.search import Evaluator
from bttt import Board
from pruning.studies.alphazero import Buffer, play_buffer


def play_each(
    evaluate: Evaluator,
    wanted: Mapping[Board, int],
    bricks_plane: bool,
    *,
    config: SelfPlayConfig,
    search: SearchConfig,
    seed: int,
) -> Buffer:
    """Returns complete games with at least the wanted number of positions on each board.

    They are played on all boards together, then again on boards with too few positions until all have enough.

    Args:
        evaluate: The network that plays.
        wanted: Number of positions on each board.
        bricks_plane: Whether the network's input has a plane of bricks.
        config: How games are played.
        search: The search that chooses cells and makes the training targets.
        seed: Seed of all games.
    """
    samples: list[np.ndarray] = []
    games: list[np.ndarray] = []
    played = 0
    missing = dict(wanted)
    while missing:
        seeds = np.random.SeedSequence(seed, spawn_key=(len(samples),))
        part = play_buffer(
            evaluate,
            tuple(missing),
            bricks_plane,
            positions=sum(missing.values()),
            config=config,
            search=search,
            seed=int(seeds.generate_state(1)[0]),
        )
        samples.append(part.samples)
        games.append(part.games + played)
        played = int(games[-1][-1]) + 1
        counts = {board: int((part.samples["playable"] == board.playable).sum()) for board in missing}
        missing = {board: left - counts[board] for board, left in missing.items() if left > counts[board]}
    return Buffer(np.concatenate(samples), np.concatenate(games))


def needed(*sizes: int, board: Board) -> int:
    """Returns the number of positions on a board that `deal` needs for splits of these sizes."""
    return sum(sizes) + (len(sizes) - 1) * board.cells


def deal(games: Buffer, boards: Sequence[Board], sizes: Sequence[int], seed: int) -> list[np.ndarray]:
    """Returns splits of the positions on some boards, of exactly these sizes; no game is in two splits.

    Games are shuffled first, because short games end and are stored before long games.

    Args:
        games: Complete games.
        boards: The boards whose positions are split, all together.
        sizes: Number of samples in each split.
        seed: Seed of the shuffle.

    Raises:
        ValueError: There are too few positions.
    """
    own = np.isin(games.samples["playable"], np.array([board.playable for board in boards], np.uint64))
    samples, numbers = games.samples[own], games.games[own]
    names = np.unique(numbers)
    rank = np.empty(len(names), np.int64)
    rank[np.random.default_rng(np.random.SeedSequence(seed)).permutation(len(names))] = np.arange(len(names))
    ranks = rank[np.searchsorted(names, numbers)]
    order = np.argsort(ranks, kind="stable")
    samples, ranks = samples[order], ranks[order]
    parts, start = [], 0
    for size in sizes:
        end = start + size
        if end > len(samples):
            where = " ".join(board.brick_names for board in boards)
            raise ValueError(f"{where} has {len(samples)} positions, too few for splits of {tuple(sizes)}")
        parts.append(samples[start:end])
        start = int(np.searchsorted(ranks, ranks[end - 1], side="right"))
    return parts
