"""The tables that `bttt evaluate` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan

from bttt import NOVELTIES
from bttt.runs import aligned
from tournaments.evaluation.value_losses import TASKS, THROWN, LossRate

WITH_INTERVALS = [("all", "all"), *(("novelty", name) for name in NOVELTIES)]
WITHOUT = [
    *(("side", name) for name in ("first", "second")),
    *(("task", name) for name in TASKS),
    *(("thrown", name) for name in THROWN),
]
"""Columns of the two printed tables, each a kind and a group."""
NO_INTERVAL = "(-): two boards give no interval; with three or more it is 95%, over boards"
ONE_BOARD = "one board ({}): interval over its positions"


def loss_table(rates: Iterable[LossRate]) -> str:
    """Returns two tables of all agents, in per cent: by novelty with intervals, and by other kinds."""
    found: dict[str, dict[tuple[str, str], LossRate]] = {}
    for rate in rates:
        found.setdefault(rate.agent, {})[rate.kind, rate.group] = rate
    tables = [_table(found, *part) for part in ((WITH_INTERVALS, True), (WITHOUT, False))]
    shown = [own[column] for column in WITH_INTERVALS for own in found.values() if column in own]
    if any(isnan(rate.low) for rate in shown):
        tables[0] += f"\n{NO_INTERVAL}"
    if single := dict.fromkeys(rate.group for rate in shown if rate.boards == 1):
        tables[0] += f"\n{ONE_BOARD.format(', '.join(single))}"
    return "\n\n".join(tables)


def _table(
    found: dict[str, dict[tuple[str, str], LossRate]], columns: Sequence[tuple[str, str]], intervals: bool
) -> str:
    shown = [column for column in columns if any(column in own for own in found.values())]
    head = ["error rate, %", *(group for _, group in shown)]
    rows = [[agent, *(_text(own.get(column), intervals) for column in shown)] for agent, own in found.items()]
    return "\n".join(aligned([head, *rows], left=(0,)))


def _text(rate: LossRate | None, interval: bool) -> str:
    if rate is None:
        return "-"
    return rate_text(rate.rate, rate.low, rate.high) if interval else f"{100 * rate.rate:.2f}"


def rate_text(rate: float, low: float, high: float) -> str:
    """Returns a rate and its interval, each in [0, 1], as text in per cent; "(-)" without an interval."""
    if isnan(low):
        return f"{100 * rate:.2f} (-)"
    return f"{100 * rate:.2f} ({100 * low:.1f}-{100 * high:.1f})"
