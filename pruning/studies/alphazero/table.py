"""The table of the levels of a pruning run, printed and as CSV.

"ms, 1" and "ms, 64" are milliseconds for a batch of 1 or 64 on the evaluator that plays games. "evals/s" is
evaluations per second in batches of 64 on the evaluator that generates samples. "losing" is the fraction of
the raw policy's decisions that are value-losing moves: on boards seen in training, their mirror images, and
novel boards. "searched" is the same fraction, measured with search.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from bttt.runs import aligned, write_text
from pruning.studies.alphazero.measures import MeasuredLevel

CSV_FILE = "levels.csv"
NOVELTIES = ("seen", "mirror", "novel")


def _cost(name: str) -> Callable[[MeasuredLevel], float]:
    return lambda level: level.result.cost[name]


def _measure(name: str) -> Callable[[MeasuredLevel], float | None]:
    return lambda level: level.result.measures.get(name)


def _searched(novelty: str) -> Callable[[MeasuredLevel], float | None]:
    return lambda level: level.searched.get(novelty)


COLUMNS: dict[str, tuple[Callable[[MeasuredLevel], float | None], str]] = {
    "level": (lambda level: level.result.cycle, "d"),
    "density": (lambda level: level.result.density, ".3f"),
    "parameters": (_cost("parameters"), ",d"),
    "MACs": (_cost("macs"), ",d"),
    "bytes": (_cost("bytes"), ",d"),
    "ms, 1": (lambda level: level.times.one, ".3f"),
    "ms, 64": (lambda level: level.times.batch, ".3f"),
    "evals/s": (lambda level: level.times.evaluations, ",.0f"),
    "agreement": (_measure("agreement"), ".3f"),
    **{f"losing {name}": (_measure(f"losing {name}"), ".2%") for name in NOVELTIES},
    **{f"searched {name}": (_searched(name), ".2%") for name in NOVELTIES},
}
"""Columns by head: the value of a level, None if it is not measured, and its print format."""


def write_table(folder: Path, levels: Sequence[MeasuredLevel]) -> str:
    """Writes levels.csv into a run's folder and returns the same as a table to print."""
    columns = {head: value for head, (value, _) in COLUMNS.items() if value(levels[0]) is not None}
    rows = [{head: value(level) for head, value in columns.items()} for level in levels]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(row.values() for row in rows)
    write_text(folder / CSV_FILE, file.getvalue())
    texts = ([format(value, COLUMNS[head][1]) for head, value in row.items()] for row in rows)
    return "\n".join(aligned([list(columns), *texts]))
