"""The style of all figures of studies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import LineStyleType

DOTS_AN_INCH = 200
HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colour-blind-safe colours; dashes and markers distinguish further variants, also in grey print."""
BLACK, GREY = "#000000", "#8c8c8c"
COLORS = (*HUES, BLACK, GREY)
DASHES: tuple[LineStyleType, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)))
SMALL = 7.5
"""Font size of small text, in points."""


def style_plot(axes: Axes) -> None:
    """Gives the axes small tick labels and a grid, and removes the top and right frame."""
    axes.tick_params(labelsize=SMALL)
    axes.grid(color="#dddddd", lw=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def fraction_ticks(axes: Axes, ticks: Sequence[float], *, heights: int) -> None:
    """Sets the ticks of a logarithmic axis of fractions, and round-number ticks on the other axis.

    Args:
        axes: The axes.
        ticks: Ticks on the axis of fractions.
        heights: Maximum number of intervals on the other axis.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(heights, steps=(1, 2, 5, 10)))
