"""pruning/studies/bilevel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.bilevel.recipes import RECIPES
    from pruning.studies.bilevel.report import conduct

__all__ = [
    "RECIPES",
    "conduct",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("recipes", "report"))
