"""The comparison of all pruning methods at one density: the command `bttt methods`.

>>> from pruning.studies.methods import METHODS_COMPARED
>>> snip = METHODS_COMPARED["snip"]
>>> snip.of, snip.starts, snip.paper
('weights', 'initial', 'Lee et al. 2019')

Modules: `arms` lists the methods with their options in the comparison, `config` has the settings. `table`
measures and prints the networks, and `command` is `bttt methods`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.methods.arms import KEPT_FRACTION, METHODS_COMPARED, ComparedMethod

__all__ = [
    "KEPT_FRACTION",
    "METHODS_COMPARED",
    "ComparedMethod",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("arms",))
