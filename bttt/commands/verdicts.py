"""Verdicts as short text."""

from __future__ import annotations

from bttt.solver import Verdict

LETTERS = {1: "W", 0: "D", -1: "L", None: "?"}
"""Letter of a value for the player who moves: won, drawn, lost, not proven."""


def mark(verdict: Verdict) -> str:
    """Returns a verdict as short text: W9, L12, D or ?; W or L alone if the plies are not proven."""
    plies = str(verdict.plies) if verdict.value and verdict.plies is not None else ""
    return LETTERS[verdict.value] + plies
