"""Published experiments on bilevel optimisation: hyper-cleaning and one penalty per feature.

>>> from pruning.studies.bilevel import BILEVEL_RECIPES
>>> list(BILEVEL_RECIPES["bilevel/cleaning-mnist"].arms)[:3]
['none', 'one-number', 'oracle']

Modules: `recipes` are the experiments, `problems` their two losses, `baselines` the controls. `run` runs
them, `claims` tests the papers' claims, and `table`, `plot` and `report` show the results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.bilevel.experiment import BilevelRecipe
    from pruning.studies.bilevel.recipes import BILEVEL_RECIPES
    from pruning.studies.bilevel.report import BILEVEL_KIND

__all__ = [
    "BILEVEL_KIND",
    "BILEVEL_RECIPES",
    "BilevelRecipe",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("experiment", "recipes", "report"))
