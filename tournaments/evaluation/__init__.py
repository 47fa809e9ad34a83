"""How often agents make value-losing moves: decisions on a suite, rates with intervals, tables and figures.

>>> import numpy as np
>>> from bttt.runs import ratio_interval
>>> from tournaments.evaluation import rate_text
>>> losing, decisions = np.array([3, 5, 4]), np.array([10, 10, 10])  # on each of three boards
>>> rate_text(0.4, *ratio_interval(losing, decisions, trials=30))
'40.00 (15.2-64.8)'

Modules: `decisions` queries an agent in each position, and `value_losses` counts value-losing moves.
`table`, `plot` and `figures` show the rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from tournaments.evaluation.decisions import decide_suite
    from tournaments.evaluation.figures import FIGURE_DPI, fill_cell, loss_colors, map_axes, style_axes
    from tournaments.evaluation.table import loss_table, rate_text
    from tournaments.evaluation.value_losses import (
        LossRate,
        loss_rates,
        novelties,
    )

__all__ = [
    "FIGURE_DPI",
    "LossRate",
    "decide_suite",
    "fill_cell",
    "loss_colors",
    "loss_rates",
    "loss_table",
    "map_axes",
    "novelties",
    "rate_text",
    "style_axes",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("decisions", "value_losses", "table", "figures"))
