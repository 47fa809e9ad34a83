"""SILO's peak learning rate compared with the best of a grid, cycle by cycle: the variant "oracle".

In each cycle the variant trains once with each value of the grid. The interval runs from the lowest to the
highest value whose agreement with the search is within the plan's tolerance of the best. SILO's peak for the
cycle is inside if the interval contains it, ends included. The grid is coarse, so a peak may lie outside only
because its own value was not tried. It is near if the tried value nearest to it (in logarithms) is inside.

Agreement is measured on a few thousand positions, after one training run per value, so the interval is
itself uncertain. Values between its ends need not all be within the tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from pruning.schedules import silo_max_lr
from pruning.studies.alphazero import make_plan
from pruning.studies.compression.config import CompressionConfig, MeasuredPruning
from pruning.studies.schedules import with_peak

ARM = "oracle"
PEAK_OPTIONS = ("epsilon", "delta", "beta", "q", "p")


@dataclass(frozen=True, slots=True)
class OracleCycle:
    """One cycle of one network.

    Attributes:
        brick_set: Text of the training set.
        seed: Seed of the network.
        cycle: Number of the cycle, from 1: the dense network is not trained.
        low: Lower end of the oracle's interval, a learning rate.
        high: Upper end.
        best: The best value of the grid.
        silo: SILO's peak.
        inside: Whether SILO's peak lies in the interval.
        near: Whether the tried value nearest to SILO's peak lies in the interval.
    """

    brick_set: str
    seed: int
    cycle: int
    low: float
    high: float
    best: float
    silo: float
    inside: bool
    near: bool


def oracle_cycles(config: CompressionConfig, measured: Sequence[MeasuredPruning]) -> list[OracleCycle]:
    """Returns the cycles of all networks of the variant that tried a grid."""
    plan = make_plan(config.prune)
    rate, lr = plan.learning_rate, config.prune.learning.learner.lr
    given = rate.schedule_options.items() if rate.schedule == "silo" else ()
    of_peak = {option: value for option, value in given if option in PEAK_OPTIONS}
    options = with_peak("silo", of_peak, lr=lr, p=plan.amount.fraction or 0.2, last=plan.stop.cycles)
    found = []
    for each in measured:
        for result in (level.result for level in each.levels if each.pruned.arm == ARM):
            if result.grid:
                low, high = result.grid.interval
                silo = silo_max_lr(result.cycle, **options)
                nearest = min((lr for lr, _ in result.grid.tried), key=lambda lr: abs(log(lr / silo)))
                inside, near = low <= silo <= high, low <= nearest <= high
                network = each.pruned.network
                values = (low, high, result.grid.best, silo, inside, near)
                found.append(OracleCycle(network.brick_set, network.seed, result.cycle, *values))
    return found
