"""The table of the levels of a pruning run, printed and as CSV.

"ms, 1" and "ms, 64" are milliseconds for a batch of 1 or 64 on the evaluator that plays, "evals/s" is
evaluations a second at batch 64 on the one that makes samples; "losing" is the share of the raw policy's
decisions that lose value, on boards seen in training, their mirror images and novel ones, "searched" the same
with the simulations asked for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bttt.runs import aligned, write_text

CSV_FILE = "levels.csv"
NOVELTIES = ("seen", "mirror", "novel")
COLUMNS: dict[str, tuple[tuple[str, ...], str]] = {
    "level": (("cycle",), "d"),
    "density": (("density",), ".3f"),
    "parameters": (("cost", "parameters"), ",d"),
    "MACs": (("cost", "macs"), ",d"),
    "bytes": (("cost", "bytes"), ",d"),
    "ms, 1": (("times", "ms, 1"), ".3f"),
    "ms, 64": (("times", "ms, 64"), ".3f"),
    "evals/s": (("evaluations a second",), ",.0f"),
    "agreement": (("agreement",), ".3f"),
    **{f"losing {name}": ((f"losing {name}",), ".2%") for name in NOVELTIES},
    **{f"searched {name}": ((f"searched {name}",), ".2%") for name in NOVELTIES},
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
    return "\n".join(aligned([heads, *texts]))


def _value(result: Mapping[str, Any], head: str) -> Any:
    value: Any = result
    for key in COLUMNS[head][0]:
        value = value.get(key) if value is not None else None
    return value
