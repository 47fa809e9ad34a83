"""Shared parts of the figures of rates: axis styles, and maps of a board with a rate on each brick cell."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm
from matplotlib.patches import Rectangle

from bttt import Board, row_name

FIGURE_DPI = 120


def style_axes(axes: Axes, along: Literal["x", "y"]) -> None:
    """Gives the axes small numbers and grid lines along one direction, and no frame at the top and right."""
    axes.tick_params(axis=along, labelsize=7.5)
    axes.grid(axis=along, color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def loss_colors(highest: float) -> ScalarMappable:
    """Returns the colours of error rates, in [0, 1], from 0 to the highest rate."""
    return ScalarMappable(PowerNorm(0.5, 0, highest or 1), colormaps["YlOrRd"])


def map_axes(axes: Axes, size: Board) -> None:
    """Gives the axes one square per cell, with the names of rows and columns."""
    axes.set(xlim=(0, size.cols), ylim=(size.rows, 0), aspect="equal")
    axes.set_xticks(np.arange(size.cols) + 0.5, [str(col + 1) for col in range(size.cols)])
    axes.set_yticks(np.arange(size.rows) + 0.5, [row_name(row) for row in range(size.rows)])
    axes.tick_params(length=0, labelsize=6.5, pad=1.5)
    axes.spines[:].set_visible(False)


def fill_cell(
    axes: Axes, place: tuple[int, int], rate: float, colors: ScalarMappable, *, dark: float
) -> None:
    """Colours a cell of a map by its rate, and prints the rate in per cent.

    Args:
        axes: The map.
        place: Row and column of the cell.
        rate: The rate, in [0, 1].
        colors: The colours of rates.
        dark: Fraction of the colour scale above which numbers are white.
    """
    row, col = place
    (face,) = colors.to_rgba(np.array([rate]))
    axes.add_patch(Rectangle((col, row), 1, 1, facecolor=face, edgecolor="white", lw=0.6))
    color = "white" if float(np.asarray(colors.norm(np.array([rate])), float)[0]) > dark else "#222222"
    text = f"{100 * rate:.1f}" if 0 < rate < 0.0995 else f"{100 * rate:.0f}"
    axes.text(col + 0.5, row + 0.52, text, ha="center", va="center", fontsize=5.8, color=color)
