"""Methods of bilevel optimisation, from their formulas; each yields a state after every outer step.

`METHODS` lists them; their keywords are their options. The scale of a `Start` multiplies all outer steps. If
each of n samples has its own upper variable, the gradients are of order 1 / n. Use the scale n, since the
usual steps would barely change the variables. A difference of estimates at two points uses the same samples
at both points.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import Any

from pruning.bilevel.problem import itd as unrolled
from pruning.bilevel.solvers import ConjugateGradients, FixedPoint, Neumann, Solver, Tree, added
from pruning.bilevel.start import Sample, Start, State
from pruning.words import nearest

Method = Callable[..., Iterator[State]]


def mrbo(
    start: Start,
    *,
    batch: int = 500,
    outer_lr: float = 0.1,
    inner_lr: float = 0.1,
    terms: int = 3,
    eta: float = 0.1,
    d: float = 1.0,
    m: float = 1.0,
    c1: float = 0.9,
    c2: float = 0.9,
) -> Iterator[State]:
    """MRBO (Yang, Ji, Liang 2021): a single loop with recursive momentum for both levels.

    eta_k = d (m + k)^(-1/3) is the factor of both steps; alpha = c1 eta_k^2 and beta = c2 eta_k^2, at most 1,
    are the weights of the new estimates in the next step. If both are 1, it is plain single-loop SGD.
    """
    return _single_loop(
        start,
        batch=batch,
        outer_lr=outer_lr,
        inner_lr=inner_lr,
        solver=Neumann(terms, eta),
        rate=lambda k: d * (m + k) ** (-1 / 3),
        weights=lambda rate: (min(1.0, c1 * rate**2), min(1.0, c2 * rate**2)),
    )


def mstsa(
    start: Start,
    *,
    batch: int = 1,
    outer_lr: float = 0.1,
    inner_lr: float = 0.1,
    terms: int = 3,
    eta: float = 0.1,
    momentum: float = 0.5,
) -> Iterator[State]:
    """MSTSA (Khanduri and others 2021): single samples, momentum only for x, steps fall by 1 / sqrt(k)."""
    return _single_loop(
        start,
        batch=batch,
        outer_lr=outer_lr,
        inner_lr=inner_lr,
        solver=Neumann(terms, eta),
        rate=lambda k: (k + 1) ** -0.5,
        weights=lambda rate: (momentum, 1.0),
    )


def vrbo(
    start: Start,
    *,
    batch: int = 1000,
    small_batch: int = 32,
    every: int = 3,
    inner_steps: int = 3,
    outer_lr: float = 0.1,
    inner_lr: float = 0.1,
    terms: int = 3,
    eta: float = 0.1,
) -> Iterator[State]:
    """VRBO (Yang, Ji, Liang 2021): estimates from large batches, updated by differences on small batches.

    After each outer step the first difference starts at the previous x; another difference follows each inner
    step of y. In the outer step before new large batches, hypergradient differences are skipped, since they
    would not be used.

    Args:
        start: The problem, the initial state and the batches.
        batch: Size of a large batch; 0 for all samples.
        small_batch: Batch size of a difference.
        every: Number of outer steps from one large batch to the next (q).
        inner_steps: Number of steps of y after each step of x.
        outer_lr: Step size of x.
        inner_lr: Step size of y.
        terms: Number of terms of the Neumann series.
        eta: Step size of the Neumann series.
    """
    solver = Neumann(terms, eta)
    here = State(start.x, start.y)
    v: Tree = {}
    u: Tree = {}
    for k in count():
        if k % every == 0:
            v = start.estimate(here, start.batches.sample(batch, terms), solver).gradient
            u = start.slope(here, start.batches.lower(batch)) if inner_steps else u
        before, here = here, start.outer(here, v, outer_lr)
        carried = (k + 1) % every != 0
        for t in range(inner_steps + carried):  # t = 0: the difference caused by the step of x
            if carried:
                sample = start.batches.sample(small_batch, terms)
                old, new = (start.estimate(at, sample, solver).gradient for at in (before, here))
                v = added(v, added(new, old, -1.0))
            lower = start.batches.lower(small_batch)
            u = added(u, added(start.slope(here, lower), start.slope(before, lower), -1.0)) if u else u
            before = here
            if t < inner_steps:
                here = State(here.x, added(here.y, u, -inner_lr))
        yield here


def stocbio(
    start: Start,
    *,
    batch: int = 500,
    inner_steps: int = 10,
    outer_lr: float = 0.1,
    inner_lr: float = 0.1,
    terms: int = 3,
    eta: float = 0.1,
    outer_decay: float = 0.0,
    inner_decay: float = 0.0,
) -> Iterator[State]:
    """SGD on y, then a stochastic hypergradient (stocBiO: Ji, Yang, Liang 2021); steps fall by k^-decay."""
    here = State(start.x, start.y)
    for k in count(1):
        for _ in range(inner_steps):
            here = start.descend(here, start.batches.lower(batch), inner_lr * k**-inner_decay)
        found = start.estimate(here, start.batches.sample(batch, terms), Neumann(terms, eta))
        here = start.outer(here, found.gradient, outer_lr * k**-outer_decay)
        yield here


def aid_fp(
    start: Start,
    *,
    batch: int = 0,
    inner_steps: int = 10,
    outer_lr: float = 0.1,
    inner_lr: float = 0.1,
    steps: int = 10,
    eta: float = 0.1,
) -> Iterator[State]:
    """AID with a fixed point: descent on y, then `steps` iterations for v from the previous v."""
    return _implicit(start, batch, inner_steps, outer_lr, inner_lr, FixedPoint(steps, eta))


def aid_cg(
    start: Start,
    *,
    batch: int = 0,
    inner_steps: int = 10,
    outer_lr: float = 0.1,
    inner_lr: float = 0.1,
    steps: int = 10,
) -> Iterator[State]:
    """AID with conjugate gradients: descent on y, then `steps` CG iterations for v from the previous v."""
    return _implicit(start, batch, inner_steps, outer_lr, inner_lr, ConjugateGradients(steps))


def itd(
    start: Start, *, batch: int = 0, inner_steps: int = 10, outer_lr: float = 0.1, inner_lr: float = 0.1
) -> Iterator[State]:
    """ITD: differentiates through the descent steps on y, which continue from the previous y."""
    here = State(start.x, start.y)
    while True:
        found, y = unrolled(
            start.problem,
            here.x,
            here.y,
            upper_batch=start.batches.upper(batch),
            lower_batches=[start.batches.lower(batch) for _ in range(inner_steps)],
            lr=inner_lr,
            counter=start.counter,
        )
        here = start.outer(State(here.x, y), found.gradient, outer_lr)
        yield here


METHODS: dict[str, Method] = {
    "mrbo": mrbo,
    "vrbo": vrbo,
    "stocbio": stocbio,
    "aid-fp": aid_fp,
    "aid-cg": aid_cg,
    "itd": itd,
    "bsa": partial(stocbio, batch=1, outer_decay=0.5),
    "ttsa": partial(stocbio, batch=1, inner_steps=1, outer_decay=0.6, inner_decay=0.4),
    "mstsa": mstsa,
}


COUNTS = ("batch", "small_batch", "every", "inner_steps", "terms", "steps")
RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("every", "steps"), (1, math.inf)),
    "momentum": (0, 1),
}
"""Option -> lowest and highest value; any other option must be at least 0."""


def check_method(name: str, **options: Any) -> None:
    """Raises ValueError if the method or an option is unknown, or an option is out of range."""
    if name not in METHODS:
        raise ValueError(f"unknown method {name!r}{nearest(name, METHODS)}; methods are {', '.join(METHODS)}")
    known = [each for each in inspect.signature(METHODS[name]).parameters if each != "start"]
    for option in options:
        if option not in known:
            raise ValueError(
                f"method {name!r} has no option {option!r}{nearest(option, known)}; "
                f"its options are {', '.join(known)}"
            )
    for option, value in options.items():
        low, high = RANGES.get(option, (0, math.inf))
        if option in COUNTS and not isinstance(value, int):
            raise ValueError(f"{option} must be a whole number, got {value!r}")
        if not (low <= value <= high and math.isfinite(value)):
            raise ValueError(f"{option} must be {low:g} to {high:g}, got {value}")


def optimise(name: str, start: Start, **options: Any) -> Iterator[State]:
    """Yields the states of a method, one after each outer step, indefinitely.

    Args:
        name: A name in `METHODS`.
        start: The problem, the initial state and the batches.
        options: Options of the method.

    Raises:
        ValueError: The method or an option is unknown, or an option is out of range.
    """
    check_method(name, **options)
    return METHODS[name](start, **options)


def _single_loop(
    start: Start,
    *,
    batch: int,
    outer_lr: float,
    inner_lr: float,
    solver: Neumann,
    rate: Callable[[int], float],
    weights: Callable[[float], tuple[float, float]],
) -> Iterator[State]:
    """Yields the state after each pair of steps, one of x and one of y, along recursive estimates.

    Args:
        start: The problem, the initial state and the batches.
        batch: Batch size.
        outer_lr: Step size of x.
        inner_lr: Step size of y.
        solver: Solver for the hypergradient.
        rate: Number of the step -> factor of both step sizes.
        weights: Factor of the previous step -> weights of the new estimates for x and y; 1 for no memory.
    """
    here = before = State(start.x, start.y)
    v: Tree = {}
    u: Tree = {}
    alpha = beta = 1.0
    for k in count():
        sample, lower = start.batches.sample(batch, solver.terms), start.batches.lower(batch)
        v = _recursive(partial(_gradient, start, sample, solver), here, before, v, alpha)
        u = _recursive(partial(_slope, start, lower), here, before, u, beta)
        factor = rate(k)
        before = here
        here = start.outer(State(here.x, added(here.y, u, -inner_lr * factor)), v, outer_lr * factor)
        alpha, beta = weights(factor)
        yield here


def _gradient(start: Start, sample: Sample, solver: Solver, at: State) -> Tree:
    return start.estimate(at, sample, solver).gradient


def _slope(start: Start, batch: Any, at: State) -> Tree:
    return start.slope(at, batch)


def _recursive(
    estimate: Callable[[State], Tree], here: State, before: State, last: Tree, weight: float
) -> Tree:
    """Returns estimate(here) + (1 - weight) (last - estimate(before)), both on the same sample."""
    found = estimate(here)
    return found if weight == 1 else added(found, added(last, estimate(before), -1.0), 1 - weight)


def _implicit(
    start: Start, batch: int, inner_steps: int, outer_lr: float, inner_lr: float, solver: Solver
) -> Iterator[State]:
    here = State(start.x, start.y)
    adjoint: Tree | None = None
    while True:
        for _ in range(inner_steps):
            here = start.descend(here, start.batches.lower(batch), inner_lr)
        found = start.estimate(here, start.batches.sample(batch, 0), solver, adjoint)
        adjoint = found.adjoint
        here = start.outer(here, found.gradient, outer_lr)
        yield here
