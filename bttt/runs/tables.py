"""Tables as aligned text and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any

TEXT_WIDTH = 100
FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters, some of full width, by which a spreadsheet takes a cell for a formula."""


def printable(text: str) -> str:
    """Returns a text without control characters, line breaks and marks of direction; they are escaped.

    Texts of others, for example names in a file, may move the cursor, or reverse a line.
    """
    return "".join(
        symbol if symbol.isprintable() else symbol.encode("unicode_escape").decode() for symbol in text
    )


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

    Without rows the text is empty. Texts are `printable`, and a text that a spreadsheet would take for a
    formula gets an apostrophe in front of it. Numbers, also as text, stay as they are.
    """
    rows = list(rows)
    buffer = io.StringIO()
    if rows:
        heads = list(dict.fromkeys(head for row in rows for head in row))
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(map(_csv_cell, heads))
        writer.writerows([_csv_cell(row.get(head, "")) for head in heads] for row in rows)
    return buffer.getvalue()


def _csv_cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    text = printable(str(value))
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not is_number(text) else text


def is_number(text: str) -> bool:
    """Returns whether a text is a number, as Python writes it."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def rounded(row: Mapping[str, Any], digits: int = 6) -> dict[str, Any]:
    """Returns a row with its floats rounded to `digits` decimals; nan, an unknown value, becomes None."""
    return {name: _rounded(each, digits) if isinstance(each, float) else each for name, each in row.items()}


def _rounded(value: float, digits: int) -> float | None:
    return None if isnan(value) else round(value, digits)
