"""Tournaments between agents: schedules, stored games, ratings and reports; and measurements of agents.

>>> from contextlib import redirect_stdout
>>> from io import StringIO
>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> from tournaments import TournamentConfig, run_tournament
>>> with TemporaryDirectory() as folder, redirect_stdout(StringIO()) as tables:
...     players = ("random", "minimax:depth=2")
...     config = TournamentConfig(players, ("B2",), "3x3x3", out=Path(folder) / "run", workers=1)
...     code, run = run_tournament(config)  # writes tournament.sqlite and report.html
>>> print(code, "2 of 2 games" in tables.getvalue())
0 True

Subpackages: `play` plays the games and stores them, `standings` rates the players, and `report` writes the
page. `suites` builds sets of solver-labelled positions, and `evaluation` counts value-losing moves in them.
`conversion` plays won positions against perfect play. `generalisation` measures networks on unseen boards.
"""

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
