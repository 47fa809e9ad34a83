"""Whether a pruned network is a winning ticket: the outcome by Ma et al. (NeurIPS 2021), with its numbers.

Three sparse networks are trained: the ticket from the dense network's initial weights, its mask from other
initial weights, and a random mask. A ticket that matches the dense network is evidence only if

- recipe: the dense network is as good under this recipe as under a recipe tuned for it, since matching a
  badly trained network means nothing;
- nontrivial: a random mask with the same densities by layer does not match the dense network after training
  for as long;
- gap: the ticket is better than its mask with other initial weights, so the initial weights matter.

If all three hold, a ticket that matches the dense network is a "jackpot", and a ticket that comes close is a
"secondary prize". The conditions and names are those of the paper, which gives no numbers for them. The
bounds are ours, and `TicketVerdict.text` prints them.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import ge, gt, lt
from typing import Literal

import numpy as np

from pruning.measures.intervals import Values, differences, lower_bound

Name = Literal["jackpot", "secondary prize", "none", "not testable"]
LEAST_SEEDS = 2
"""Minimum number of seeds: a single seed has no bounds."""


ROUNDED = 12
"""Number of decimals compared: 0.9 is exactly 0.005 below 0.905, whatever their binary digits."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The constants of the conditions; accuracies in [0, 1], so 0.005 is half a percentage point.

    Attributes:
        recipe: How far the dense network may be below the tuned dense network.
        match: How far below the dense network an accuracy still matches it.
        gap: How far the ticket must be above its mask with other initial weights.
        second: How far below the dense network a secondary prize may be.
        confidence: Confidence of the one-sided bounds, in (0, 1).
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
        value: The compared difference of accuracies, or its lower bound; nan for a bound of one seed.
        bound: The constant that it is compared with, also a difference of accuracies.
        passed: Whether the condition holds.
    """

    name: str
    value: float
    bound: float
    passed: bool


@dataclass(frozen=True, slots=True)
class TicketVerdict:
    """The outcome of a lottery-ticket test.

    Attributes:
        name: "jackpot", "secondary prize" or "none"; "not testable" with fewer than `LEAST_SEEDS` seeds.
        checks: All conditions.
        seeds: Number of seeds.
        bounds: The constants of the conditions.
    """

    name: Name
    checks: tuple[TicketCheck, ...]
    seeds: int
    bounds: Bounds

    def text(self) -> str:
        """Returns the outcome and a line for each condition: its number and constant in percentage points."""
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
"""Condition -> the compared difference, and the comparison with its constant."""
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
    """Returns the outcome from test accuracies in [0, 1], `[n]`: one for each seed, in the same order.

    Args:
        dense: Accuracies of the dense networks under the recipe.
        tuned: Accuracies of the dense networks under the recipe tuned for them.
        ticket: Accuracies of the mask with the dense networks' initial weights.
        reinit: Accuracies of the same mask with other initial weights.
        random_mask: Accuracies of random masks with the same number of weights in each layer.
        bounds: The constants; None for the default ones.

    Raises:
        ValueError: An accuracy is out of range, the numbers of seeds differ, or there are no accuracies.
    """
    bounds = Bounds() if bounds is None else bounds
    given = {"dense": dense, "tuned": tuned, "ticket": ticket, "reinit": reinit, "random_mask": random_mask}
    found = {name: _accuracies(name, values) for name, values in given.items()}
    if len(set(map(len, found.values()))) > 1:
        told = ", ".join(f"{name} {len(values)}" for name, values in found.items())
        raise ValueError(f"a verdict needs the same seeds for each kind of network, got {told}")
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
