"""The tables of a vision experiment: accuracies by variant and level, with confidence intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, log
from typing import Any

import numpy as np

from bttt.runs import aligned
from pruning.measures import Interval, normal, student
from pruning.studies.experiment import short
from pruning.studies.vision.claims import AS_DENSE
from pruning.studies.vision.experiment import Published
from pruning.studies.vision.points import Point, by_level

SAME_ROW = 1.15
"""Levels of one cycle share a density column if their densities differ by at most this factor."""


@dataclass(frozen=True)
class ArmLevel:
    """The networks of one level of a variant.

    Attributes:
        arm: The variant.
        part: Its part.
        cycle: The cycle.
        density: Mean fraction kept.
        accuracy: Mean test accuracy with Student's 95% interval over the seeds.
        normal: The papers' interval, as rounded ends; "" for one seed.
        metrics: Means of all other measurements.
    """

    arm: str
    part: int
    cycle: int
    density: float
    accuracy: Interval
    normal: tuple[float | str, float | str]
    metrics: Mapping[str, float]


def levels_of(points: Sequence[Point]) -> list[ArmLevel]:
    """Returns the levels of all variants, in the order of the variants."""
    found = []
    for arm in dict.fromkeys(point.arm for point in points):
        for (part, cycle), own in by_level(points, arm).items():
            networks = list(own.values())
            names = set.intersection(*(set(each.metrics) for each in networks))
            metrics = {
                name: float(np.mean([each.metrics[name] for each in networks]))
                for name in networks[0].metrics
                if name in names
            }
            density = float(np.mean([each.density for each in networks]))
            accuracies = [each.accuracy for each in networks]
            narrow = normal(accuracies)
            ends = _rounded(narrow.low), _rounded(narrow.high)
            found.append(ArmLevel(arm, part, cycle, density, student(accuracies), ends, metrics))
    return found


def rows(levels: Iterable[ArmLevel]) -> list[dict[str, Any]]:
    """Returns the levels as rows of a CSV file."""
    return [
        {
            "arm": level.arm,
            "part": level.part,
            "cycle": level.cycle,
            "kept": round(level.density, 5),
            "accuracy": round(level.accuracy.mean, 5),
            "low": _rounded(level.accuracy.low),
            "high": _rounded(level.accuracy.high),
            **dict(zip(("normal low", "normal high"), level.normal, strict=True)),
            "seeds": level.accuracy.n,
            **{name: short(value) for name, value in level.metrics.items()},
        }
        for level in levels
    ]


def accuracy_table(levels: Sequence[ArmLevel]) -> str:
    """Returns the accuracies in % ± half interval: one table for variants in cycles, one for one-shot."""
    arms = dict.fromkeys(level.arm for level in levels)
    shots = {level.arm for level in levels if level.part}
    tables = []
    for chosen in ([arm for arm in arms if arm not in shots], [arm for arm in arms if arm in shots]):
        own = [level for level in levels if level.arm in chosen and (level.cycle or not level.part)]
        if own:
            tables.append(_table(chosen, own))
    return "\n\n".join(tables)


def _table(arms: Sequence[str], levels: Sequence[ArmLevel]) -> str:
    cells = {(level.arm, level.part, level.cycle): level for level in levels}
    keys = sorted({key[1:] for key in cells}, key=lambda key: (key[1] > 0, key))
    # the pruned variants set the density columns, not a dense network shown with them
    longest = max(arms, key=lambda arm: sum(level.arm == arm and level.density < 1 for level in levels))
    first = (longest, *arms)
    kept = {key: next(cells[arm, *key].density for arm in first if (arm, *key) in cells) for key in keys}
    texts = {
        (arm, part, cycle): _cell(level) + _elsewhere(level, kept[part, cycle])
        for (arm, part, cycle), level in cells.items()
    }
    by_arm = [[arm, *(texts.get((arm, *key), "") for key in keys)] for arm in arms]
    head = ["% kept", *(f"{100 * kept[key]:.3g}" for key in keys)]
    lines = [head, *by_arm]
    if len(keys) > len(arms):
        lines = [list(column) for column in zip(*lines, strict=True)]
    return "\n".join(aligned(lines))


def _elsewhere(level: ArmLevel, kept: float | None) -> str:
    """Returns the density of a level that differs from its row or column, as text; else ""."""
    if not kept or not level.density or abs(log(level.density / kept)) <= log(SAME_ROW):
        return ""
    return f" at {100 * level.density:.3g}"


def _cell(level: ArmLevel) -> str:
    accuracy = level.accuracy
    half = "" if isnan(accuracy.low) else f" ±{50 * (accuracy.high - accuracy.low):.1f}"
    return f"{100 * accuracy.mean:.1f}{half}"


def published_table(levels: Sequence[ArmLevel], published: Sequence[Published]) -> str:
    """Returns the paper's numbers next to ours at the nearest density; "" if none is near."""
    lines = []
    for each in published:
        own = [level for level in levels if level.arm == each.arm and level.density]
        if not own:
            continue
        nearest = min(own, key=lambda level: abs(log(level.density) - log(each.density)))
        if abs(log(nearest.density) - log(each.density)) > log(AS_DENSE):
            continue
        ours = [f"{100 * nearest.density:.3g}", _cell(nearest)]
        paper = [f"{100 * each.density:.3g}", f"{100 * each.accuracy:.1f}", each.source]
        lines.append([each.arm, *paper, *ours])
    if not lines:
        return ""
    head = ["variant", "paper's % kept", "paper's accuracy", "read from", "our % kept", "our accuracy"]
    return "\n".join(aligned([head, *lines]))


def _rounded(value: float) -> float | str:
    return "" if isnan(value) else round(value, 5)
