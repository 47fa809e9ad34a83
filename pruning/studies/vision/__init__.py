"""Published experiments on pruning image classifiers; `recipes` has one file per paper.

>>> from pruning.studies.vision import Arm, Training
>>> Arm({"criterion": "magnitude", "fraction": 0.2}).plan["criterion"]
'magnitude'

Modules: `experiment` defines recipes and their variants (`Arm`). `task` trains a classifier as a task of
the pruning loop, `run` runs the jobs, `points` are the measured networks. `comparison` and `claims` test the
papers' claims. `table`, `plot`, `cost` and `report` show the results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.vision.claims import ahead, near, not_behind
    from pruning.studies.vision.experiment import Arm, Base, Published, Recipe
    from pruning.studies.vision.report import VISION_KIND
    from pruning.studies.vision.task import Training, VisionTask

__all__ = [
    "VISION_KIND",
    "Arm",
    "Base",
    "Published",
    "Recipe",
    "Training",
    "VisionTask",
    "ahead",
    "near",
    "not_behind",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("experiment", "task", "claims", "report"))
