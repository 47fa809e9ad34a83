"""The common parts of all experiment reports: files, machines, and verdicts as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import fill
from typing import Protocol

from bttt.runs import ENVIRONMENT_FILE, checking, read_json
from pruning.studies.experiment.claims import Finding

TEXT_FILE, TABLE_FILE, POINTS_FILE, JSON_FILE, FIGURE_FILE = (
    *("report.txt", "table.csv", "points.csv", "results.json"),
    "figure.png",
)


WIDTH = 110


class MeasuredArm(Protocol):
    """The members that points of all kinds have."""

    @property
    def arm(self) -> str:
        """Name of the variant."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """The measurements, by name."""


def machines(folder: Path) -> str:
    """Returns the machines on which the runs were made, as text."""
    path = folder / ENVIRONMENT_FILE
    made = read_json(path, list)
    with checking(path):
        told = {
            f"{one['machine']}, {one['cores']} cores, {one.get('device', 'cpu')}, {one['date'][:10]}"
            for one in made
        }
    return fill(f"machine   {'; '.join(sorted(told))}", WIDTH, subsequent_indent=" " * 10)


def told(finding: Finding) -> str:
    """Returns the verdict on a claim with its evidence, as text."""
    text = f"{finding.verdict.upper()}: {finding.claim} [{finding.evidence}]"
    return fill(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def diverged_text(points: Iterable[MeasuredArm]) -> str:
    """Returns the number of points whose training diverged, by variant, as text; "" if there are none."""
    found = Counter(point.arm for point in points if point.metrics.get("diverged"))
    return ", ".join(f"{arm} {number}" for arm, number in found.items())


def short(value: float) -> float:
    """Returns a number rounded to six digits; a whole number stays an exact int."""
    return int(value) if float(value).is_integer() else float(f"{value:.6g}")
