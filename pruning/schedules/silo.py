"""SILO and its controls: the peak learning rate rises on an S-shaped curve as the network gets sparser.

Liu, Ghosh, Tan, Motani, "Optimizing Learning Rate Schedules for Iterative Pruning of Deep Neural Networks",
arXiv 2212.06144 (TMLR 2023). The formula and the numbers are those of the authors' code. The default epsilon
and delta are for ResNet-20 on CIFAR-10 (0.03 and 0.04); VGG-19 has 0.04 and 0.06.

Cycle 0 trains the dense network; each later cycle prunes first.
"""

from __future__ import annotations

import math
from functools import partial

from pruning.schedules.shapes import (
    Schedule,
    ShapedSchedule,
    check_drops,
    check_positive,
    check_share,
    check_whole,
    check_within,
    triangles,
    warm_steps,
)

EPSILON, DELTA = 0.03, 0.04
"""SILO's lower bound of the peak and its range, for ResNet-20 on CIFAR-10."""
WARMUP, DROPS = 0.08, (0.5, 0.75)
"""Fractions of the cycle of VGG-19: 10,000 iterations in 160 epochs of 50,000 images; drops at 80 and 120."""


def silo_max_lr(
    cycle: int, *, epsilon: float, delta: float, beta: float = 5.0, q: int = 1, p: float = 0.2
) -> float:
    """Returns the peak learning rate of a cycle: from `epsilon` up to `epsilon` + `delta`.

    It is epsilon up to cycle q, then epsilon + delta / (1 + (gamma / (1 - gamma))^-beta), where
    gamma = 1 - (1 - p)^(cycle - q) is the fraction of weights pruned q cycles ago. Half of the rise is
    reached at gamma = 0.5, where its slope is beta * delta.

    Deviations: none. It is computed from logarithms, which do not overflow for any cycle or beta.

    Args:
        cycle: Number of the cycle, from 0.
        epsilon: Peak for the dense network.
        delta: Maximum rise above epsilon.
        beta: Steepness of the rise.
        q: Number of cycles by which the rise is delayed.
        p: Fraction of the remaining weights that each cycle prunes, independent of the plan's real fraction.

    Raises:
        ValueError: A value is out of range.
    """
    check_whole(0, cycle=cycle, q=q)
    _check_bounds(epsilon, delta)
    check_positive(beta=beta)
    check_share(p=p)
    if cycle <= q:
        return epsilon
    log_kept = (cycle - q) * math.log1p(-p)
    log_odds = math.log(-math.expm1(log_kept)) - log_kept  # of gamma against 1 - gamma
    return epsilon + delta * (1 + math.tanh(beta * log_odds / 2)) / 2  # logistic function, as tanh


def silo(
    *,
    epsilon: float = EPSILON,
    delta: float = DELTA,
    beta: float = 5.0,
    q: int = 1,
    p: float = 0.2,
    warmup: float = WARMUP,
    drops: tuple[float, ...] = DROPS,
    factor: float = 0.1,
) -> Schedule:
    """Warm-up and step decay whose peak is `silo_max_lr` of the cycle.

    Deviations: the warm-up is a fraction of the cycle and ends before the first drop. In the authors' scripts
    a drop interrupts the warm-up of ResNet-20 (50 epochs, warm-up over 20,000 iterations, drops at epochs 25
    and 32). The warm-up of VGG-19 jumps from 0.79 of the peak to the peak. The default shape is the intended
    one of VGG-19.
    """
    return ShapedSchedule(_silo_peak(epsilon, delta, beta, q, p), warm_step_shape(warmup, drops, factor))


def s_cyc(
    *,
    epsilon: float = EPSILON,
    delta: float = DELTA,
    beta: float = 5.0,
    q: int = 1,
    p: float = 0.2,
    cycles: int = 1,
) -> Schedule:
    """Triangles whose peak is `silo_max_lr` of the cycle: S-Cyc, arXiv 2110.08764, SILO's predecessor.

    Deviations: the authors' code shows neither the number of triangles in a pruning cycle (`cycles`) nor the
    curve of the peak. The curve is assumed to be SILO's.
    """
    check_whole(1, cycles=cycles)
    return ShapedSchedule(_silo_peak(epsilon, delta, beta, q, p), partial(triangles, count=cycles))


def silo_step(
    *,
    epsilon: float = EPSILON,
    delta: float = DELTA,
    jump: int = 4,
    warmup: float = WARMUP,
    drops: tuple[float, ...] = DROPS,
    factor: float = 0.1,
) -> Schedule:
    """SILO with a jump as its curve: peak epsilon before cycle `jump`, epsilon + delta from then on.

    Our control: SILO's curve reaches half its rise in cycle 4, where it is almost a jump.
    """
    check_whole(0, jump=jump)
    _check_bounds(epsilon, delta)
    peak = partial(_jump_peak, epsilon=epsilon, delta=delta, jump=jump)
    return ShapedSchedule(peak, warm_step_shape(warmup, drops, factor))


def silo_linear(
    *,
    epsilon: float = EPSILON,
    delta: float = DELTA,
    last: int = 11,
    warmup: float = WARMUP,
    drops: tuple[float, ...] = DROPS,
    factor: float = 0.1,
) -> Schedule:
    """SILO with a straight line as its curve: epsilon in cycle 0, epsilon + delta from cycle `last` on.

    Our control: it tests whether the S shape matters. `last` is the last cycle of a run, 11 of 12.
    """
    check_whole(1, last=last)
    _check_bounds(epsilon, delta)
    peak = partial(_linear_peak, epsilon=epsilon, delta=delta, last=last)
    return ShapedSchedule(peak, warm_step_shape(warmup, drops, factor))


def warm_step_shape(warmup: float, drops: tuple[float, ...], factor: float) -> partial[float]:
    """Returns the shape of a warm-up and drops; ValueError if the first drop comes before its end."""
    check_within(0, 1, warmup=warmup)
    check_drops(drops, factor, after=warmup)
    return partial(warm_steps, warmup=warmup, drops=drops, factor=factor)


def _check_bounds(epsilon: float, delta: float) -> None:
    check_positive(epsilon=epsilon)
    check_within(0, math.inf, delta=delta)


def _silo_peak(epsilon: float, delta: float, beta: float, q: int, p: float) -> partial[float]:
    peak = partial(silo_max_lr, epsilon=epsilon, delta=delta, beta=beta, q=q, p=p)
    peak(0)  # raises errors when the schedule is made, not when it is used
    return peak


def _jump_peak(cycle: int, *, epsilon: float, delta: float, jump: int) -> float:
    return epsilon + delta if cycle >= jump else epsilon


def _linear_peak(cycle: int, *, epsilon: float, delta: float, last: int) -> float:
    return epsilon + delta * min(1.0, cycle / last)
