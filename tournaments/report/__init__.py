"""tournaments/report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from tournaments.report.command import store_path
    from tournaments.report.publishing import publish

__all__ = [
    "publish",
    "store_path",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("publishing", "command"))
