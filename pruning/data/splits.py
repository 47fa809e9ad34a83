"""Stratified choices: parts of a data set in which every class keeps its share, by a stated seed."""

from __future__ import annotations

import numpy as np


def stratified(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Returns the positions of `count` items, ascending; each class gets its share, rounded up or down.

    The same labels, count and seed always choose the same items.

    Args:
        labels: Class numbers from 0, int `[N]`.
        count: How many items are chosen, 0 to N.
        seed: At least 0.

    Raises:
        ValueError: There are not that many items, or the seed is negative.
    """
    if not 0 <= count <= len(labels):
        raise ValueError(f"cannot choose {count} of {len(labels)} items")
    sizes = np.bincount(labels, minlength=1)
    order = np.lexsort((_keys(len(labels), seed), labels))
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(len(labels)) - starts[labels[order]]
    return np.sort(order[rank < _quotas(sizes, count)[labels[order]]])


def shuffled(items: np.ndarray, seed: int) -> np.ndarray:
    """Returns the items in an order that depends on their number and the seed only."""
    return items[np.argsort(_keys(len(items), seed), kind="stable")]


def _keys(count: int, seed: int) -> np.ndarray:
    if seed < 0:
        raise ValueError(f"the seed of a split must be at least 0, got {seed}")
    return np.random.default_rng(seed).random(count)


def _quotas(sizes: np.ndarray, count: int) -> np.ndarray:
    """Shares out `count` by size: all whole parts, then one more where the rest is largest."""
    # in whole numbers: shares as floats could round two equal rests differently
    whole, rest = np.divmod(sizes * count, max(int(sizes.sum()), 1))
    missing = count - int(whole.sum())
    whole[np.argsort(-rest, kind="stable")[:missing]] += 1
    return whole
