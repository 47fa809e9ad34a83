"""The tables that `bttt compression` prints: the levels of the first variant, and all variants side by side.

Fractions are in per cent with 95% intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isnan

from bttt import NOVELTIES
from bttt.runs import aligned
from pruning.studies.alphazero import MeasuredLevel
from pruning.studies.compression.rates import LevelRate, pruned_by
from tournaments.generalisation import ALL, with_reason

GROUPS = {"seen": "training", "mirror": "mirror", "novel": "novel"}
"""Label in tables and plots for each novelty of a board."""
SHOWN_LEVELS = (2, 4, 6, 8, 12)
"""Levels in the table of variants; if none of them exists, the last level."""
SAME = 0.1
"""Relative difference up to which a variant's fraction kept counts as equal to the column's heading."""
KINDS = ("channels", "weights")
LEVELS_TITLE = """\
% of decisions that are value-losing moves, on training, mirror and novel cells;
wins: % of games won as first player against minimax:depth=2; ch: channels kept; ev/s: evaluations a second"""

_Column = tuple[str, int, str]
"""Measure, simulations, novelty."""


def levels_text(rates: Sequence[LevelRate]) -> str:
    """Returns the levels of a variant, one table per training set.

    Args:
        rates: The rates of one variant.
    """
    sets = dict.fromkeys(rate.brick_set for rate in rates)
    tables = (_set_table([rate for rate in rates if rate.brick_set == name]) for name in sets)
    return with_reason("\n\n".join(tables))


def _set_table(rates: Sequence[LevelRate]) -> str:
    found: dict[int, dict[_Column, LevelRate]] = {}
    for rate in rates:
        found.setdefault(rate.level, {})[rate.measure, rate.simulations, rate.novelty] = rate
    simulations = list(dict.fromkeys(rate.simulations for rate in rates))
    columns = [("losing", number, name) for number in simulations for name in NOVELTIES]
    columns += [("wins", number, ALL) for number in simulations]
    columns = [column for column in columns if any(column in own for own in found.values())]
    rows = [["lvl", "ch", "params", "MACs", "ev/s", *map(_head, columns)]]
    for level, own in sorted(found.items()):
        any_rate = next(iter(own.values()))
        costs = map(short, (any_rate.parameters, any_rate.macs, any_rate.evaluations))
        rows.append([str(level), str(any_rate.kept), *costs, *(_cell(own.get(each)) for each in columns)])
    first = rates[0]
    title = f"{first.arm}, trained on {first.brick_set}, {_seeds(rates)}: {LEVELS_TITLE}"
    return "\n".join([title, *aligned(rows)])


def _head(column: _Column) -> str:
    measure, simulations, novelty = column
    return f"{'wins' if measure == 'wins' else GROUPS[novelty]} {searched(simulations)}"


def searched(simulations: int) -> str:
    """Returns the label for a number of simulations."""
    return str(simulations) if simulations else "raw"


def times_text(levels: Iterable[MeasuredLevel]) -> str:
    """Returns the evaluator that "ev/s" is of, or the different ones; "" if only earlier versions timed."""
    times = {level.times.evaluator: level.times.heading for level in levels}
    if times.keys() <= {""}:
        return ""
    if len(times) == 1:
        return f"ev/s: {times.popitem()[1]}"
    different = "; ".join(times[name] for name in sorted(times))
    return f"ev/s are of different evaluators ({different}); delete times.json of a run to measure again"


def arms_text(rates: Sequence[LevelRate]) -> str:
    """Returns each variant's rate on all cells, one table per training set and kind (weights or channels).

    The rates use the fewest simulations measured. The heading shows the fraction of the parameters kept by
    the first variant that prunes; a variant with another fraction shows it after its rate. Level 0 is the
    same network in all variants.
    """
    least = min((rate.simulations for rate in rates), default=0)
    losing = [
        rate for rate in rates if (rate.measure, rate.novelty, rate.simulations) == ("losing", ALL, least)
    ]
    tables = []
    for brick_set in dict.fromkeys(rate.brick_set for rate in losing):
        for kind in KINDS:
            own = [rate for rate in losing if rate.brick_set == brick_set and pruned_by(rate.arm) == kind]
            if own:
                title = (
                    f"variants that prune {kind}, trained on {brick_set}: % of decisions that are "
                    f"value-losing, all cells, {f'{least} simulations' if least else 'raw policy'}; "
                    f"{_cell(next(rate for rate in own if not rate.level))} at level 0"
                )
                tables.append("\n".join([title, *_arms_rows(own)]))
    return with_reason("\n\n".join(tables))


def _arms_rows(rates: Sequence[LevelRate]) -> list[str]:
    found: dict[str, dict[int, LevelRate]] = {}
    for rate in rates:
        found.setdefault(rate.arm, {})[rate.level] = rate
    levels = {level for own in found.values() for level in own}
    shown = [level for level in SHOWN_LEVELS if level in levels] or [max(levels)]
    heads = {level: _share_of_head(found.values(), level) for level in shown}
    rows = [["variant", "seeds", *(f"level {level}" for level in shown)]]
    rows.append(["parameters kept", "", *(f"{percent(heads[level])}%" for level in shown)])
    for arm, own in found.items():
        cells = (_arm_cell(own.get(level), heads[level]) for level in shown)
        rows.append([arm, str(max(rate.seeds for rate in own.values())), *cells])
    return aligned(rows, left=(0,))


def _share_of_head(arms: Iterable[Mapping[int, LevelRate]], level: int) -> float:
    shares = [own[level].share for own in arms if level in own]
    return next((share for share in shares if share < 1), 1.0)


def _arm_cell(rate: LevelRate | None, head: float) -> str:
    if rate is None or abs(rate.share / head - 1) <= SAME:
        return _cell(rate)
    return f"{_cell(rate)} @{100 * rate.share:.0f}%"


def _cell(rate: LevelRate | None) -> str:
    if rate is None:
        return "-"
    if isnan(rate.low):
        return f"{percent(rate.rate)} (-)"
    if rate.measure == "wins":
        return f"{100 * rate.rate:.0f} ({100 * rate.low:.0f}-{100 * rate.high:.0f})"
    return share_text(rate.rate, rate.low, rate.high)


def share_text(rate: float, low: float, high: float) -> str:
    """Returns a fraction and its interval in per cent, for example "6.0 (4.1-12)"; no interval if nan."""
    return percent(rate) if isnan(low) else f"{percent(rate)} ({_end(low)}-{_end(high)})"


def percent(share: float) -> str:
    """Returns a fraction in per cent with one decimal; 100 has none."""
    return f"{100 * share:.1f}".replace("100.0", "100")


def _end(share: float) -> str:
    return f"{100 * share:.1f}" if 100 * share < 9.95 else f"{100 * share:.0f}"


def short(number: float) -> str:
    """Returns a count to three digits, for example 667, 60.9k or 2.86M."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * unit:
            digits = 2 if number < 9.995 * unit else 1 if number < 99.95 * unit else 0
            return f"{number / unit:.{digits}f}{name}"
    return f"{number:.0f}"


def _seeds(rates: Sequence[LevelRate]) -> str:
    """Returns the number of networks, or the smallest and largest number if levels differ."""
    numbers = sorted({rate.seeds for rate in rates})
    return f"{'-'.join(map(str, numbers[:1] + numbers[1:][-1:]))} seed{'s' * (numbers[-1] > 1)}"
