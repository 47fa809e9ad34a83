"""The table of the levels of a pruning run, printed and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bttt.run_folder import write_text

CSV_FILE = "levels.csv"
NOVELTIES = ("seen", "mirror", "novel")
COLUMNS: dict[str, tuple[tuple[str, ...], str]] = {
    "level": (("cycle",), "d"),
    "density": (("density",), ".3f"),
    "parameters": (("cost", "parameters"), ",d"),
    "MACs": (("cost", "macs"), ",d"),
    "bytes": (("cost", "bytes"), ",d"),
    "ms, 1": (("cost", "latency_1"), ".3f"),
    "ms, 64": (("cost", "latency_64"), ".3f"),
    "evals/s, 64": (("cost", "evaluations a second, batch 64"), ",.0f"),
    "agreement": (("agreement",), ".3f"),
    **{f"losing {name}": ((f"losing {name}",), ".2%") for name in NOVELTIES},
}
"""Columns by head: where a result has the value, and how it is printed."""


def write_table(folder: Path, results: Sequence[Mapping[str, Any]]) -> str:
    """Writes levels.csv into a run's folder and returns the same as a table to print."""
    heads = [head for head in COLUMNS if _value(results[0], head) is not None]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([_value(result, head) for head in heads] for result in results)
    write_text(folder / CSV_FILE, file.getvalue())
    texts = ([format(_value(result, head), COLUMNS[head][1]) for head in heads] for result in results)
    return aligned([heads, *texts])


def aligned(rows: Iterable[Sequence[str]]) -> str:
    """Returns rows of text as a table with columns aligned to the right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)


def _value(result: Mapping[str, Any], head: str) -> Any:
    value: Any = result
    for key in COLUMNS[head][0]:
        value = value.get(key) if value is not None else None
    return value
