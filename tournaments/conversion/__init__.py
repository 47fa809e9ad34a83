"""Conversion: how often agents win positions that are proven won, against perfect play.

>>> from bttt import Board
>>> from tournaments.conversion import empty_starts
>>> boards = [Board.parse("3x3x3:B2"), Board.parse("4x4x3:A1")]
>>> [(str(start.board), start.winner) for start in empty_starts(boards)]  # seat 0 moves first
[('4x4x3:A1', 0)]

Modules: `won_starts` finds the positions, `table` counts the results, and `command` is `bttt conversion`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from tournaments.conversion.table import Conversion, conversion_rows, conversion_text
    from tournaments.conversion.won_starts import WonStart, conversion_schedule, empty_starts, suite_starts

__all__ = [
    "Conversion",
    "WonStart",
    "conversion_rows",
    "conversion_schedule",
    "conversion_text",
    "empty_starts",
    "suite_starts",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("table", "won_starts"))
