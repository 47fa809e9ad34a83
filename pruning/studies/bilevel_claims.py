"""What is claimed of bilevel methods, judged by Student's 95% interval of the paired differences by seed.

A claim holds at a level if it holds for each of its pairs of arms. "confirmed": the whole interval of every
pair says so; "not confirmed" otherwise, and then the evidence says "refuted" where some whole interval says
the contrary, else "undecided". "not testable": an arm is missing, or has fewer than `LEAST_SEEDS` seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pruning.intervals import Interval, paired, student
from pruning.studies.bilevel_experiment import Measured, ends
from pruning.studies.vision_claims import LEAST_SEEDS, Answer

Check = Callable[[Sequence[Measured]], tuple[Answer, str]]
Values = Callable[[Sequence[Measured], str, float], dict[int, float]]
"""Points, arm and level -> a number for each seed."""


def at_the_end(metric: str) -> Values:
    """Returns what reads a metric at the end of the budget."""

    def read(points: Sequence[Measured], arm: str, level: float) -> dict[int, float]:
        found = ends(points, arm, level)
        return {seed: each.metrics[metric] for seed, each in found.items() if metric in each.metrics}

    return read


def over_the_budget(metric: str) -> Values:
    """Returns what reads the mean of a metric over all marks of the budget: of a loss, small is fast."""

    def read(points: Sequence[Measured], arm: str, level: float) -> dict[int, float]:
        own: dict[int, list[float]] = {}
        for each in points:
            if (each.arm, each.level) == (arm, level):
                own.setdefault(each.seed, []).append(each.metrics[metric])
        return {seed: float(np.mean(values)) for seed, values in own.items()}

    return read


def higher(pairs: Sequence[tuple[str, str]], values: Values, *, levels: Sequence[float]) -> Check:
    """Returns the check that the first arm of each pair is above the second, at each level."""
    return _compared(pairs, values, levels, 1.0)


def lower(pairs: Sequence[tuple[str, str]], values: Values, *, levels: Sequence[float]) -> Check:
    """Returns the check that the first arm of each pair is below the second, at each level."""
    return _compared(pairs, values, levels, -1.0)


def above(arms: Sequence[str], values: Values, least: float, *, levels: Sequence[float]) -> Check:
    """Returns the check that each arm's mean is above a number, at each level."""

    def check(points: Sequence[Measured]) -> tuple[Answer, str]:
        tested: dict[str, Interval] = {}
        for level in levels:
            for arm in arms:
                found = list(values(points, arm, level).values())
                if len(found) < LEAST_SEEDS:
                    return "not testable", _too_few(arm, level, len(found))
                tested[f"{arm} at {level:g}"] = student(found)
        sides = [_side(each.low - least, each.high - least) for each in tested.values()]
        return _answer(sides, [_figure(name, each) for name, each in tested.items()])

    return check


def _compared(
    pairs: Sequence[tuple[str, str]], values: Values, levels: Sequence[float], sign: float
) -> Check:
    def check(points: Sequence[Measured]) -> tuple[Answer, str]:
        sides, figures = [], []
        for level in levels:
            for arm, other in pairs:
                ones, others = (values(points, each, level) for each in (arm, other))
                seeds = sorted(set(ones) & set(others))
                if len(seeds) < LEAST_SEEDS:
                    return "not testable", _too_few(f"{arm} and {other}", level, len(seeds))
                found = paired([ones[seed] for seed in seeds], [others[seed] for seed in seeds]).difference
                sides.append(_side(*sorted((sign * found.low, sign * found.high))))
                figures.append(_figure(f"{arm} less {other} at {level:g}", found, "+"))
        return _answer(sides, figures)

    return check


def _side(low: float, high: float) -> int:
    """Returns 1 where an interval is above 0, -1 where it is below, else 0."""
    return int(low > 0) - int(high < 0)


def _answer(sides: Sequence[int], figures: Sequence[str]) -> tuple[Answer, str]:
    if all(side > 0 for side in sides):
        return "confirmed", "; ".join(figures)
    word = "refuted" if min(sides) < 0 else "undecided"
    shown = [
        f"{figure}{' (contrary)' * (side < 0)}"
        for figure, side in zip(figures, sides, strict=True)
        if side <= 0
    ]
    return "not confirmed", f"{word}: {sum(side > 0 for side in sides)} of {len(sides)} hold, but {'; '.join(shown)}"


def _figure(name: str, found: Interval, sign: str = "") -> str:
    return f"{name} {found.mean:{sign}.4f} ({found.low:{sign}.4f} to {found.high:{sign}.4f})"


def _too_few(who: str, level: float, seeds: int) -> str:
    return f"{who} at {level:g}: {seeds} of the {LEAST_SEEDS} seeds needed"
