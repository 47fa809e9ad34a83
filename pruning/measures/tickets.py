"""Whether a pruned network is a winning ticket: the verdict of Ma et al. (NeurIPS 2021) with its numbers.

A sparse network is trained from the dense network's initial weights (the ticket), and beside it the same mask
from other initial weights, and a random mask. To match the dense network proves something only if

- recipe: the dense network is as good under this recipe as under one tuned for it, for a ticket that matches
  a badly trained network has won nothing;
- nontrivial: a random mask of the same density by layer does not match the dense network, trained as long;
- gap: the ticket is better than its mask with other initial weights: the initial weights matter.

With all three, a ticket that matches the dense network is a "jackpot", and one that comes near it a
"secondary prize". Conditions and names are the paper's, where it gives no figures for them: the bounds are
ours, and part of what `TicketVerdict.text` prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import ge, gt, lt
from typing import Literal

import numpy as np

from pruning.measures.intervals import Values, differences, lower_bound

Name = Literal["jackpot", "secondary prize", "none", "not testable"]
LEAST_SEEDS = 2
"""One seed has no bounds."""


ROUNDED = 12
"""Decimals that are compared: 0.9 is no less than 0.005 below 0.905, whatever their binary digits."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The verdict's constants; accuracies in [0, 1], so 0.005 is half a percentage point.

    Attributes:
        recipe: How far the dense network may be below the tuned one.
        match: How far below the dense network still matches it.
        gap: How far the ticket must be above its mask with other initial weights.
        second: How far below the dense network a secondary prize may be.
        confidence: Of the one-sided bounds, in (0, 1).
    """

    recipe: float = 0.005
    match: float = 0.003
    gap: float = 0.005
    second: float = 0.01
    confidence: float = 0.95

    def __post_init__(self) -> None:
        for name in ("recipe", "match", "gap", "second"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence must lie between 0 and 1, got {self.confidence}")


@dataclass(frozen=True, slots=True)
class TicketCheck:
    """One condition.

    Attributes:
        name: "recipe", "nontrivial", "gap", "match" or "second".
        value: What is compared: a difference of accuracies or its lower bound; nan where one seed has none.
        bound: What it is compared with, as a difference of accuracies too.
        passed: Whether the condition holds.
    """

    name: str
    value: float
    bound: float
    passed: bool


@dataclass(frozen=True, slots=True)
class TicketVerdict:
    """What a sparse network is.

    Attributes:
        name: "jackpot", "secondary prize" or "none"; "not testable" with fewer than `LEAST_SEEDS` seeds.
        checks: The conditions, all of them.
        seeds: Seeds that it rests on.
        bounds: The constants.
    """

    name: Name
    checks: tuple[TicketCheck, ...]
    seeds: int
    bounds: Bounds

    def text(self) -> str:
        """Returns the verdict and a line for each condition with its figure and its constant, in points."""
        seeds = f"{self.seeds} seed{'s' * (self.seeds != 1)}"
        head = f"{self.name} ({seeds}, one-sided bounds of {self.bounds.confidence:.0%})"
        return "\n".join([head, *map(_line, self.checks)])


_WHAT = {
    "recipe": ("dense less tuned dense", ">="),
    "nontrivial": ("random mask less dense", "<"),
    "gap": ("ticket less reinitialised, lower bound", ">"),
    "match": ("ticket less dense, lower bound", ">"),
    "second": ("ticket less dense", ">="),
}
"""What each condition compares, and how its figure must stand to its constant."""
_COMPARE = {"<": lt, ">": gt, ">=": ge}


def verdict(
    *,
    dense: Values,
    tuned: Values,
    ticket: Values,
    reinit: Values,
    random_mask: Values,
    bounds: Bounds | None = None,
) -> TicketVerdict:
    """Returns the verdict from test accuracies in [0, 1], one for each seed and in the seeds' order, `[n]`.

    Args:
        dense: Of the dense networks under the recipe.
        tuned: Of the dense networks under the recipe tuned for them.
        ticket: Of the mask with the dense networks' initial weights.
        reinit: Of the same mask with other initial weights.
        random_mask: Of random masks that keep as much of each layer.
        bounds: The constants; the default ones if None.

    Raises:
        ValueError: An accuracy out of range, or not as many of each kind, or none.
    """
    bounds = Bounds() if bounds is None else bounds
    given = {"dense": dense, "tuned": tuned, "ticket": ticket, "reinit": reinit, "random_mask": random_mask}
    found = {name: _accuracies(name, values) for name, values in given.items()}
    if len(set(map(len, found.values()))) > 1:
        told = ", ".join(f"{name} {len(values)}" for name, values in found.items())
        raise ValueError(f"a verdict needs the same seeds of each kind, got {told}")
    checks = _checks(bounds=bounds, **found)
    return TicketVerdict(_name(checks, len(found["dense"])), checks, len(found["dense"]), bounds)


def _accuracies(name: str, values: Values) -> np.ndarray:
    found = np.asarray(values, np.float64)
    if found.ndim != 1 or not found.size:
        raise ValueError(f"{name} must be a list of accuracies, one or more; got shape {found.shape}")
    if not ((found >= 0) & (found <= 1)).all():  # nan is refused too
        wrong = found[~((found >= 0) & (found <= 1))][0]
        raise ValueError(f"{name} must be accuracies in [0, 1], got {wrong}")
    return found


def _checks(
    *,
    dense: np.ndarray,
    tuned: np.ndarray,
    ticket: np.ndarray,
    reinit: np.ndarray,
    random_mask: np.ndarray,
    bounds: Bounds,
) -> tuple[TicketCheck, ...]:
    values = {
        "recipe": dense.mean() - tuned.mean(),
        "nontrivial": random_mask.mean() - dense.mean(),
        "gap": lower_bound(differences(ticket, reinit), bounds.confidence),
        "match": lower_bound(differences(ticket, dense), bounds.confidence),
        "second": ticket.mean() - dense.mean(),
    }
    constants = {
        "recipe": -bounds.recipe,
        "nontrivial": -bounds.match,
        "gap": bounds.gap,
        "match": -bounds.match,
        "second": -bounds.second,
    }
    found = {name: round(float(value), ROUNDED) for name, value in values.items()}
    return tuple(
        TicketCheck(name, value, constants[name], _COMPARE[_WHAT[name][1]](value, constants[name]))
        for name, value in found.items()
    )


def _name(checks: tuple[TicketCheck, ...], seeds: int) -> Name:
    passed = {check.name: check.passed for check in checks}
    if seeds < LEAST_SEEDS:
        return "not testable"
    if not (passed["recipe"] and passed["nontrivial"] and passed["gap"]):
        return "none"
    if passed["match"]:
        return "jackpot"
    return "secondary prize" if passed["second"] else "none"


def _line(check: TicketCheck) -> str:
    what, sign = _WHAT[check.name]
    figures = f"{100 * check.value:+.2f} {sign} {100 * check.bound:+.2f}"
    return f"  {check.name:<11}{what:<40}{figures:<18}{'yes' if check.passed else 'no'}"
