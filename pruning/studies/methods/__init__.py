"""pruning/studies/methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.methods.arms import KEPT_FRACTION, METHODS_COMPARED, ComparedMethod

__all__ = [
    "KEPT_FRACTION",
    "METHODS_COMPARED",
    "ComparedMethod",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("arms",))
