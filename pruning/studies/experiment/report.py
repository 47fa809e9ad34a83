"""What the reports of all experiments share: their files, where the runs were made, and verdicts as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from bttt.runs import read_json
from pruning.studies.experiment.claims import Finding

TEXT_FILE, TABLE_FILE, POINTS_FILE, JSON_FILE, FIGURE_FILE = (
    *("report.txt", "table.csv", "points.csv", "results.json"),
    "figure.png",
)


WIDTH = 110


def machines(folder: Path) -> str:
    """Returns where the runs were made, as text."""
    made = read_json(folder / "environment.json", list)
    told = {
        f"{one['machine']}, {one['cores']} cores, {one.get('device', 'cpu')}, {one['date'][:10]}"
        for one in made
    }
    return fill(f"machine   {'; '.join(sorted(told))}", WIDTH, subsequent_indent=" " * 10)


def told(finding: Finding) -> str:
    """Returns what became of a claim, as text."""
    text = f"{finding.verdict.upper()}: {finding.claim} [{finding.evidence}]"
    return fill(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def short(value: float) -> float:
    """Returns a number with six digits, or a whole number as it is."""
    return int(value) if float(value).is_integer() else float(f"{value:.6g}")


def filled(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns rows that all have all columns; "" where there is no value."""
    heads = dict.fromkeys(head for line in lines for head in line)
    return [{head: line.get(head, "") for head in heads} for line in lines]
