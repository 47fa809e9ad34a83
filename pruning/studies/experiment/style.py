"""The style of the figures of studies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import LineStyleType

DOTS_AN_INCH = 200
HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours that the colour-blind tell apart; dashes and markers tell more arms apart, and print in grey."""
BLACK, GREY = "#000000", "#8c8c8c"
COLORS = (*HUES, BLACK, GREY)
DASHES: tuple[LineStyleType, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)))
SMALL = 7.5
"""Size of small letters, in points."""


def style_plot(axes: Axes) -> None:
    """Gives the axes small numbers and a grid, and no frame at the top and right."""
    axes.tick_params(labelsize=SMALL)
    axes.grid(color="#dddddd", lw=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def fraction_ticks(axes: Axes, ticks: Sequence[float], *, heights: int) -> None:
    """Gives a logarithmic axis of fractions its ticks, and the other axis some at round numbers.

    Args:
        axes: The axes.
        ticks: Places on the axis of fractions.
        heights: Most intervals on the other axis.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(heights, steps=(1, 2, 5, 10)))
