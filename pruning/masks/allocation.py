"""Allocation: how many weights each layer keeps, so that all together keep an asked share, to the weight.

Uniform gives every layer the same density. ER (Mocanu et al., Nature Communications 2018) and ERK, which sees
the kernel too (Evci et al., "Rigging the Lottery", ICML 2020), make small layers denser:

    ER:  density of a layer ~ (outputs + inputs) / (outputs inputs)
    ERK: density of a layer ~ (sum of the weight's dimensions) / (product of them)

times one factor for all, so that the share is met. Where that would give layers more than they have, those
with the largest quotient are made dense and the factor is found anew for the rest, until it fits. For linear
layers the two are the same. A layer that is to stay dense in any case, as the first often is, is not given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from math import prod

ALLOCATIONS = ("uniform", "er", "erk")
"""The rules by name."""

Shapes = Mapping[str, Sequence[int]]
"""The shape of each layer's weight by name: outputs first, then inputs (of one group), then the kernel."""


def layer_densities(shapes: Shapes, density: float, allocation: str) -> dict[str, float]:
    """Returns the density of each layer, in (0, 1]; weighted by the layers' sizes their mean is `density`.

    Args:
        shapes: The layers that share the weights.
        density: Share of all their weights that is kept, in (0, 1].
        allocation: A name in `ALLOCATIONS`.

    Raises:
        ValueError: There is no such allocation, `density` is out of range, or a shape is not that of a weight
            of outputs and inputs.
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
    """Returns how many weights each layer keeps: in all exactly round(density x all weights).

    The densities' fractions of a weight go to the layers with the largest remainders. No layer goes without:
    one whose share is below one weight gets one, which the layers that keep most give up.

    Args:
        shapes: As in `layer_densities`.
        density: As there.
        allocation: As there.

    Raises:
        ValueError: As there, or there are fewer weights to keep than layers.
    """
    densities = layer_densities(shapes, density, allocation)
    sizes = {name: prod(shape) for name, shape in shapes.items()}
    total = round(density * sum(sizes.values()))
    if total < len(sizes):
        raise ValueError(f"density {density:g} leaves {total} weights to {len(sizes)} layers, each needs one")
    return whole_numbers({name: densities[name] * sizes[name] for name in sizes}, total, sizes, least=1)


def whole_numbers(
    shares: Mapping[str, float], total: int, most: Mapping[str, int], *, least: int = 0
) -> dict[str, int]:
    """Returns whole numbers near the shares that sum to `total`, by the largest remainders.

    Of equal remainders the earlier name's is rounded up. What the bounds take from or add to a share is made
    up for by the other names: one each in turns, those with the largest numbers first to give.

    Args:
        shares: At least 0; their sum is `total`, up to rounding.
        total: The sum.
        most: Upper bound of each number.
        least: Lower bound of all of them.

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
    """Returns what a layer's density is to be proportional to."""
    counted = shape[:2] if allocation == "er" else shape
    return sum(counted) / prod(counted)


def _check(shapes: Shapes, density: float, allocation: str) -> None:
    if allocation not in ALLOCATIONS:
        raise ValueError(f"allocation must be one of {', '.join(ALLOCATIONS)}, got {allocation!r}")
    if not 0 < density <= 1:
        raise ValueError(f"density must be above 0 and at most 1, got {density}")
    for name, shape in shapes.items():
        if len(shape) < 2 or min(shape) < 1:
            raise ValueError(f"{name!r} must have outputs and inputs, its shape is {tuple(shape)}")
