"""Claims about bilevel methods, tested by Student's 95% interval of the paired differences by seed.

A claim holds at a level if it holds for each of its pairs of variants; it is refuted if one pair refutes it.
It is "not testable" if a variant is missing, or fewer than `LEAST_SEEDS` of its runs have made an outer step.
The evidence lists the pairs that fail; if all hold, it gives the pair with the narrowest margin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf

import numpy as np

from pruning.measures import Interval, paired, student
from pruning.studies.bilevel.experiment import BilevelPoint, ends
from pruning.studies.experiment import Answer, Check, common_seeds, standing, where_testable

SeedValues = Callable[[Sequence[BilevelPoint], str, float], dict[int, float]]
"""Points, variant and level -> a number for each seed."""
SHOWN = 6
"""Maximum number of failed pairs that the evidence lists."""


def at_the_end(metric: str) -> SeedValues:
    """Returns a function that reads a metric at the end of the budget."""

    def read(points: Sequence[BilevelPoint], arm: str, level: float) -> dict[int, float]:
        return {
            seed: each.metrics[metric]
            for seed, each in _moved(points, arm, level).items()
            if metric in each.metrics
        }

    return read


def over_the_budget(metric: str) -> SeedValues:
    """Returns a function that reads the mean of a metric over all marks; for a loss, small means fast."""

    def read(points: Sequence[BilevelPoint], arm: str, level: float) -> dict[int, float]:
        own: dict[int, list[float]] = {seed: [] for seed in _moved(points, arm, level)}
        for each in points:
            if (each.arm, each.level) == (arm, level) and each.seed in own:
                own[each.seed].append(each.metrics[metric])
        return {seed: float(np.mean(values)) for seed, values in own.items()}

    return read


def higher(
    pairs: Sequence[tuple[str, str]], values: SeedValues, *, levels: Sequence[float]
) -> Check[BilevelPoint]:
    """Returns the check that the first variant of each pair is above the second, at each level."""
    return _compared(pairs, values, levels, 0.0, inf)


def lower(
    pairs: Sequence[tuple[str, str]], values: SeedValues, *, levels: Sequence[float]
) -> Check[BilevelPoint]:
    """Returns the check that the first variant of each pair is below the second, at each level."""
    return _compared(pairs, values, levels, -inf, 0.0)


def above(
    arms: Sequence[str], values: SeedValues, least: float, *, levels: Sequence[float]
) -> Check[BilevelPoint]:
    """Returns the check that each variant's mean is above a number, at each level."""

    def check(points: Sequence[BilevelPoint]) -> tuple[Answer, str]:
        found: dict[str, Interval] = {}
        for level in levels:
            for arm in arms:
                own = values(points, arm, level)
                common_seeds(f"{arm} at {level:g}:", own)
                found[f"{arm} at {level:g} minus {least:g}"] = student(
                    [each - least for each in own.values()]
                )
        return _answer(found, 0.0, inf)

    return where_testable(check)


def _compared(
    pairs: Sequence[tuple[str, str]], values: SeedValues, levels: Sequence[float], low: float, high: float
) -> Check[BilevelPoint]:
    """Returns the check that the difference of each pair is above `low` and below `high`, at each level."""

    def check(points: Sequence[BilevelPoint]) -> tuple[Answer, str]:
        found: dict[str, Interval] = {}
        for level in levels:
            for arm, other in pairs:
                ones, others = (values(points, each, level) for each in (arm, other))
                seeds = common_seeds(f"{arm} and {other} at {level:g}:", ones, others)
                own, its = ([each[seed] for seed in seeds] for each in (ones, others))
                found[f"{arm} minus {other} at {level:g}"] = paired(own, its).difference
        return _answer(found, low, high)

    return where_testable(check)


def _moved(points: Sequence[BilevelPoint], arm: str, level: float) -> dict[int, BilevelPoint]:
    """Returns the final points of a variant's runs by seed; methods without an outer step are excluded."""
    found = ends(points, arm, level)
    return {seed: each for seed, each in found.items() if each.metrics.get("outer steps", 1) > 0}


def _answer(found: Mapping[str, Interval], low: float, high: float) -> tuple[Answer, str]:
    """Returns the verdict on whether all differences are above `low` and below `high`, and the figures."""
    words = {name: standing(each, low, high) for name, each in found.items()}
    failed = [name for name, word in words.items() if word != "confirmed"]
    if not failed:
        closest = min(found, key=lambda name: min(abs(found[name].low), abs(found[name].high)))
        return "confirmed", f"all {len(found)} hold; narrowest margin: {_figure(closest, found[closest])}"
    word = "refuted" if "refuted" in words.values() else "undecided"
    told = [
        _figure(name, found[name]) + " (contradicts)" * (words[name] == "refuted") for name in failed[:SHOWN]
    ]
    more = f"; and {len(failed) - SHOWN} more" if len(failed) > SHOWN else ""
    held = len(found) - len(failed)
    return "not confirmed", f"{word}: {held} of {len(found)} hold; failed: {'; '.join(told)}{more}"


def _figure(name: str, found: Interval) -> str:
    return f"{name} {found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f})"
