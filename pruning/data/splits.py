"""Stratified splits: parts of a data set in which every class keeps its fraction; reproducible by a seed."""

from __future__ import annotations

import numpy as np


def stratified(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Returns the indices of `count` items, ascending; each class keeps its fraction, rounded up or down.

    The same labels, count and seed always choose the same items.

    Args:
        labels: Class numbers from 0, int `[N]`.
        count: Number of items to choose, 0 to N.
        seed: Seed of the choice, at least 0.

    Raises:
        ValueError: There are fewer items than `count`, or the seed is negative.
    """
    if not 0 <= count <= len(labels):
        raise ValueError(f"cannot choose {count} of {len(labels)} items")
    sizes = np.bincount(labels, minlength=1)
    order = np.lexsort((_keys(len(labels), seed), labels))
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(len(labels)) - starts[labels[order]]
    return np.sort(order[rank < _quotas(sizes, count)[labels[order]]])


def shuffled(items: np.ndarray, seed: int) -> np.ndarray:
    """Returns the items in an order that depends only on their number and the seed."""
    return items[np.argsort(_keys(len(items), seed), kind="stable")]


def _keys(count: int, seed: int) -> np.ndarray:
    if seed < 0:
        raise ValueError(f"the seed of a split must be at least 0, got {seed}")
    return np.random.default_rng(seed).random(count)


def _quotas(sizes: np.ndarray, count: int) -> np.ndarray:
    """Allocates `count` in proportion to size, by the largest-remainder method."""
    # in whole numbers: floats could round two equal remainders differently
    whole, rest = np.divmod(sizes * count, max(int(sizes.sum()), 1))
    missing = count - int(whole.sum())
    whole[np.argsort(-rest, kind="stable")[:missing]] += 1
    return whole
