"""How much an exported network's outputs differ from torch's, over random positions.

Shapes: B positions, A cells of the board.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from agents.alphazero.network import AlphaZeroNetwork, one_thread
from bttt import Board, Position, observe

Answers = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Planes `[B, 3, rows, cols] float32` to logits `[B, A]` and values `[B]`."""
TOLERANCE = 1e-4
"""Largest difference allowed. Where a position's logits go beyond 1, it is a fraction of the largest."""
ANY_SIZE = ((7, 7), (6, 6), (4, 5), (5, 9))
"""Board sizes that a network for any size is compared on."""
BATCHES = (1, 2, 7, 32)
"""Numbers of positions in a batch."""


def largest_difference(
    network: AlphaZeroNetwork, read: Answers, sizes: Sequence[tuple[int, int]], bricks_plane: bool
) -> float:
    """Returns the largest difference between torch in float32 and a file, over all sizes and batches.

    Args:
        network: The network, ready for inference.
        read: What the file answers.
        sizes: Rows and columns of the boards.
        bricks_plane: Whether the third plane shows the bricks.

    Raises:
        ValueError: The file's outputs have other shapes.
    """
    largest = 0.0
    for planes in _batches(sizes, bricks_plane):
        with torch.inference_mode(), one_thread():
            expected = [each.numpy() for each in network(torch.from_numpy(planes))]
        for name, one, other in zip(("logits", "values"), read(planes), expected, strict=True):
            if one.shape != other.shape:
                raise ValueError(f"its {name} have the shape {one.shape} instead of {other.shape}")
            scale = np.maximum(1, np.abs(other).max(-1, keepdims=True)) if other.ndim > 1 else 1
            apart = np.abs(one.astype(np.float64) - other) / scale
            largest = float(np.max([largest, apart.max()]))  # NaN stays NaN
    return largest


def _batches(sizes: Sequence[tuple[int, int]], bricks_plane: bool) -> Iterator[np.ndarray]:
    """Yields planes `[B, 3, rows, cols] float32` of random positions (fixed seed)."""
    rng = np.random.default_rng(0)
    for rows, cols in sizes:
        for number in BATCHES:
            yield np.stack([_planes(_position(rows, cols, rng), bricks_plane) for _ in range(number)])


def _position(rows: int, cols: int, rng: np.random.Generator) -> Position:
    """Returns a position with up to three bricks after a random number of random plies."""
    cells = rows * cols
    bricks = rng.choice(cells, rng.integers(min(4, cells)), replace=False)
    position = Position.start(Board(rows, cols, bricks=tuple(bricks.tolist())))
    for _ in range(rng.integers(cells)):
        if position.outcome:
            break
        position = position.play(int(rng.choice(position.legal_cells())))
    return position


def _planes(position: Position, bricks_plane: bool) -> np.ndarray:
    planes = observe(position)[:3].astype(np.float32)
    if not bricks_plane:
        planes[2] = 1 - planes[2]
    return planes
