"""Tournaments: schedules, running, the SQLite store, ratings, crosstables and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from tournaments.tournament import TournamentConfig, run

__all__ = [
    "TournamentConfig",
    "run",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("tournament",))
