"""Sizes in image classifiers: widths times a factor, and maps after pools."""

from __future__ import annotations

from torch import nn

Shape = tuple[int, int, int]
"""Channels, rows and columns of an image."""


def scaled(units: int, width: float) -> int:
    """Returns the number of units times the width factor, rounded, at least 1."""
    return max(1, round(units * width))


def halving_pools(rows: int, cols: int, number: int) -> tuple[nn.ModuleList, int]:
    """Returns consecutive pools that halve a map, and the number of points of the map after all of them.

    A pool that would leave an empty map is an identity, so deep networks accept small images.
    """
    pools = nn.ModuleList()
    for _ in range(number):
        fits = min(rows, cols) >= 2
        pools.append(nn.MaxPool2d(2) if fits else nn.Identity())
        rows, cols = (rows // 2, cols // 2) if fits else (rows, cols)
    return pools, rows * cols
