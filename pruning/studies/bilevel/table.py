"""The tables of a bilevel experiment: final metrics by variant, with Student's 95% intervals over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np

from bttt.runs import aligned
from pruning.measures import student
from pruning.studies.bilevel.experiment import BilevelPoint, BilevelRecipe, ends
from pruning.studies.experiment import short

COLUMNS = {
    "test accuracy": ("test %", 100.0, 1),
    "validation loss": ("validation loss", 1.0, 3),
    "refit test accuracy": ("refit test %", 100.0, 1),
    "refit validation loss": ("refit loss", 1.0, 3),
    "AUC": ("AUC", 1.0, 3),
    "movement": ("movement", 1.0, 2),
}
"""Columns of the report's table: metric -> head, factor, digits."""
COSTS = ("outer steps", "gradient samples", "hvp samples", "cross samples", "calls", "seconds")


def table(recipe: BilevelRecipe, points: Sequence[BilevelPoint], level: float) -> str:
    """Returns the final means ± half intervals at a level as text; "" if there are none."""
    head = ["variant", *(name for name, _, _ in COLUMNS.values())]
    lines = [
        [
            arm,
            *(
                _cell([each.metrics[name] for each in own], factor, digits)
                for name, (_, factor, digits) in COLUMNS.items()
            ),
        ]
        for arm, own in _found(recipe, points, level).items()
    ]
    return "\n".join(aligned([head, *lines], left=(0,))) if lines else ""


def cost_table(recipe: BilevelRecipe, points: Sequence[BilevelPoint], level: float) -> str:
    """Returns the variants' costs at a level as text: means over the seeds; "" if there are none."""
    lines = [
        [arm, *(_cost(name, own) for name in COSTS)] for arm, own in _found(recipe, points, level).items()
    ]
    return "\n".join(aligned([["variant", *COSTS], *lines], left=(0,))) if lines else ""


def rows(recipe: BilevelRecipe, points: Sequence[BilevelPoint]) -> list[dict[str, Any]]:
    """Returns the final points of all variants as CSV rows: means, and the ends of two intervals."""
    lines = []
    for level in recipe.levels:
        for arm, own in _found(recipe, points, level).items():
            line: dict[str, Any] = {"arm": arm, "level": level, "seeds": len(own)}
            for name in own[0].metrics:
                values = [each.metrics[name] for each in own if name in each.metrics]
                line[name] = short(float(np.mean(values)))
                if name in ("test accuracy", "validation loss"):
                    interval = student(values)
                    ends_of = (interval.low, interval.high)
                    line |= {
                        f"{name} {end}": "" if isnan(value) else short(value)
                        for end, value in zip(("low", "high"), ends_of, strict=True)
                    }
            lines.append(line)
    return lines


def point_row(point: BilevelPoint) -> dict[str, Any]:
    """Returns a point as a row of a CSV file."""
    head = {"arm": point.arm, "level": point.level, "seed": point.seed, "spent": point.spent}
    return head | {name: short(value) for name, value in point.metrics.items()}


def _found(
    recipe: BilevelRecipe, points: Sequence[BilevelPoint], level: float
) -> dict[str, list[BilevelPoint]]:
    """Returns the final points by variant, for variants that have finished runs."""
    found = {arm: list(ends(points, arm, level).values()) for arm in recipe.arms}
    return {arm: own for arm, own in found.items() if own}


def _cell(values: Sequence[float], factor: float, digits: int) -> str:
    found = student([factor * value for value in values])
    half = "" if isnan(found.low) else f" ±{(found.high - found.low) / 2:.{digits}f}"
    return f"{found.mean:.{digits}f}{half}"


def _cost(name: str, own: Sequence[BilevelPoint]) -> str:
    if name not in own[0].metrics:
        return ""
    value = float(np.mean([each.metrics[name] for each in own]))
    if name == "seconds":
        return f"{value:.1f}"
    return f"{value / 1e6:.2f}M" if value >= 1e6 else f"{value:.0f}"
