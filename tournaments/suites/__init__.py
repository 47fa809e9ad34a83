"""Suites of positions in which the exact solver knows the best moves: building the bundled suites again.

>>> from bttt import Board
>>> from tournaments.suites import Mixture, collect
>>> mixture = Mixture(players=("random",), first_ply=2)
>>> records, counts = collect([Board.parse("4x4x3:A1")], 2, mixture)
>>> records.shape, counts["taken"]  # two positions on one board
((1, 2), 2)

Modules: `positions` plays games and labels positions from them; `command` is `bttt suites`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from tournaments.suites.positions import Labelled, Mixture, collect

__all__ = [
    "Labelled",
    "Mixture",
    "collect",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("positions",))
