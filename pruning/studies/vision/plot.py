"""The plot of a vision experiment: test accuracy by the fraction kept, one line per variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pruning.measures import Interval, student
from pruning.studies.experiment import COLORS, DASHES, DOTS_AN_INCH, SMALL, fraction_ticks, style_plot
from pruning.studies.vision.points import Point, by_level

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES = (6.4, 3.7)
LEGEND_ROW = 0.18
"""Inches that each row of the legend adds to the height."""
COLUMNS, LETTERS, LINE_LETTERS = 4, 108, 11
"""Limits of the legend: columns, letters per row, and letters taken by a line sample with its space."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
BAND = 0.13
"""Opacity of the 95% bands."""
TICKS = (1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
SHORT_TICKS = (1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
"""Ticks of an axis that ends at 0.3."""


@dataclass(frozen=True, slots=True)
class Place:
    """A variant at one level: the mean density over the seeds, and the accuracy with Student's interval."""

    density: float
    accuracy: Interval


def draw(path: Path, points: Sequence[Point], *, title: str, labels: Mapping[str, str] | None = None) -> None:
    """Writes a PNG: accuracy against the fraction kept, on a logarithmic axis from the dense network down.

    Args:
        path: The file to write.
        points: Points of all variants, drawn in the order of first appearance.
        title: Title of the plot.
        labels: Variant -> its name in the legend; a variant without a label keeps its own name.

    Raises:
        ValueError: There are no points.
    """
    picture(points, title=title, labels=labels).savefig(path, dpi=DOTS_AN_INCH)


def picture(points: Sequence[Point], *, title: str, labels: Mapping[str, str] | None = None) -> Figure:
    """Returns the figure that `draw` writes, from the same arguments."""
    from matplotlib.figure import Figure

    arms = {arm: curve(points, arm) for arm in dict.fromkeys(point.arm for point in points)}
    if not arms:
        raise ValueError("there are no points to draw")
    names = {arm: (labels or {}).get(arm, arm) for arm in arms}
    columns = LETTERS // (max(map(len, names.values())) + LINE_LETTERS)
    columns = max(1, min(COLUMNS, columns, len(arms)))
    width, height = INCHES[0], INCHES[1] + LEGEND_ROW * -(-len(arms) // columns)
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log")
    for number, (arm, places) in enumerate(arms.items()):
        _draw_arm(axes, places, names[arm], number)
    _dress(axes, [place for places in arms.values() for place in places])
    axes.set_title(title, fontsize=9)
    figure.legend(
        loc="outside lower center",
        ncols=columns,
        fontsize=SMALL,
        frameon=False,
        handlelength=3.2,
    )
    return figure


def curve(points: Sequence[Point], arm: str) -> list[Place]:
    """Returns the levels of a variant, densest first, with the dense network only once."""
    places = []
    first = min(part for part, _ in by_level(points, arm))
    for (part, cycle), seeds in by_level(points, arm).items():
        if cycle or part == first:
            own = list(seeds.values())
            density = sum(point.density for point in own) / len(own)
            places.append(Place(density, student([point.accuracy for point in own])))
    return sorted(places, key=lambda place: -place.density)


def _draw_arm(axes: Axes, places: Sequence[Place], label: str, number: int) -> None:
    turn, color = number // len(COLORS), COLORS[number % len(COLORS)]
    places = [place for place in places if place.density > 0]  # the axis has no 0
    densities = [place.density for place in places]
    accuracies = [100 * place.accuracy.mean for place in places]
    if any(place.accuracy.known for place in places):
        lows, highs = (
            [100 * min(1.0, max(0.0, getattr(place.accuracy, end))) for place in places]
            for end in ("low", "high")
        )
        axes.fill_between(densities, lows, highs, color=color, alpha=BAND, lw=0)
    (line,) = axes.plot(densities, accuracies, color=color, ms=3, lw=1.2, label=label)
    line.set_linestyle(DASHES[number % len(DASHES)])
    line.set_marker(MARKERS[(number + turn) % len(MARKERS)])
    if turn % 2:  # all colours are used: hollow markers
        line.set_markerfacecolor("white")


def _dress(axes: Axes, places: Sequence[Place]) -> None:
    right = min((place.density for place in places if place.density > 0), default=1) / 1.12
    ticks = [tick for tick in (SHORT_TICKS if right > 0.25 else TICKS) if tick >= right]
    axes.set_xlim(1.12, right)
    fraction_ticks(axes, ticks, heights=8)
    axes.set_xlabel("fraction kept (log scale)", fontsize=8)
    axes.set_ylabel("test accuracy, %", fontsize=8)
    style_plot(axes)
