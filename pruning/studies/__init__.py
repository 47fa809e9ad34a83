"""The experiments and commands of pruning: the only part that knows both the agents and the pruning core.

>>> from pruning.studies import split_method  # as `bttt prune --method` reads it
>>> split_method("rigl:alpha=0.3")
('rigl', 'alpha=0.3')

One folder per study: `alphazero` (`bttt prune`, `bttt levels`), `compression`, `methods`, `bricks` and
`schedules`. `published` is `bttt vision`; its recipes are in `vision` (image classifiers) and `bilevel`,
and share `experiment`. `plugins` resolves users' own pruning methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from pruning.studies.plugins import find_method, method_options, method_settings, split_method

__all__ = [
    "find_method",
    "method_options",
    "method_settings",
    "split_method",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("plugins",))
