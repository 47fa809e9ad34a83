"""The picture of `bttt layouts`: fractions of won, drawn and unproven starts by number of bricks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from bttt.commands.tally import LayoutTally

PARTS = (
    ("win", "won by the first player", "#1b7a6c"),
    ("loss", "lost", "#9e1b1b"),
    ("unproven", "not proven", "#c9c9c9"),
    ("draw", "drawn", "#f2c14e"),
)
INCHES, DOTS_AN_INCH = (7.5, 2.2), 130


def draw_tallies(tallies: Sequence[LayoutTally], path: Path) -> None:
    """Writes a PNG of the tallies, with one plot per size."""
    sizes = list(dict.fromkeys(each.board for each in tallies))
    width, height = INCHES
    figure = Figure(figsize=(width, height * len(sizes) + 0.6), dpi=DOTS_AN_INCH, layout="constrained")
    plots = figure.subplots(len(sizes), 1, sharex=True, squeeze=False)[:, 0]
    for axes, size in zip(plots, sizes, strict=True):
        rows = [each for each in tallies if each.board == size]
        bottom = [0.0] * len(rows)
        for name, label, color in PARTS:
            shares = [100 * getattr(each, name) / each.layouts for each in rows]
            axes.bar([each.bricks for each in rows], shares, 0.86, bottom, color=color, label=label)
            bottom = [low + share for low, share in zip(bottom, shares, strict=True)]
        axes.set(title=str(size), ylabel="layouts, %", ylim=(0, 100))
        axes.spines[["top", "right"]].set_visible(False)
    plots[-1].set_xlabel("bricks")
    plots[-1].xaxis.get_major_locator().set_params(integer=True)
    handles, labels = plots[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.savefig(path)
