"""Samples of self-play, and batches of them for the learner, augmented by symmetries.

Shapes: N samples, B samples of a batch, A cells of the board, S symmetries.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from agents.alphazero.configs import BoardAugmentation
from bttt import Board, symmetries
from bttt.kernels import entry_point

_ONE = np.uint64(1)
_ZERO = np.uint64(0)


def sample_type(cells: int) -> np.dtype:
    """Returns the dtype of a sample: words of playable cells and of both sides' stones, policy and value."""
    words = [(name, "<u8") for name in ("playable", "mine", "theirs")]
    return np.dtype([*words, ("policy", "<f2", (cells,)), ("value", "<f4")])


class SampleBatch(NamedTuple):
    """A batch of inputs and targets.

    Attributes:
        planes: `[B, 3, rows, cols] float32`, the network's inputs.
        policies: `[B, A] float32`, policy targets.
        values: `[B] float32`, value targets.
    """

    planes: np.ndarray
    policies: np.ndarray
    values: np.ndarray


def images(size: Board, augmentation: BoardAugmentation) -> np.ndarray:
    """Returns the symmetries of an augmentation, `[S, A] int64`: for each cell the cell it is mapped to."""
    found = symmetries(size.rows, size.cols)
    if augmentation == "none":
        found = found[:1]
    elif augmentation == "flips":
        found = found[:4]
    return np.array([symmetry.image for symmetry in found])


def make_batch(samples: np.ndarray, size: Board, turns: np.ndarray, bricks_plane: bool) -> SampleBatch:
    """Returns samples as a batch, each transformed by its own symmetry.

    Args:
        samples: `[B]` of `sample_type`.
        size: A board of the samples' size.
        turns: `[B, A] int64`, for each cell the cell it is mapped to.
        bricks_plane: Whether the third plane shows bricks instead of the cells without bricks.
    """
    number = len(samples)
    planes = np.zeros((number, 3, size.cells), np.float32)
    policies = np.empty((number, size.cells), np.float32)
    playable, mine, theirs = (np.ascontiguousarray(samples[name]) for name in ("playable", "mine", "theirs"))
    learned = samples["policy"].astype(np.float32)
    _turn(playable, mine, theirs, learned, turns, size.cols, bricks_plane, planes, policies)
    return SampleBatch(planes.reshape(number, 3, size.rows, size.cols), policies, samples["value"].copy())


@entry_point
def _turn(
    playable: np.ndarray,
    mine: np.ndarray,
    theirs: np.ndarray,
    policy: np.ndarray,
    turns: np.ndarray,
    cols: int,
    bricks_plane: bool,
    planes: np.ndarray,
    policies: np.ndarray,
) -> None:
    for i in range(len(mine)):
        for cell in range(policy.shape[1]):
            bit = _ONE << np.uint64(cell + cell // cols)
            to = turns[i, cell]
            planes[i, 0, to] = 1.0 if mine[i] & bit else 0.0
            planes[i, 1, to] = 1.0 if theirs[i] & bit else 0.0
            planes[i, 2, to] = 1.0 if (playable[i] & bit != _ZERO) != bricks_plane else 0.0
            policies[i, to] = policy[i, cell]
