"""Allocation: how many weights each layer keeps, so that the total is exactly the requested fraction.

Uniform gives every layer the same density. ER (Mocanu et al., Nature Communications 2018) and ERK, which
includes the kernel (Evci et al., "Rigging the Lottery", ICML 2020), make small layers denser:

    ER:  density of a layer ~ (outputs + inputs) / (outputs inputs)
    ERK: density of a layer ~ (sum of the weight's dimensions) / (product of them)

times one factor for all layers, chosen so that the total is met. If a layer would get more weights than it
has, the layers with the largest quotient become dense. The factor is then computed again for the other
layers. For linear layers ER and ERK are equal. A layer that must stay dense, often the first one, is left out
of the arguments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from math import prod

from pruning.limits import require_one_of

ALLOCATIONS = ("uniform", "er", "erk")
"""The names of the rules."""

Shapes = Mapping[str, Sequence[int]]
"""Name -> shape of the layer's weight: outputs first, then inputs (of one group), then the kernel."""


def layer_densities(shapes: Shapes, density: float, allocation: str) -> dict[str, float]:
    """Returns the density of each layer, in (0, 1]; their mean, weighted by layer size, is `density`.

    Args:
        shapes: The layers that the weights are allocated to.
        density: Fraction of all their weights that is kept, in (0, 1].
        allocation: A name in `ALLOCATIONS`.

    Raises:
        ValueError: The allocation is unknown, `density` is out of range, or a shape lacks outputs or inputs.
    """
    _check(shapes, density, allocation)
    if allocation == "uniform":
        return dict.fromkeys(shapes, density)
    raw = {name: _quotient(tuple(shape), allocation) for name, shape in shapes.items()}
    sizes = {name: prod(shape) for name, shape in shapes.items()}
    budget = density * sum(sizes.values())
    found: dict[str, float] = {}
    while len(found) < len(raw):
        rest = [name for name in raw if name not in found]
        factor = (budget - sum(sizes[name] for name in found)) / sum(raw[name] * sizes[name] for name in rest)
        largest = max(raw[name] for name in rest)
        if factor * largest > 1:
            found |= {name: 1.0 for name in rest if raw[name] == largest}
        else:
            found |= {name: factor * raw[name] for name in rest}
    return {name: found[name] for name in raw}


def layer_counts(shapes: Shapes, density: float, allocation: str) -> dict[str, int]:
    """Returns how many weights each layer keeps; the total is exactly round(density x all weights).

    Fractions of a weight go to the layers with the largest remainders. Every layer gets at least one weight,
    at the expense of the layers that keep most.

    Args:
        shapes: See `layer_densities`.
        density: See `layer_densities`.
        allocation: See `layer_densities`.

    Raises:
        ValueError: See `layer_densities`; or there are fewer weights to keep than layers.
    """
    densities = layer_densities(shapes, density, allocation)
    sizes = {name: prod(shape) for name, shape in shapes.items()}
    total = round(density * sum(sizes.values()))
    if total < len(sizes):
        raise ValueError(
            f"density {density:g} leaves {total} weights to {len(sizes)} layers, but each layer needs one"
        )
    return whole_numbers({name: densities[name] * sizes[name] for name in sizes}, total, sizes, least=1)


def whole_numbers(
    shares: Mapping[str, float], total: int, most: Mapping[str, int], *, least: int = 0
) -> dict[str, int]:
    """Returns whole numbers near the shares, with sum `total`, by the largest-remainder method.

    Among equal remainders the earlier name is rounded up. If a bound changes a number, the other names make
    up for it, one unit each in turn. Units are taken from the largest numbers first.

    Args:
        shares: Name -> number, at least 0; their sum is `total`, up to rounding.
        total: The sum of the result.
        most: Name -> upper bound.
        least: Lower bound of every number.

    Raises:
        ValueError: The bounds do not allow the sum.
    """
    if not least * len(shares) <= total <= sum(most.values()):
        raise ValueError(f"total must be {least * len(shares)} to {sum(most.values())}, got {total}")
    found = {name: min(most[name], max(least, math.floor(share))) for name, share in shares.items()}
    while (left := total - sum(found.values())) > 0:
        room = [name for name in found if found[name] < most[name]]
        for name in sorted(room, key=lambda name: found[name] - shares[name])[:left]:
            found[name] += 1
    for _ in range(-left):
        found[max(found, key=lambda name: found[name])] -= 1
    return found


def _quotient(shape: tuple[int, ...], allocation: str) -> float:
    """Returns the quotient that a layer's density is proportional to."""
    counted = shape[:2] if allocation == "er" else shape
    return sum(counted) / prod(counted)


def _check(shapes: Shapes, density: float, allocation: str) -> None:
    require_one_of(ALLOCATIONS, allocation=allocation)
    if not 0 < density <= 1:
        raise ValueError(f"density must be above 0 and at most 1, got {density}")
    for name, shape in shapes.items():
        if len(shape) < 2 or min(shape) < 1:
            raise ValueError(f"{name!r} must have outputs and inputs, got the shape {tuple(shape)}")
