"""Uniform random brick layouts, each with its own random stream."""

from __future__ import annotations

import numpy as np

from bttt.board import Board


def random_layout(size: Board, bricks: int, seed: int, number: int) -> Board:
    """Returns layout `number` with this size and number of bricks, drawn uniformly."""
    key = (size.rows, size.cols, size.win_length, bricks, number)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    return size.with_bricks(rng.choice(size.cells, size=bricks, replace=False).tolist())
