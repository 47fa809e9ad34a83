"""tournaments/generalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from tournaments.generalisation.evaluation import SINGLE, Counts, Part, evaluate, stored
    from tournaments.generalisation.networks import SINGLE_SIZE, StudyNetwork, check_training, study_networks
    from tournaments.generalisation.rates import ALL, Counted, grouped_rates

__all__ = [
    "ALL",
    "SINGLE",
    "SINGLE_SIZE",
    "Counted",
    "Counts",
    "Part",
    "StudyNetwork",
    "check_training",
    "evaluate",
    "grouped_rates",
    "stored",
    "study_networks",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("networks", "evaluation", "rates"))
