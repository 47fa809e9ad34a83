"""pruning/studies/experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.experiment.claims import (
        AS_DENSE,
        LEAST_SEEDS,
        Answer,
        Check,
        Claim,
        Finding,
        Range,
        ahead,
        ahead_at,
        ahead_in,
        all_of,
        as_dense,
        judge,
        larger_gap,
        near,
        not_behind,
        not_behind_in,
        wider_lead,
    )
    from pruning.studies.experiment.config import DEVICE, FALLBACK, VisionConfig, chosen_data
    from pruning.studies.experiment.points import KEPT, Point, by_level
    from pruning.studies.experiment.report import (
        FIGURE_FILE,
        JSON_FILE,
        POINTS_FILE,
        TABLE_FILE,
        TEXT_FILE,
        WIDTH,
        filled,
        machines,
        short,
        told,
    )
    from pruning.studies.experiment.style import COLORS, DASHES, DOTS_AN_INCH, SMALL

__all__ = [
    "AS_DENSE",
    "COLORS",
    "DASHES",
    "DEVICE",
    "DOTS_AN_INCH",
    "FALLBACK",
    "FIGURE_FILE",
    "JSON_FILE",
    "KEPT",
    "LEAST_SEEDS",
    "POINTS_FILE",
    "SMALL",
    "TABLE_FILE",
    "TEXT_FILE",
    "WIDTH",
    "Answer",
    "Check",
    "Claim",
    "Finding",
    "Point",
    "Range",
    "VisionConfig",
    "ahead",
    "ahead_at",
    "ahead_in",
    "all_of",
    "as_dense",
    "by_level",
    "chosen_data",
    "filled",
    "judge",
    "larger_gap",
    "machines",
    "near",
    "not_behind",
    "not_behind_in",
    "short",
    "told",
    "wider_lead",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("config", "style", "points", "claims", "report"))
