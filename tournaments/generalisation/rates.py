"""Rates of the study `bttt generalisation`, over networks and boards, with 95% intervals.

Networks with different seeds differ in strength, and boards differ in difficulty, so both are random sampling
units. A rate pools all trials. Its interval combines two intervals: one from the spread over seeds, one from
the spread over boards. Each is the interval of a ratio with Student's t, computed like the intervals of
`tournaments.evaluation`. The squared half-width is the sum of their squared half-widths. With three seeds the
interval is wide. In simulated studies of 2 to 5 seeds it contained the true rate in 95 to 99% of cases. It is
conservative, since the noise of single trials is counted in both spreads.

With one seed the interval covers boards only, and does not predict other training runs. For one network on
one board, or if all units have the same rate, it is Wilson's interval over unique trials. Where neither seeds
nor boards are more than two, but one of them is two, there is no interval (nan): two units do not show how
much units differ, as in `bttt.runs.ratio_interval`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import nan, sqrt
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from bttt.runs import spread_half_width, wilson
from tournaments.evaluation import novelties
from tournaments.generalisation.evaluation import SINGLE, Counts, Part
from tournaments.generalisation.networks import StudyNetwork

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

GroupT = TypeVar("GroupT", bound="DataclassInstance")
ALL = "all"
CountsByPart = Mapping[StudyNetwork, Mapping[Part, Sequence[Counts]]]
"""The counts of each network by measurement; measurements that do not fit a network are absent."""


@dataclass(frozen=True)
class PooledRate:
    """The fraction of hits of several networks on several boards.

    Attributes:
        seeds: Number of networks.
        boards: Number of different boards.
        trials: Number of games or decisions.
        distinct: Unique games of each network on each board, or positions, summed.
        rate: Fraction of trials that are hits, in [0, 1].
        low: Lower end of the rate's 95% interval; nan if there are two seeds or two boards, and not more.
        high: Upper end of the rate's 95% interval; nan as `low`.
    """

    seeds: int
    boards: int
    trials: int
    distinct: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class StudyGroup:
    """The networks of one variant and training set, in one measurement, on one group of boards.

    Attributes:
        variant: The training variant.
        brick_set: The training set as given.
        cells: Number of boards in the training set.
        measure: "wins", "conversion" or "losing".
        on: "single", another suite, or a size.
        simulations: Simulations per decision.
        novelty: "seen", "mirror", "novel" or "all" boards.
    """

    variant: str
    brick_set: str
    cells: int
    measure: str
    on: str
    simulations: int
    novelty: str


@dataclass(frozen=True)
class Rate(PooledRate, StudyGroup):
    """The rate of a group. Its fields are the columns of the CSV file; those of the last base come first."""


@dataclass(frozen=True, slots=True)
class Counted(Generic[GroupT]):
    """The counts of one network in one measurement.

    Attributes:
        group: The group in the study, a dataclass; its novelty is "all".
        network: The network.
        part: The measurement.
        counts: The counts on each board.
    """

    group: GroupT
    network: StudyNetwork
    part: Part
    counts: Sequence[Counts]


def study_rates(measured: CountsByPart) -> list[Rate]:
    """Returns the rates of all groups: by variant, training set, measurement and novelty of the boards."""
    counted = (
        Counted(
            StudyGroup(
                each.variant,
                each.brick_set,
                len(each.boards),
                part.measure,
                part.on,
                part.simulations,
                ALL,
            ),
            each,
            part,
            counts,
        )
        for each, parts in measured.items()
        for part, counts in parts.items()
    )
    return [Rate(**asdict(group), **asdict(rate)) for group, rate in grouped_rates(counted)]


def grouped_rates(counted: Iterable[Counted[GroupT]]) -> Iterator[tuple[GroupT, PooledRate]]:
    """Yields the rates of each group: on boards seen, mirror and novel to its networks, and on all boards."""
    units: dict[tuple[GroupT, str], list[tuple[int, Counts]]] = {}
    for each in counted:
        single = each.part.on == SINGLE
        known = novelties(each.network.boards, [one.board for one in each.counts]) if single else {}
        for one in each.counts:
            for novelty in (known[one.board], ALL) if single else (ALL,):
                units.setdefault((each.group, novelty), []).append((each.network.seed, one))
    for (group, novelty), own in units.items():
        yield replace(group, novelty=novelty), _pooled(own)


def _pooled(units: Sequence[tuple[int, Counts]]) -> PooledRate:
    """Returns the pooled rate of units; each unit is a network's seed and its counts on one board."""
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


def numbered(values: Iterable[object]) -> np.ndarray:
    """Returns the number of each value, `[N] int64`, counted in order of first appearance."""
    values = list(values)
    numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return np.array([numbers[value] for value in values], np.int64)


def interval(
    hits: np.ndarray, trials: np.ndarray, seeds: np.ndarray, boards: np.ndarray, distinct: int
) -> tuple[float, float]:
    """Returns the 95% interval of a rate from its units, as the module describes; nan if there is none.

    Args:
        hits: Hits of each unit (one network on one board), `[U]`.
        trials: Trials of each unit, `[U]`.
        seeds: Each unit's seed, `[U] int64` from 0.
        boards: Each unit's board, `[U] int64` from 0.
        distinct: Number of unique trials in total.
    """
    if max(seeds.max(), boards.max()) == 1:  # numbered from 0
        return nan, nan
    total = trials.sum()
    rate = hits.sum() / total
    residuals = (hits - rate * trials) / total
    half = sqrt(sum(_half_width(residuals, members) ** 2 for members in (seeds, boards)))
    if half < 1e-9:
        return wilson(float(rate), distinct)
    return float(max(0.0, rate - half)), float(min(1.0, rate + half))


def _half_width(residuals: np.ndarray, members: np.ndarray) -> float:
    """Returns the half-width of the interval from the spread over groups of units; 0 for one group."""
    groups = int(members.max()) + 1
    if groups == 1:
        return 0.0
    return spread_half_width(np.bincount(members, residuals))
