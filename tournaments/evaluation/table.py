"""The tables that `bttt evaluate` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tournaments.evaluation.value_losses import NOVELTIES, TASKS, THROWN, LossRate

WITH_INTERVALS = [("all", "all"), *(("novelty", name) for name in NOVELTIES)]
WITHOUT = [
    *(("side", name) for name in ("first", "second")),
    *(("task", name) for name in TASKS),
    *(("thrown", name) for name in THROWN),
]
"""Columns of the two printed tables: kinds and groups."""


def loss_table(rates: Iterable[LossRate]) -> str:
    """Returns two tables of all agents, in per cent: by novelty, with intervals, and by other kinds."""
    found: dict[str, dict[tuple[str, str], LossRate]] = {}
    for rate in rates:
        found.setdefault(rate.agent, {})[rate.kind, rate.group] = rate
    return "\n\n".join(_table(found, *part) for part in ((WITH_INTERVALS, True), (WITHOUT, False)))


def _table(
    found: dict[str, dict[tuple[str, str], LossRate]], columns: Sequence[tuple[str, str]], intervals: bool
) -> str:
    shown = [column for column in columns if any(column in own for own in found.values())]
    head = ["% of decisions that lose value" if intervals else "%", *(group for _, group in shown)]
    rows = [head]
    for agent, own in found.items():
        rows.append([agent, *(_text(own.get(column), intervals) for column in shown)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )


def _text(rate: LossRate | None, interval: bool) -> str:
    if rate is None:
        return "-"
    ends = f" ({100 * rate.low:.1f}-{100 * rate.high:.1f})" if interval else ""
    return f"{100 * rate.rate:.2f}{ends}"
