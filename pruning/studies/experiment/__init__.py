"""What all published experiments share: recipes, claims, the conductor, the report and its style.

>>> from pruning.studies.experiment import Claim, judge
>>> claim = Claim("accuracy rises", lambda points: ("confirmed", f"{len(points)} points"))
>>> judge([claim], [1, 2])[0].verdict
'confirmed'

Modules: `recipe` is the base of all recipes, `config` has the options of `bttt vision`, `conductor` runs a
recipe in its folder and reports it. `claims` tests claims, `report` and `style` are shared by all reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.experiment.changes import FALLBACK, option_changes
    from pruning.studies.experiment.claims import (
        LEAST_SEEDS,
        Answer,
        Check,
        Claim,
        Finding,
        NotTestableError,
        all_of,
        common_seeds,
        judge,
        standing,
        where_testable,
    )
    from pruning.studies.experiment.conductor import ExperimentKind, conduct
    from pruning.studies.experiment.config import BILEVEL, CLASSIFIER, DEVICE, VisionConfig
    from pruning.studies.experiment.recipe import ExperimentRecipe, Picture
    from pruning.studies.experiment.report import (
        FIGURE_FILE,
        JSON_FILE,
        POINTS_FILE,
        TABLE_FILE,
        TEXT_FILE,
        WIDTH,
        diverged_text,
        short,
    )
    from pruning.studies.experiment.style import (
        BLACK,
        COLORS,
        DASHES,
        DOTS_AN_INCH,
        HUES,
        SMALL,
        fraction_ticks,
        style_plot,
    )

__all__ = [
    "BILEVEL", "BLACK", "CLASSIFIER", "COLORS", "DASHES", "DEVICE", "DOTS_AN_INCH", "FALLBACK",
    "FIGURE_FILE", "HUES", "JSON_FILE", "LEAST_SEEDS", "POINTS_FILE", "SMALL", "TABLE_FILE", "TEXT_FILE",
    "WIDTH", "Answer", "Check", "Claim", "ExperimentKind", "ExperimentRecipe", "Finding",
    "NotTestableError", "Picture", "VisionConfig", "all_of", "common_seeds", "conduct", "diverged_text",
    "fraction_ticks", "judge", "option_changes", "short", "standing", "style_plot", "where_testable",
]  # fmt: skip

if not TYPE_CHECKING:
    __getattr__ = on_first_use(
        __name__, __all__, ("config", "style", "claims", "report", "recipe", "changes", "conductor")
    )
