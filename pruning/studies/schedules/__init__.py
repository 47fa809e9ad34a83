"""The specs of learning-rate schedules, and the command `bttt schedules`, which plots them.

>>> from pruning.studies.schedules import schedule_spec
>>> schedule_spec("step:lr=0.1,drops=0.5+0.75")
('step', {'lr': 0.1, 'drops': (0.5, 0.75)})
"""

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
