"""The study `bttt bricks`: which brick placement should training add next?

>>> from pruning.studies.bricks import spearman
>>> spearman([1.0, 2.0, 3.0], [10.0, 20.0, 30.0])
1.0

Modules: `cells` chooses candidates and held-out cells, `data` plays positions. `heads` fits linear heads on a
frozen trunk, `weights` learns the weights. `retraining` measures the ground truth, `ranking` compares both.
`tasks` and `run` do the work; `report` and `plot` show the results; `config` and `command` are `bttt bricks`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.bricks.ranking import regret, spearman

__all__ = ["regret", "spearman"]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("ranking",))
