"""Intervals of scores: over units of evidence, so copies of games and the correlation in pairs do not count.

A score is the mean of points over games, copies included. Its 95% interval is the spread of this ratio over
units (`units.unit_of`), with Student's t. If all units have the same score, there is no spread, and Wilson's
interval with one trial per unit is used. Fewer than three units give no interval.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from math import nan
from typing import TypeVar

import numpy as np

from bttt.runs import ratio_interval
from tournaments.play import GameRecord
from tournaments.standings.units import Unit, unit_of

FEWEST_UNITS = 3
Key = TypeVar("Key", bound=Hashable)


def score_intervals(entries: Iterable[tuple[Key, GameRecord, float]]) -> dict[Key, tuple[float, float]]:
    """Returns the 95% interval of each key's score, in [0, 1]; nan with fewer than `FEWEST_UNITS` units.

    Args:
        entries: A key, a game that counts for it, and the points of this game in [0, 1].
    """
    found: dict[Key, dict[Unit, tuple[float, int]]] = {}
    for key, game, points in entries:
        units = found.setdefault(key, {})
        before, games = units.get(unit_of(game), (0.0, 0))
        units[unit_of(game)] = before + points, games + 1
    return {key: _interval(np.array(list(units.values()))) for key, units in found.items()}


def _interval(units: np.ndarray) -> tuple[float, float]:
    """Returns the interval, given the points and the games of each unit, `[G, 2]`."""
    if len(units) < FEWEST_UNITS:
        return nan, nan
    return ratio_interval(units[:, 0], units[:, 1], len(units))
