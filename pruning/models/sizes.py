"""How large the parts of an image classifier are: widths times a factor, maps behind pools."""

from __future__ import annotations

from torch import nn

Shape = tuple[int, int, int]
"""Channels, rows and columns of an image."""


def scaled(units: int, width: float) -> int:
    """Returns a number of units times the width factor, rounded, at least 1."""
    return max(1, round(units * width))


def halving_pools(rows: int, cols: int, number: int) -> tuple[nn.ModuleList, int]:
    """Returns pools that halve a map one after the other, and the cells of the map behind them all.

    A pool that would leave no cell is an identity, so that small images pass deep networks.
    """
    pools = nn.ModuleList()
    for _ in range(number):
        fits = min(rows, cols) >= 2
        pools.append(nn.MaxPool2d(2) if fits else nn.Identity())
        rows, cols = (rows // 2, cols // 2) if fits else (rows, cols)
    return pools, rows * cols
