"""The plot of a bilevel experiment: the upper loss against samples and seconds, for each level."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pruning.studies.bilevel.experiment import BilevelPoint
from pruning.studies.experiment import COLORS, DASHES, DOTS_AN_INCH, SMALL, style_plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AXES = {"samples": "samples (log scale)", "seconds": "seconds (log scale)"}
INCHES_WIDE, INCHES_A_ROW = 7.2, 2.7


def draw(path: Path, points: Sequence[BilevelPoint], *, title: str, level_name: str) -> None:
    """Writes a PNG: a row for each level; curves are means over the seeds, baselines are dotted lines.

    Args:
        path: The file to write.
        points: Points of all variants, at least one.
        title: Title of the plot.
        level_name: The meaning of the levels.
    """
    from matplotlib.figure import Figure

    levels = sorted({each.level for each in points})
    arms = list(dict.fromkeys(each.arm for each in points))
    figure = Figure(figsize=(INCHES_WIDE, 0.9 + INCHES_A_ROW * len(levels)), layout="constrained")
    table = figure.subplots(len(levels), len(AXES), squeeze=False, sharey="row")
    for level, row in zip(levels, table, strict=True):
        for metric, axes in zip(AXES, row, strict=True):
            for number, arm in enumerate(arms):
                _draw_arm(
                    axes, [each for each in points if (each.arm, each.level) == (arm, level)], metric, number
                )
            _dress(axes, metric)
        row[0].set_ylabel(f"validation loss, {level_name} {level:g}", fontsize=8)
    figure.suptitle(title, fontsize=9)
    handles, labels = table[0][0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=5, fontsize=SMALL, frameon=False, handlelength=3.2
    )
    figure.savefig(path, dpi=DOTS_AN_INCH)


def _draw_arm(axes: Axes, own: Sequence[BilevelPoint], metric: str, number: int) -> None:
    """Draws a variant's mean over the seeds at each mark; with a single mark, a horizontal line.

    Marks before the first step are omitted, since a logarithmic axis has no 0.
    """
    own = [each for each in own if each.metrics["samples"] > 0]
    if not own:
        return
    marks = sorted({each.spent for each in own})
    means = {
        name: [float(np.mean([each.metrics[name] for each in own if each.spent == mark])) for mark in marks]
        for name in (metric, "validation loss")
    }
    color, dash = COLORS[number % len(COLORS)], DASHES[number // len(COLORS) % len(DASHES)]
    if len(marks) == 1:
        axes.axhline(means["validation loss"][0], color=color, ls=":", lw=1, label=own[0].arm)
        return
    axes.plot(means[metric], means["validation loss"], color=color, ls=dash, lw=1.2, label=own[0].arm)


def _dress(axes: Axes, metric: str) -> None:
    axes.set_xscale("log")
    axes.set_xlabel(AXES[metric], fontsize=8)
    style_plot(axes)
