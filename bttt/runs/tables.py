"""Tables as aligned text and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any

TEXT_WIDTH = 100


def number_text(value: float, digits: int = 0) -> str:
    """Returns a number with `digits` decimals, never "-0"; "-" for nan."""
    return "-" if isnan(value) else f"{round(float(value), digits) + 0.0:.{digits}f}"


def aligned(rows: Sequence[Sequence[str]], *, left: Sequence[int] = ()) -> list[str]:
    """Returns one line per row; columns are two spaces apart and right-aligned, except those in `left`."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Returns the rows as CSV with a header of all their keys; missing values are empty.

    Without rows the text is empty.
    """
    rows = list(rows)
    buffer = io.StringIO()
    if rows:
        heads = list(dict.fromkeys(head for row in rows for head in row))
        writer = csv.DictWriter(buffer, fieldnames=heads, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return buffer.getvalue()


def rounded(row: Mapping[str, Any], digits: int = 6) -> dict[str, Any]:
    """Returns a row with its floats rounded to `digits` decimals."""
    return {name: round(each, digits) if isinstance(each, float) else each for name, each in row.items()}
