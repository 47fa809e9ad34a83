"""The reward at the end of a game; every other step gives 0."""

from __future__ import annotations

WON, LOST = 1.0, -1.0
"""Rewards of a win, and of a loss or an illegal action. A draw gives 0."""


def final_reward(winner: int | None, player: int) -> float:
    """Returns a player's reward in a finished game; `winner` is None for a draw."""
    if winner is None:
        return 0.0
    return WON if winner == player else LOST
