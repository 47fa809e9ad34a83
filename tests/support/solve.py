"""Exact values of tiny games by looking at every position: the oracle of the search agents."""

from __future__ import annotations

from functools import cache

from bttt.position import Outcome, Position

LOST_OR_DRAWN = {Outcome.FIRST_WINS: -1, Outcome.SECOND_WINS: -1, Outcome.DRAW: 0}
"""What a finished game is worth to the player who would be to move: the other one has just won, if any."""


@cache
def exact_value(position: Position) -> int:
    """Returns the value of `position` for the player to move: 1 won, 0 drawn, -1 lost."""
    if position.outcome:
        return LOST_OR_DRAWN[position.outcome]
    return max(-exact_value(position.play(cell)) for cell in position.legal_cells())


def best_cells(position: Position) -> set[int]:
    """Returns the cells that keep the position's value."""
    value = exact_value(position)
    return {cell for cell in position.legal_cells() if -exact_value(position.play(cell)) == value}
