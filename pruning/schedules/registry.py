"""Learning-rate schedules for pruning in cycles: pure functions of the progress in a cycle and its number.

`SCHEDULES` lists them all; each is made by a function whose keywords are its options. `lr` is the peak, and
`u` is the progress of the cycle in [0, 1]. Durations are fractions of the cycle's length, so no schedule
counts epochs. Every cycle starts again at progress 0 (the learning rate is rewound). At progress 0 a warm-up
is exactly 0.

FT, LRW, SLR and CLR follow the code of Le and Hua, "Network Pruning That Matters" (ICLR 2021). They retrain a
pruned network after a base training run of 160 epochs at lr 0.1, with factors of 0.1 at epochs 80 and 120.
Here `lr`, `drops` and `factor` describe the base training run, and the cycle is the retraining run.

This module has the schedules that are equal in every cycle; `silo` has SILO's family, whose peaks differ.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any

from pruning.schedules.shapes import (
    Schedule,
    ShapedSchedule,
    check_drops,
    check_positive,
    check_share,
    check_whole,
    check_within,
    fall,
    flat,
    half_cosine,
    last_part,
    rise_and_rest,
    same,
    steps,
    triangles,
)
from pruning.schedules.silo import s_cyc, silo, silo_linear, silo_step, warm_step_shape
from pruning.words import nearest


def constant(*, lr: float = 0.1) -> Schedule:
    """A constant learning rate: lr."""
    return _every_cycle(lr, flat)


def step(*, lr: float = 0.1, drops: tuple[float, ...] = (0.5, 0.75), factor: float = 0.1) -> Schedule:
    """Step decay: lr, multiplied by `factor` at each of `drops`; by default epochs 80 and 120 of 160."""
    return _every_cycle(lr, _step_shape(drops, factor))


def linear(*, lr: float = 0.1) -> Schedule:
    """A straight line from lr to 0: lr (1 - u)."""
    return _every_cycle(lr, fall)


def cosine(*, lr: float = 0.1, end: float = 0.0) -> Schedule:
    """Half a cosine period: end + (lr - end) (1 + cos(pi u)) / 2.

    Loshchilov and Hutter, SGDR (ICLR 2017), eq. 5, with one annealing per pruning cycle.
    """
    check_positive(lr=lr)
    check_within(0, lr, end=end)
    return _every_cycle(lr, partial(half_cosine, start=1.0, end=end / lr))


def cyclic(*, lr: float = 0.1, cycles: int = 1) -> Schedule:
    """Triangles from 0 to lr and back, `cycles` of them per pruning cycle: lr (1 - |2 (cycles u mod 1) - 1|).

    Smith, "Cyclical Learning Rates" (WACV 2017), with lower bound 0 and step size 1 / (2 cycles), which is
    half a triangle; as in SILO's comparisons.
    """
    check_whole(1, cycles=cycles)
    return _every_cycle(lr, partial(triangles, count=cycles))


def one_cycle(
    *, lr: float = 0.1, start: float | None = None, end: float | None = None, rise: float = 0.1
) -> Schedule:
    """Half a cosine from `start` to lr during `rise`, then half a cosine from lr to `end`.

    u < rise: start + (lr - start) (1 - cos(pi u / rise)) / 2; then with v = (u - rise) / (1 - rise):
    end + (lr - end) (1 + cos(pi v)) / 2. By default start is lr / 100 and end is start / 100.

    Smith and Topin, "Super-Convergence" (2018). Deviation: the momentum is constant.
    """
    check_positive(lr=lr)
    check_share(rise=rise)
    start = lr / 100 if start is None else start
    check_within(0, lr, start=start)
    end = start / 100 if end is None else end
    check_within(0, lr, end=end)
    return _every_cycle(lr, _rise_and_fall(start / lr, end / lr, rise))


def warmup_step(
    *,
    lr: float = 0.1,
    warmup: float = 0.08,
    drops: tuple[float, ...] = (0.5, 0.75),
    factor: float = 0.1,
) -> Schedule:
    """A linear warm-up from 0 to lr during `warmup`, then lr, multiplied by `factor` at each of `drops`.

    The defaults follow VGG-19 in SILO's code: a warm-up of 10,000 iterations in 160 epochs, drops at epochs
    80 and 120. Deviation: the warm-up must end before the first drop; in the scripts it sometimes does not.
    """
    return _every_cycle(lr, warm_step_shape(warmup, drops, factor))


def fine_tuning(*, lr: float = 0.1, drops: tuple[float, ...] = (0.5, 0.75), factor: float = 0.1) -> Schedule:
    """FT: the final learning rate of the base training run, lr factor^drops (0.001 by default), constant."""
    return _every_cycle(lr, partial(last_part, part=0.0, whole=_step_shape(drops, factor)))


def lr_rewinding(
    *,
    lr: float = 0.1,
    replayed: float = 0.55,
    drops: tuple[float, ...] = (0.5, 0.75),
    factor: float = 0.1,
) -> Schedule:
    """LRW: repeats the last fraction `replayed` of the base schedule: step at 1 - replayed (1 - u).

    `replayed` is E / 160 for E epochs of retraining, by default 88, one of the authors' eight values. If it
    is at most the fraction after the last drop (25% by default), LRW equals FT.
    """
    check_positive(replayed=replayed)
    check_within(0, 1, replayed=replayed)
    return _every_cycle(lr, partial(last_part, part=replayed, whole=_step_shape(drops, factor)))


def scaled_restarting(
    *,
    lr: float = 0.1,
    warmup: float = 0.1,
    drops: tuple[float, ...] = (0.5, 0.75),
    factor: float = 0.1,
) -> Schedule:
    """SLR: rises from the base training run's final learning rate to its first, then makes all its drops.

    u < warmup: s + (lr - s) (1 - cos(pi u / warmup)) / 2 with s = lr factor^drops; then `factor` at each of
    `drops`, scaled to the remaining progress (u - warmup) / (1 - warmup).

    Deviation: the code rounds the warm-up and the drops down to whole epochs; here they are fractions.
    """
    check_share(warmup=warmup)
    rest = _step_shape(drops, factor)
    return _every_cycle(lr, partial(rise_and_rest, start=rest(1.0), rise=warmup, rest=rest))


def cyclic_restarting(
    *,
    lr: float = 0.1,
    rise: float = 0.1,
    drops: tuple[float, ...] = (0.5, 0.75),
    factor: float = 0.1,
) -> Schedule:
    """CLR: one cycle from the base training run's final learning rate to its first, and far down again.

    `one_cycle` with start lr factor^drops (0.001 by default) and end start / 100 (0.00001). It changes with
    every iteration, as in the code.
    """
    check_share(rise=rise)
    start = _step_shape(drops, factor)(1.0)
    return _every_cycle(lr, _rise_and_fall(start, start / 100, rise))


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "constant": constant,
    "step": step,
    "linear": linear,
    "cosine": cosine,
    "cyclic": cyclic,
    "one-cycle": one_cycle,
    "warmup-step": warmup_step,
    "ft": fine_tuning,
    "lrw": lr_rewinding,
    "slr": scaled_restarting,
    "clr": cyclic_restarting,
    "s-cyc": s_cyc,
    "silo": silo,
    "silo-step": silo_step,
    "silo-linear": silo_linear,
}
"""The functions that make the schedules, by the names that users give; their keywords are the options."""


def make_schedule(name: str, **options: Any) -> Schedule:
    """Returns the schedule with a name; missing options have their defaults.

    Raises:
        ValueError: The schedule or an option is unknown, or a value is out of range.
    """
    factory = schedule_factory(name)
    known = list(inspect.signature(factory).parameters)
    for option in options:
        if option not in known:
            raise ValueError(
                f"schedule {name!r} has no option {option!r}{nearest(option, known)}; "
                f"options are {', '.join(known)}"
            )
    try:
        found = factory(**options)
    except ValueError as error:
        raise ValueError(f"schedule {name!r}: {error}") from error
    except Exception as error:  # of a user's own schedule
        raise ValueError(f"schedule {name!r} cannot be made: {error!r}") from error
    _check_made(name, found)
    return found


def _check_made(name: str, schedule: object) -> None:
    """Raises ValueError unless a schedule gives a learning rate; a user's own may be anything."""
    if not callable(schedule):
        raise ValueError(f"schedule {name!r} must return a function of progress and cycle, got {schedule!r}")
    try:
        lr = float(schedule(0.5, 1))
    except Exception as error:
        raise ValueError(f"schedule {name!r} fails at progress 0.5 of cycle 1: {error!r}") from error
    if not 0 <= lr < inf:
        raise ValueError(f"schedule {name!r} must give a finite learning rate of at least 0, got {lr}")


def schedule_factory(name: str) -> Callable[..., Schedule]:
    """Returns the function that makes a named schedule; ValueError with the known names if it is unknown."""
    if name not in SCHEDULES:
        raise ValueError(
            f"unknown schedule {name!r}{nearest(name, SCHEDULES)}; schedules are {', '.join(SCHEDULES)}"
        )
    return SCHEDULES[name]


def _every_cycle(lr: float, shape: Callable[[float], float]) -> Schedule:
    check_positive(lr=lr)
    return ShapedSchedule(partial(same, lr=lr), shape)


def _step_shape(drops: tuple[float, ...], factor: float) -> partial[float]:
    check_drops(drops, factor)
    return partial(steps, drops=drops, factor=factor)


def _rise_and_fall(start: float, end: float, rise: float) -> partial[float]:
    return partial(rise_and_rest, start=start, rise=rise, rest=partial(half_cosine, start=1.0, end=end))
