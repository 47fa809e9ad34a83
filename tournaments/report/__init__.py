"""tournaments/report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from tournaments.report.publishing import publish

__all__ = [
    "publish",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("publishing",))
