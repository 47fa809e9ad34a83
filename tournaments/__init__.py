"""Tournaments: schedules, running, the SQLite store, ratings, crosstables and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from tournaments.config import TournamentConfig
    from tournaments.running import run_tournament

__all__ = [
    "TournamentConfig",
    "run_tournament",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("config", "running"))
