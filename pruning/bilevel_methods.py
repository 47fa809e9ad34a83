"""Methods of bilevel optimisation, from their formulas: each goes on for ever, a state for each outer step.

`METHODS` names them; their keywords are their options. Two kinds of batches are drawn: of the data of the
upper loss alone, and of the lower loss alone; always as numbers of samples, so that an upper variable of a
sample is that sample's own. `scale` multiplies all outer steps: an upper variable for each of n samples has
gradients of size 1 / n, and steps of the usual size never move it, so that there n is the scale to take.

A difference of estimates at two points takes the same samples in both, over all of x and y.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import torch
from torch import Tensor

from pruning.bilevel import (
    ConjugateGradients,
    Counter,
    FixedPoint,
    Hypergradient,
    Neumann,
    Problem,
    Solver,
    Tree,
    added,
    hypergradient,
    lower_gradient,
)
from pruning.bilevel import itd as unrolled


@dataclass(frozen=True)
class State:
    """Where a method is after an outer step: the upper and the lower variables."""

    x: Tree
    y: Tree


@dataclass(frozen=True)
class Sample:
    """What an estimate of the hypergradient is made of: a batch for the upper loss, some for the lower."""

    upper: Tensor
    lower: tuple[Tensor, ...]


class Batches:
    """Draws numbers of samples, uniformly with replacement; 0 and all at once are the whole, in order.

    Args:
        upper: Samples of the upper loss.
        lower: Samples of the lower loss.
        seed: Of the draws.
    """

    def __init__(self, upper: int, lower: int, seed: int) -> None:
        self._all = {"upper": torch.arange(upper), "lower": torch.arange(lower)}
        self._generator = torch.Generator().manual_seed(seed)

    def upper(self, size: int) -> Tensor:
        """Returns int64 `[size]`, each below the number of upper samples."""
        return self._draw("upper", size)

    def lower(self, size: int) -> Tensor:
        """Returns int64 `[size]`, each below the number of lower samples."""
        return self._draw("lower", size)

    def sample(self, size: int, products: int) -> Sample:
        """Returns batches for an estimate: with one for each product with the Hessian, of stochastic ones."""
        drawn = 1 + products if 0 < size < len(self._all["lower"]) else 1  # all samples are always the same
        return Sample(self.upper(size), tuple(self.lower(size) for _ in range(drawn)))

    def _draw(self, level: str, size: int) -> Tensor:
        whole = self._all[level]
        if not 0 < size < len(whole):
            return whole
        return torch.randint(len(whole), (size,), generator=self._generator)


@dataclass(frozen=True)
class Start:
    """What a method is set to work on.

    Attributes:
        problem: The losses; their batches are numbers of samples.
        x: Upper variables at the start.
        y: Lower variables at the start.
        batches: Where it draws from.
        scale: Factor of all outer steps.
        counter: Counts what it computes.
    """

    problem: Problem
    x: Tree
    y: Tree
    batches: Batches
    scale: float = 1.0
    counter: Counter = field(default_factory=Counter)

    def estimate(self, at: State, sample: Sample, solver: Solver, start: Tree | None = None) -> Hypergradient:
        """Returns the hypergradient at a state, of a sample."""
        return hypergradient(
            self.problem,
            at.x,
            at.y,
            upper_batch=sample.upper,
            lower_batches=sample.lower,
            solver=solver,
            start=start,
            counter=self.counter,
        )

    def slope(self, at: State, batch: Tensor) -> Tree:
        """Returns the lower loss's gradient over y at a state."""
        return lower_gradient(self.problem, at.x, at.y, batch, self.counter)

    def descend(self, at: State, batch: Tensor, lr: float) -> State:
        """Returns the state after a step of y down the lower loss."""
        return State(at.x, added(at.y, self.slope(at, batch), -lr))

    def outer(self, at: State, direction: Tree, lr: float) -> State:
        """Returns the state after a step of x against a direction."""
        return State(added(at.x, direction, -self.scale * lr), at.y)


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
    """MRBO (Yang, Ji, Liang 2021): one loop, with recursive momentum for both levels.

    eta_k = d (m + k)^(-1/3) is the factor of both steps; alpha = c1 eta_k^2 and beta = c2 eta_k^2, at most 1,
    are the weights of the new estimates in the next step. With both at 1 it is plain SGD in one loop.
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
    """MSTSA (Khanduri and others 2021): single samples, momentum for x alone, steps by 1 / sqrt(k)."""
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
    """VRBO (Yang, Ji, Liang 2021): estimates of large batches, carried on by differences of small ones.

    After each outer step the first difference is from where x was, and one follows each inner step of y. In
    an outer step before new large batches no difference of the hypergradient is taken: it would be dropped.

    Args:
        start: What it works on.
        batch: Samples of a large batch; 0 is all.
        small_batch: Samples of a difference.
        every: Outer steps from one large batch to the next (q).
        inner_steps: Steps of y after each step of x.
        outer_lr: Length of the steps of x.
        inner_lr: Length of the steps of y.
        terms: Of the Neumann series.
        eta: Its step.
    """
    _at_least(1, every=every)
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
        for t in range(inner_steps + carried):  # t = 0 is the difference that the step of x makes
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
    """AID with a fixed point: descent on y, and so many steps for v from the last one found."""
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
    """AID with conjugate gradients: the same, with so many of their steps."""
    return _implicit(start, batch, inner_steps, outer_lr, inner_lr, ConjugateGradients(steps))


def itd(
    start: Start, *, batch: int = 0, inner_steps: int = 10, outer_lr: float = 0.1, inner_lr: float = 0.1
) -> Iterator[State]:
    """ITD: back through the steps of descent on y, which go on from where the last ones ended."""
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


def check_method(name: str, **options: Any) -> None:
    """Raises ValueError where there is no such method, or it has no such option."""
    if name not in METHODS:
        raise ValueError(
            f"unknown method {name!r}{_nearest(name, METHODS)}; methods are {', '.join(METHODS)}"
        )
    known = [each for each in inspect.signature(METHODS[name]).parameters if each != "start"]
    for option in options:
        if option not in known:
            raise ValueError(
                f"method {name!r} has no option {option!r}{_nearest(option, known)}; "
                f"its options are {', '.join(known)}"
            )


def optimise(name: str, start: Start, **options: Any) -> Iterator[State]:
    """Yields the states of a method, one after each outer step, without end.

    Args:
        name: One of `METHODS`.
        start: What it works on.
        options: Its options.

    Raises:
        ValueError: An unknown method or option, or one out of range.
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
    """Yields states of one step each of x and y, along recursive estimates.

    Args:
        start: What it works on.
        batch: Samples of each batch.
        outer_lr: Length of the steps of x.
        inner_lr: Length of the steps of y.
        solver: Of the hypergradient.
        rate: Factor of both lengths, by step.
        weights: By the factor of the step before, the weights of new estimates of x and y; 1: no memory.
    """
    here = before = State(start.x, start.y)
    v: Tree = {}
    u: Tree = {}
    alpha = beta = 1.0
    for k in count():
        sample, lower = start.batches.sample(batch, solver.terms), start.batches.lower(batch)
        v = _recursive(lambda at, of=sample: start.estimate(at, of, solver).gradient, here, before, v, alpha)
        u = _recursive(lambda at, of=lower: start.slope(at, of), here, before, u, beta)
        factor = rate(k)
        before = here
        here = start.outer(State(here.x, added(here.y, u, -inner_lr * factor)), v, outer_lr * factor)
        alpha, beta = weights(factor)
        yield here


def _recursive(
    estimate: Callable[[State], Tree], here: State, before: State, last: Tree, weight: float
) -> Tree:
    """Returns the new estimate here + (1 - weight) (last - the new estimate before), of one sample."""
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


def _at_least(least: int, **values: int) -> None:
    for name, value in values.items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")


def _nearest(name: str, known: Any) -> str:
    found = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""
