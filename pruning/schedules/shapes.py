"""The parts of learning-rate schedules: a peak for each cycle, times a shape within the cycle.

A shape returns the fraction of the peak at `progress` in [0, 1] of the cycle. All functions here are pure
module-level functions, so schedules can be copied and sent to another process.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral, Real

Schedule = Callable[[float, int], float]
"""The learning rate at `progress` in [0, 1] of the cycle, in cycle 0, 1, ..."""

ROUNDING = 1e-9
"""A drop takes effect this much earlier, against rounding: 1 - 0.9 is slightly less than 0.1."""


@dataclass(frozen=True)
class ShapedSchedule:
    """A schedule: the cycle's peak times a shape, which is the same in every cycle.

    Attributes:
        peak: Number of the cycle -> its largest learning rate.
        shape: Progress in [0, 1] -> fraction of the peak.
    """

    peak: Callable[[int], float]
    shape: Callable[[float], float]

    def __call__(self, progress: float, cycle: int) -> float:
        """Returns the learning rate; ValueError if progress or cycle is out of range."""
        if not 0 <= progress <= 1:  # refuses nan as well
            raise ValueError(f"progress must be 0 to 1, got {progress}")
        check_whole(0, cycle=cycle)
        return self.peak(cycle) * self.shape(progress)


def same(cycle: int, *, lr: float) -> float:
    """Returns the same peak for every cycle."""
    return lr


def flat(progress: float) -> float:
    """Returns 1, the whole peak, at any progress."""
    return 1.0


def steps(progress: float, *, drops: Sequence[float], factor: float) -> float:
    """Returns `factor` to the power of the number of drops at or before the progress."""
    return factor ** sum(progress >= drop - ROUNDING for drop in drops)


def fall(progress: float) -> float:
    """Returns the fraction on a straight line from the peak to 0."""
    return 1 - progress


def half_cosine(progress: float, *, start: float, end: float) -> float:
    """Returns the fraction on half a cosine period from fraction `start` to fraction `end`."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def triangles(progress: float, *, count: int) -> float:
    """Returns the fraction on `count` equal triangles, each from 0 to the peak and back."""
    return 1 - abs(2 * (progress * count % 1) - 1)


def warm_steps(progress: float, *, warmup: float, drops: Sequence[float], factor: float) -> float:
    """Returns the fraction on a line from 0 to the peak during `warmup`, then on `steps`."""
    return progress / warmup if progress < warmup else steps(progress, drops=drops, factor=factor)


def rise_and_rest(progress: float, *, start: float, rise: float, rest: Callable[[float], float]) -> float:
    """Returns the fraction on a half cosine from `start` to the peak during `rise`, then on `rest`.

    `rest` is a shape whose progress runs from 0 to 1 over the remaining part of the cycle.
    """
    if progress < rise:
        return half_cosine(progress / rise, start=start, end=1.0)
    return rest((progress - rise) / (1 - rise))


def last_part(progress: float, *, part: float, whole: Callable[[float], float]) -> float:
    """Returns the fraction on the last `part` of another shape, stretched over the cycle."""
    return whole(1 - part * (1 - progress))


def check_positive(**values: float) -> None:
    """Raises ValueError if a named value is not a positive finite number."""
    for name, value in values.items():
        if not (_is_number(value) and 0 < value < math.inf):
            raise ValueError(f"{name} must be a positive number, got {value!r}")


def check_within(low: float, high: float, **values: float) -> None:
    """Raises ValueError if a named value is not a finite number from `low` to `high`."""
    allowed = f"{low:g} to {high:g}" if high < math.inf else f"a number of at least {low:g}"
    for name, value in values.items():
        if not (_is_number(value) and low <= value <= high and value < math.inf):
            raise ValueError(f"{name} must be {allowed}, got {value!r}")


def check_share(**values: float) -> None:
    """Raises ValueError if a named value is not between 0 and 1, both excluded."""
    for name, value in values.items():
        if not (_is_number(value) and 0 < value < 1):
            raise ValueError(f"{name} must be between 0 and 1, got {value!r}")


def check_whole(least: int, **values: int) -> None:
    """Raises ValueError if a named value is not a whole number of at least `least`."""
    for name, value in values.items():
        if not (isinstance(value, Integral) and _is_number(value) and value >= least):
            raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")


def check_drops(drops: Sequence[float], factor: float, *, after: float = 0.0) -> None:
    """Raises ValueError if the drops are not rising fractions after `after`, or the factor is not in (0, 1].

    A drop at or before `after`, the end of a warm-up, would end the warm-up before its peak.
    """
    if not isinstance(drops, Sequence) or not all(map(_is_number, drops)):
        raise ValueError(f"drops must be numbers, got {drops!r}")
    bounds = [after, *drops, 1]
    if not all(before < later for before, later in pairwise(bounds)):
        raise ValueError(f"drops must rise, after {after:g} and before 1, got {drops!r}")
    check_positive(factor=factor)
    check_within(0, 1, factor=factor)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
