"""pruning/studies/schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.schedules.spec import schedule_spec, with_peak

__all__ = [
    "schedule_spec",
    "with_peak",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("spec",))
