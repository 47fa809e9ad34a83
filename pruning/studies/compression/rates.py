"""Rates and costs of each level of the study `bttt compression`, over networks and boards.

A rate is the fraction of hits in all trials together: of the networks of one variant and training set, at one
level, on the boards that are seen, mirror or novel to them. Its 95% interval is over seeds and boards, as in
`tournaments.generalisation.rates`; with one seed it does not cover other training runs.

Costs are means over the seeds. The fraction kept is

    parameters(level) / parameters(level 0)         if channels are pruned: the network becomes smaller
    non-zero prunable weights / prunable weights    if weights are pruned; size and speed do not change

so variants of the two kinds are comparable in the fraction kept, never in speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Literal

import numpy as np

from pruning.studies.compression.arms import variant_options
from pruning.studies.compression.config import MeasuredPruning
from pruning.studies.plugins import find_method
from tournaments.generalisation import ALL, Counted, PooledRate, grouped_rates


@dataclass(frozen=True)
class LevelGroup:
    """A level of the pruning runs of a variant and training set, in one measurement, on one group of boards.

    Attributes:
        arm: Name of the variant.
        brick_set: Text of the training set.
        level: Number of the level; 0 is dense.
        measure: "losing" or "wins".
        simulations: Simulations per decision.
        novelty: "seen", "mirror", "novel" or "all" boards.
    """

    arm: str
    brick_set: str
    level: int
    measure: str
    simulations: int
    novelty: str


@dataclass(frozen=True)
class LevelCosts:
    """The costs of a level; integers stay ints.

    Attributes:
        share: Fraction of the parameters kept, see the module docstring.
        density: Fraction of the prunable channels (or weights) kept.
        kept: Channels (or weights) kept.
        parameters: Parameters, including zeros.
        macs: Multiply-adds per position.
        bytes: Size of the network's file.
        latency_1: Milliseconds for a batch of 1.
        latency_64: Milliseconds for a batch of 64.
        evaluations: Positions per second in batches of 64, see `LevelTimes`.
    """

    share: float
    density: float
    kept: float
    parameters: float
    macs: float
    bytes: float
    latency_1: float
    latency_64: float
    evaluations: float


@dataclass(frozen=True)
class LevelRate(LevelCosts, PooledRate, LevelGroup):
    """The rate and costs of a group: its fields are the columns of the CSV file, the last base's first."""


def level_rates(measured: Sequence[MeasuredPruning]) -> list[LevelRate]:
    """Returns the rates by variant, training set, level, measurement, and novelty of the boards."""
    counted = (
        Counted(
            LevelGroup(
                each.pruned.arm,
                each.pruned.network.brick_set,
                level,
                part.measure,
                part.simulations,
                ALL,
            ),
            each.pruned.network,
            part,
            counts,
        )
        for each in measured
        for level, parts in enumerate(each.counts)
        for part, counts in parts.items()
    )
    costs = _mean_costs(measured)
    return [
        LevelRate(**asdict(group), **asdict(rate), **asdict(costs[group.arm, group.brick_set, group.level]))
        for group, rate in grouped_rates(counted)
    ]


def pruned_by(arm: str) -> Literal["weights", "channels"]:
    """Returns what a variant prunes."""
    return find_method(variant_options(arm)["method"]).prunes


def share_kept(measured: MeasuredPruning, level: int) -> float:
    """Returns the fraction of the parameters that a level keeps, see the module docstring."""
    if pruned_by(measured.pruned.arm) == "weights":
        return measured.levels[level].result.density
    dense, own = (measured.levels[number].result.cost["parameters"] for number in (0, level))
    return own / dense


def _mean_costs(measured: Sequence[MeasuredPruning]) -> dict[tuple[str, str, int], LevelCosts]:
    """Returns the means over the seeds by variant, training set and level."""
    found: dict[tuple[str, str, int], list[LevelCosts]] = {}
    for each in measured:
        for level in range(len(each.counts)):
            key = (each.pruned.arm, each.pruned.network.brick_set, level)
            found.setdefault(key, []).append(_costs(each, level))
    return {key: _mean_of(own) for key, own in found.items()}


def _mean_of(costs: Sequence[LevelCosts]) -> LevelCosts:
    names = [field.name for field in fields(LevelCosts)]
    return LevelCosts(**{name: _mean([getattr(each, name) for each in costs]) for name in names})


def _mean(values: Sequence[float]) -> float:
    """Returns the mean, as an int if all values are."""
    mean = float(np.mean(values))
    return round(mean) if isinstance(values[0], int) else mean


def _costs(measured: MeasuredPruning, level: int) -> LevelCosts:
    result, times = measured.levels[level].result, measured.levels[level].times
    return LevelCosts(
        share=float(share_kept(measured, level)),
        density=result.density,
        kept=result.kept,
        parameters=int(result.cost["parameters"]),
        macs=int(result.cost["macs"]),
        bytes=int(result.cost["bytes"]),
        latency_1=times.one,
        latency_64=times.batch,
        evaluations=times.evaluations,
    )
