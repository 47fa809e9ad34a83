"""The plot of `bttt bricks`: learned weights against gains from retraining, and both on the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bttt import row_name, symmetries
from pruning.studies.bricks.cells import cells
from pruning.studies.bricks.ranking import LEARNED, Row

DOTS_AN_INCH = 150
INCHES = (10.2, 3.5)
SMALL = 7.5
DARK = 0.6
"""Fraction of the colour scale above which numbers are white."""
TRAINED, NOTHING = "#111111", "#eeeeee"
MARKERS = "os^vDP*X<>phd"


def draw(rows: Sequence[Row], base: Sequence[int], path: Path) -> None:
    """Writes a PNG: one point per candidate of each choice, and maps of the means over choices and seeds.

    On the maps, mirror images of a candidate have its colour but no number. Weights are in units of the
    uniform weight. Gains in the scatter plot are relative to the mean of their choice.

    Args:
        rows: The candidates of all choices.
        base: Training cells, framed on the maps.
        path: The file to write.
    """
    figure = Figure(figsize=INCHES, dpi=DOTS_AN_INCH, layout="constrained")
    scatter, *maps = figure.subplots(1, 3, width_ratios=(1.35, 1, 1))
    weights, gains = _relative(rows)
    _draw_scatter(scatter, rows, weights, gains)
    own = [1000 * row.gains["loss"] for row in rows]
    _draw_map(maps[0], _means(rows, weights), base, "learned weight / uniform")
    _draw_map(maps[1], _means(rows, own), base, "gain in loss from retraining\n(thousandths of a nat)")
    figure.savefig(path)


def _relative(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """Returns weights in units of the uniform weight, and gains above the choice's mean, in millinats."""
    weights, gains = [], []
    for row in rows:
        own = [each for each in rows if (each.seed, each.choice) == (row.seed, row.choice)]
        weights.append(row.scores[LEARNED] * len(own))
        gains.append(1000 * (row.gains["loss"] - float(np.mean([each.gains["loss"] for each in own]))))
    return weights, gains


def _means(rows: Sequence[Row], values: Sequence[float]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for row, value in zip(rows, values, strict=True):
        found.setdefault(row.candidate, []).append(value)
    return {cell: float(np.mean(each)) for cell, each in found.items()}


def _draw_scatter(axes: Axes, rows: Sequence[Row], weights: Sequence[float], gains: Sequence[float]) -> None:
    names = list(dict.fromkeys(row.candidate for row in rows))
    for number, name in enumerate(names):
        own = [place for place, row in enumerate(rows) if row.candidate == name]
        axes.scatter(
            [weights[place] for place in own],
            [gains[place] for place in own],
            s=16,
            marker=MARKERS[number % len(MARKERS)],
            color=colormaps["tab10"](number % 10),
            label=name,
            alpha=0.8,
        )
    axes.axhline(0, color="#999999", lw=0.6)
    axes.axvline(1, color="#999999", lw=0.6)
    axes.set_xlabel("learned weight / uniform", fontsize=SMALL)
    axes.set_ylabel(
        "gain in loss from retraining, relative to the\nchoice's mean (thousandths of a nat)", fontsize=SMALL
    )
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(
        fontsize=6.5, frameon=False, ncols=1 + len(names) // 12, loc="center left", bbox_to_anchor=(1, 0.5)
    )


def _draw_map(axes: Axes, values: Mapping[str, float], base: Sequence[int], title: str) -> None:
    size = cells()[0]
    own = {board.bricks[0]: values[board.brick_names] for board in cells() if board.brick_names in values}
    grid = np.full((size.rows, size.cols), np.nan)
    for cell, value in own.items():
        for symmetry in symmetries(size.rows, size.cols):
            image = symmetry.cell(cell)
            grid[divmod(image, size.cols)] = own.get(image, value)
    colours = colormaps["viridis_r"].with_extremes(bad=NOTHING)
    low, high = np.nanmin(grid), np.nanmax(grid)
    axes.imshow(np.ma.masked_invalid(grid), cmap=colours, vmin=low, vmax=high)
    for cell, value in own.items():
        row, col = divmod(cell, size.cols)
        dark = high > low and (value - low) / (high - low) > DARK
        text, color = f"{value:.{0 if abs(value) >= 10 else 1}f}", "white" if dark else "black"
        axes.text(col, row, text, ha="center", va="center", fontsize=6.5, color=color)
    for cell in base:
        row, col = divmod(cell, size.cols)
        axes.add_patch(Rectangle((col - 0.45, row - 0.45), 0.9, 0.9, fill=False, ec=TRAINED, lw=1.5))
    axes.set_xticks(range(size.cols), [str(col + 1) for col in range(size.cols)], fontsize=SMALL)
    axes.set_yticks(range(size.rows), [row_name(row) for row in range(size.rows)], fontsize=SMALL)
    axes.tick_params(length=0)
    axes.set_title(title, fontsize=8.5)
