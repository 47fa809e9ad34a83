"""Tables as aligned text and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any

TEXT_WIDTH = 100


def number_text(value: float, digits: int = 0) -> str:
    """Returns a number with this many decimals, never "-0"; "-" for nan."""
    return "-" if isnan(value) else f"{round(float(value), digits) + 0.0:.{digits}f}"


def aligned(rows: Sequence[Sequence[str]], *, left: Sequence[int] = ()) -> list[str]:
    """Returns one line a row, columns two spaces apart and right-aligned but for those in `left`."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Returns the rows as CSV, under a header with the keys of the first; empty without rows."""
    rows = list(rows)
    buffer = io.StringIO()
    if rows:
        writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return buffer.getvalue()
