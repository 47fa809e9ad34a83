"""The plot of `bttt schedules`: the learning rate over the cycles, one line per schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

INCHES, DOTS_AN_INCH = (10.4, 3.6), 130
COLORS = [f"tab:{name}" for name in ("blue", "orange", "green", "red", "purple")]
COLORS += [f"tab:{name}" for name in ("brown", "pink", "gray", "olive", "cyan")]
"""Matplotlib's ten default colours."""
DASHES = ("-", "--", ":", "-.")
THIN, THICK = 0.6, 4.2
MOST_TICKS = 25
MOST_LETTERS = 60


def draw_schedules(curves: Mapping[str, Sequence[Sequence[float]]], path: Path) -> None:
    """Plots the curves into a file: for each schedule, each cycle's rates at evenly spaced progress."""
    rows = (len(curves) + 1) // 2
    width, height = INCHES
    figure = Figure(figsize=(width, height + 0.22 * rows), dpi=DOTS_AN_INCH, layout="constrained")
    axes = figure.subplots()
    for number, (spec, parts) in enumerate(curves.items()):
        dash = DASHES[number // len(COLORS) % len(DASHES)]
        rates = [rate for part in parts for rate in part]
        thick = THIN + (THICK - THIN) * (1 - number / len(curves))  # earlier lines show beneath later ones
        color = COLORS[number % len(COLORS)]
        axes.plot(_places(parts), rates, dash, color=color, lw=thick, label=_short(spec))
    cycles = len(next(iter(curves.values())))
    axes.set(xlim=(0, cycles), ylim=(0, None), xlabel="cycle", ylabel="learning rate")
    axes.xaxis.set_major_locator(MaxNLocator(MOST_TICKS, integer=True, steps=(1, 2, 5, 10)))
    axes.grid(axis="x", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    figure.savefig(path)


def _places(parts: Sequence[Sequence[float]]) -> list[float]:
    """Returns the x coordinates of the rates, in cycles; a cycle ends where the next one begins."""
    return [cycle + point / (len(part) - 1) for cycle, part in enumerate(parts) for point in range(len(part))]


def _short(spec: str) -> str:
    return spec if len(spec) <= MOST_LETTERS else f"{spec[: MOST_LETTERS - 1]}\u2026"
