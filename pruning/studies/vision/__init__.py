"""pruning/studies/vision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.vision.experiment import Recipe
    from pruning.studies.vision.report import VISION_KIND
    from pruning.studies.vision.task import Training, VisionTask

__all__ = [
    "VISION_KIND",
    "Recipe",
    "Training",
    "VisionTask",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("experiment", "task", "report"))
