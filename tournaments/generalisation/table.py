"""The tables that `bttt generalisation` prints, in per cent with 95% intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bttt import NOVELTIES
from bttt.runs import aligned
from tournaments.evaluation import rate_text
from tournaments.generalisation.evaluation import SINGLE
from tournaments.generalisation.rates import ALL, Rate

TITLES = {
    "wins": "% of games won as first player against minimax:depth=2",
    "conversion": "% of won starts won against perfect",
    "losing": "error rate, % of decisions",
}
SHORT_TITLES = {"wins": "won %", "losing": "error %"}
CONTROL_MEASURES = ("wins", "losing")
CONTROL_SIMULATIONS = (0, 100)
NO_INTERVAL = "(-): two networks or two boards give no interval; it takes three of one of them"


def study_text(rates: Sequence[Rate]) -> str:
    """Returns one table of each measure by novelty, and one of each measure on other boards."""
    single = [rate for rate in rates if rate.on == SINGLE]
    tables = [
        _table(
            title,
            [rate for rate in single if rate.measure == measure],
            lambda rate: rate.novelty,
            [*NOVELTIES, ALL],
        )
        for measure, title in TITLES.items()
    ]
    others = [rate for rate in rates if rate.on != SINGLE]
    for measure in CONTROL_MEASURES:
        own = [rate for rate in others if rate.measure == measure]
        columns = list(dict.fromkeys(rate.on for rate in own))
        tables.append(_table(f"{TITLES[measure]}, on other boards", own, lambda rate: rate.on, columns))
    return with_reason("\n\n".join(filter(None, tables)))


def with_reason(text: str) -> str:
    """Returns tables with a last line on why intervals are missing, if some are."""
    return f"{text}\n\n{NO_INTERVAL}" if "(-)" in text else text


def controls_text(rates: Sequence[Rate]) -> str:
    """Returns a table of each variant's rates on novel cells, set by set; "" if there are none."""
    columns = [(measure, number) for measure in CONTROL_MEASURES for number in CONTROL_SIMULATIONS]
    found: dict[tuple[str, str], dict[tuple[str, int], Rate]] = {}
    for rate in rates:
        if rate.on == SINGLE and rate.novelty == "novel":
            found.setdefault((rate.brick_set, rate.variant), {})[rate.measure, rate.simulations] = rate
    if not found:
        return ""
    head = ["set", "variant", "seeds"]
    head += [f"{SHORT_TITLES[measure]}, {number or 'raw'}" for measure, number in columns]
    sets = list(dict.fromkeys(brick_set for brick_set, _ in found))
    rows = [
        [*key, str(max(rate.seeds for rate in own.values())), *(_text(own.get(each)) for each in columns)]
        for key, own in sorted(found.items(), key=lambda item: sets.index(item[0][0]))
    ]
    title = "controls, novel cells: % of games won, and error rate, by simulations"
    return with_reason("\n".join([title, *aligned([head, *rows], left=(0, 1))]))


def _table(
    title: str, rates: Sequence[Rate], column_of: Callable[[Rate], str], columns: Sequence[str]
) -> str:
    """Returns a table with a row for each variant, set and number of simulations; "" without rates."""
    found: dict[tuple[str, str, int, int], dict[str, Rate]] = {}
    for rate in rates:
        key = (rate.variant, rate.brick_set, rate.cells, rate.simulations)
        own = found.setdefault(key, {})
        own[column_of(rate)] = rate
    if not found:
        return ""
    shown = [column for column in columns if any(column in own for own in found.values())]
    rows = [["variant", "set", "cells", "seeds", "simulations", *shown]]
    for key, own in found.items():
        seeds = max(rate.seeds for rate in own.values())
        rows.append([*key[:2], str(key[2]), str(seeds), str(key[3]), *(_text(own.get(c)) for c in shown)])
    return "\n".join([title, *aligned(rows, left=(0, 1))])


def _text(rate: Rate | None) -> str:
    if rate is None:
        return "-"
    return rate_text(rate.rate, rate.low, rate.high)
