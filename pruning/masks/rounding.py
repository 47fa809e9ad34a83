"""Rounding: how many units each layer keeps, in multiples of a number that processors are fast at.

A convolution with 29 channels can take twice as long as one with 32: processors multiply blocks of 8, 16 or
32 channels. Only removed units make a network faster, so weights are not rounded.
"""

from __future__ import annotations

from collections.abc import Mapping


def rounded(
    wanted: Mapping[str, int], alive: Mapping[str, int], round_to: int, *, floor: int = 0
) -> dict[str, int]:
    """Returns how many units each layer keeps: a multiple of `round_to`, or all that it has.

    Each layer keeps the multiple at or below the wanted number, or the one above. Layers are tried in the
    order of the largest remainder, the earlier layer first among equal ones, and get the number above if that
    brings the total nearer to the wanted total. Hence the total is met as closely as the multiples allow. If
    nothing would be pruned although it is wanted, the last of these layers gets the number below.

    Args:
        wanted: Name -> number of units to keep without rounding, at most those it has.
        alive: Name -> number of units that the layer has.
        round_to: The number whose multiples are kept, at least 1.
        floor: Minimum number of units that each layer keeps; each keeps at least one multiple anyway.
    """
    numbers = {name: _allowed(alive[name], round_to, floor) for name in wanted}
    kept = {
        name: max((number for number in numbers[name] if number <= count), default=numbers[name][0])
        for name, count in wanted.items()
    }
    above = {name: min(number for number in numbers[name] if number >= wanted[name]) for name in wanted}
    between = [name for name in wanted if kept[name] < above[name]]
    remainder = {name: (wanted[name] - kept[name]) / (above[name] - kept[name]) for name in between}
    missing = sum(wanted.values()) - sum(kept.values())
    below: list[tuple[str, int]] = []
    for name in sorted(between, key=lambda name: -remainder[name]):
        step = above[name] - kept[name]
        if abs(missing - step) < abs(missing):
            below.append((name, kept[name]))
            kept[name], missing = above[name], missing - step
    if below and kept == dict(alive):
        kept |= dict(below[-1:])
    return kept


def _allowed(alive: int, round_to: int, floor: int) -> list[int]:
    """Returns the numbers of units that a layer may keep, ascending."""
    least = max(1, -(-floor // round_to))
    return sorted({*range(least * round_to, alive + 1, round_to), alive})
