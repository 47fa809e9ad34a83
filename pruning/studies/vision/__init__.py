"""pruning/studies/vision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.vision.experiment import Recipe
    from pruning.studies.vision.report import conduct
    from pruning.studies.vision.task import Training, VisionTask

__all__ = [
    "Recipe",
    "Training",
    "VisionTask",
    "conduct",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("experiment", "report", "task"))
