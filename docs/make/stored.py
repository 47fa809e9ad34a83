"""Tables of stored results: aligned text and CSV files, shown as they are or as Markdown."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def csv_rows(path: str) -> list[dict[str, str]]:
    """Returns the rows of a CSV file, given relative to the root of the project."""
    with (ROOT / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def paragraph(path: str, start: str = "", *, under: str = "") -> list[str]:
    """Returns the lines of a text file from one that begins with `start` to the next empty line.

    Args:
        path: Of the file, relative to the root of the project.
        start: How the first line begins, after its spaces; "" takes the file's first line.
        under: Where to look: below a line that begins so; "" looks from the top.

    Raises:
        ValueError: No line begins so.
    """
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    above = _line_that_begins(lines, under, 0, path) if under else 0
    first = _line_that_begins(lines, start, above, path)
    end = next((number for number in range(first, len(lines)) if not lines[number].strip()), len(lines))
    return lines[first:end]


def _line_that_begins(lines: Sequence[str], start: str, above: int, path: str) -> int:
    for number in range(above, len(lines)):
        if lines[number].lstrip().startswith(start):
            return number
    raise ValueError(f"{path}: no line begins with {start!r}")


def text(path: str, start: str = "", *, under: str = "") -> str:
    """Returns a paragraph of a stored text as a block of code."""
    return fenced(paragraph(path, start, under=under))


def table(
    path: str, start: str, *, under: str = "", columns: str = "", rows: str = "", first: str = ""
) -> str:
    """Returns a table of a stored text as a Markdown table; it ends at the first line that does not fit.

    Args:
        path: Of the file, relative to the root of the project.
        start: How the line of the heads begins.
        under: How a line above it begins.
        columns: Heads of the columns to show, with ";" between them; "old=new" shows another head.
        rows: First cells of the rows to show, with "," between them.
        first: Another head for the first column.
    """
    head, *body = map(_cells, paragraph(path, start, under=under))
    fitting = list(takewhile(lambda cells: len(cells) == len(head), body))
    if rows:
        by_name = {cells[0]: cells for cells in fitting}
        fitting = [by_name[name] for name in rows.split(",")]
    chosen = [column.partition("=") for column in columns.split(";")] if columns else []
    names = [name for name, _, _ in chosen] or head
    places = [head.index(name) for name in names]
    heads = [new or name for name, _, new in chosen] or head
    heads = [first, *heads[1:]] if first else heads
    return markdown(heads, [[cells[place] for place in places] for cells in fitting])


def _cells(line: str) -> list[str]:
    return re.split(r" {2,}", line.strip())


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table; columns of numbers are aligned to the right."""
    rule = ["---:" if all(map(_is_number, column)) else "---" for column in zip(*rows, strict=True)]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in (heads, rule, *rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped)


def _is_number(cell: str) -> bool:
    return re.match(r"\[?[-+<=]*[\d.]|-?$", cell) is not None


def fenced(lines: Sequence[str]) -> str:
    """Returns lines as a block of code."""
    return "\n".join(["```text", *lines, "```"])
