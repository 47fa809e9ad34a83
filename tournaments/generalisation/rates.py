"""Rates of the study `bttt generalisation`, over networks and boards, with 95% intervals.

Networks that differ in the seed alone differ in how well they play, and boards in how hard they are, so both
are drawn units. A rate is that of all trials together. The spread over seeds alone gives one interval, that
over boards alone another (each that of a ratio with Student's t, as in `evaluation.value_losses`; with three
seeds it is wide), and the square of the half width is the sum of the squares of theirs. In simulated studies
of 2 to 5 seeds it held the truth in 95 to 99 of 100: it errs on the wide side, as trials are noise in both.

With one seed the interval is over boards alone and says nothing of another training. Where the units tell
nothing, for one network on one board or if all have the same rate, it is Wilson's over different trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from bttt.runs import wilson
from tournaments.evaluation import novelties, spread_half_width
from tournaments.generalisation.evaluation import SINGLE, Counts, Part
from tournaments.generalisation.networks import StudyNetwork

KeyT = TypeVar("KeyT")
ALL = "all"
CountsByPart = Mapping[StudyNetwork, Mapping[Part, Sequence[Counts]]]
"""What was counted of each network; a measurement that does not fit a network is not there."""


class PooledRate(NamedTuple):
    """The share of hits of several networks on several boards.

    Attributes:
        seeds: Networks.
        boards: Different boards.
        trials: Games or decisions.
        distinct: Different games of each network on each board, or positions, summed.
        rate: Share of hits.
        low: Lower end of its 95% interval.
        high: Upper end.
    """

    seeds: int
    boards: int
    trials: int
    distinct: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rate:
    """The rate of the networks of one variant and training set, in one group of boards.

    Attributes:
        variant: What the training differs in.
        brick_set: Text of the training set.
        cells: Boards in the training set.
        measure: "wins", "conversion" or "losing".
        on: "single", another suite, or a size.
        simulations: Simulations of a decision.
        novelty: "seen", "mirror", "novel" or "all" boards.
        seeds: As all that follow, see `PooledRate`.
    """

    variant: str
    brick_set: str
    cells: int
    measure: str
    on: str
    simulations: int
    novelty: str
    seeds: int
    boards: int
    trials: int
    distinct: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Counted(Generic[KeyT]):
    """The counts of one network in one measurement.

    Attributes:
        key: What tells the groups of a study apart, beside how new the boards are.
        network: The network.
        part: The measurement.
        counts: Its counts on each board.
    """

    key: KeyT
    network: StudyNetwork
    part: Part
    counts: Sequence[Counts]


def study_rates(measured: CountsByPart) -> list[Rate]:
    """Returns the rates of all groups: variants, training sets, measurements, and how new the boards are."""
    counted = (
        Counted(
            (each.variant, each.brick_set, len(each.boards), part.measure, part.on, part.simulations),
            each,
            part,
            counts,
        )
        for each, parts in measured.items()
        for part, counts in parts.items()
    )
    return [Rate(*key, novelty, **rate._asdict()) for key, novelty, rate in grouped_rates(counted)]


def grouped_rates(counted: Iterable[Counted[KeyT]]) -> Iterator[tuple[KeyT, str, PooledRate]]:
    """Yields the rates of each key: on boards that are seen, mirror or novel to its networks, and on all."""
    units: dict[tuple[KeyT, str], list[tuple[int, Counts]]] = {}
    for each in counted:
        single = each.part.on == SINGLE
        new = novelties(each.network.boards, [one.board for one in each.counts]) if single else {}
        for one in each.counts:
            for group in (new[one.board], ALL) if single else (ALL,):
                units.setdefault((each.key, group), []).append((each.network.seed, one))
    for (key, group), own in units.items():
        yield key, group, _pooled(own)


def _pooled(units: Sequence[tuple[int, Counts]]) -> PooledRate:
    """Returns the rate of units, each a network's seed and its counts on a board."""
    seeds = numbered(seed for seed, _ in units)
    boards = numbered(each.board for _, each in units)
    hits, trials, distinct = (
        np.array([getattr(each, name) for _, each in units]) for name in ("hits", "trials", "distinct")
    )
    low, high = interval(hits, trials, seeds, boards, int(distinct.sum()))
    return PooledRate(
        seeds=int(seeds.max()) + 1,
        boards=int(boards.max()) + 1,
        trials=int(trials.sum()),
        distinct=int(distinct.sum()),
        rate=float(hits.sum() / trials.sum()),
        low=low,
        high=high,
    )


def numbered(values: Iterable) -> np.ndarray:
    """Returns each value's number, `[N] int64`, in the order of first appearance."""
    values = list(values)
    numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return np.array([numbers[value] for value in values], np.int64)


def interval(
    hits: np.ndarray, trials: np.ndarray, seeds: np.ndarray, boards: np.ndarray, distinct: int
) -> tuple[float, float]:
    """Returns the 95% interval of a rate, from its units; see the module.

    Args:
        hits: Hits of each unit, one network on one board, `[U]`.
        trials: Trials of each unit, `[U]`.
        seeds: Each unit's seed, `[U] int64` from 0.
        boards: Each unit's board, `[U] int64` from 0.
        distinct: Different trials in all.
    """
    total = trials.sum()
    rate = hits.sum() / total
    residuals = (hits - rate * trials) / total
    half = sqrt(sum(_half_width(residuals, members) ** 2 for members in (seeds, boards)))
    if half < 1e-9:
        return wilson(float(rate), distinct)
    return float(max(0.0, rate - half)), float(min(1.0, rate + half))


def _half_width(residuals: np.ndarray, members: np.ndarray) -> float:
    """Returns half the width of the interval from the spread over groups of units; 0 for a single group."""
    groups = int(members.max()) + 1
    if groups == 1:
        return 0.0
    return spread_half_width(np.bincount(members, residuals))
