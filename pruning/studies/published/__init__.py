"""The command `bttt vision`: one catalogue of all published experiments, and the table of their verdicts.

>>> from pruning.studies.published import find_recipe
>>> find_recipe("dropnet/a-mnist").data
'mnist'

Modules: `catalogue` lists the recipes, `verdicts` makes the table from stored results, and `command` is the
command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.published.catalogue import RECIPES, conduct_recipe, find_recipe
    from pruning.studies.published.verdicts import verdict_table

__all__ = [
    "RECIPES",
    "conduct_recipe",
    "find_recipe",
    "verdict_table",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("verdicts", "catalogue"))
