"""The study `bttt compression`: as a network is pruned, does it lose generalisation before it loses skill?

>>> from pruning.studies.compression import passage
>>> passage([1.0, 0.5, 0.25], [0.10, 0.11, 0.30])  # the fraction kept when the error rate has risen
0.5

Modules: `arms` lists the prunings, `rates` pools their error rates, `question` computes the answers that
`answers` puts into words, `oracle` finds the best learning rates. `table`, `plot` and `report` show the
results; `config` and `command` are `bttt compression`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.compression.question import passage

__all__ = ["passage"]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("question",))
