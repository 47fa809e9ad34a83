"""Pruning for any PyTorch network: scores, masks, physical removal, and one loop for all methods.

    >>> import torch
    >>> from pruning import cuttable, find_groups, shrink
    >>> network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> (group,) = cuttable(find_groups(network, torch.zeros(1, 4)))
    >>> smaller, _ = shrink(network, [group], {group.name: torch.arange(8) < 5})
    >>> smaller[0].out_features
    5

Each folder is one subject, and its `__init__` documents it with an example:

    pruning.loop        the pruning loop: a `Task`, a `Plan`, and a file for each cycle
    pruning.methods     one table of all pruning methods (a module, not a folder)
    pruning.criteria    scores of weights and units
    pruning.masks       masks, selection, and pruned weights kept at zero
    pruning.channels    groups of coupled channels, and their removal
    pruning.sparse      masks that change while a network trains
    pruning.schedules   learning rates by cycle
    pruning.measures    cost, intervals over seeds, lottery tickets
    pruning.bilevel     bilevel optimisation
    pruning.models      image classifiers
    pruning.data        image data sets
    pruning.studies     the studies: the only folder that uses the game and its agents
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pruning.channels import carry_optimizer_state, cuttable, find_groups, shrink
    from pruning.criteria import CRITERIA, Criterion, Evidence
    from pruning.loop import Level, Plan, Task, Trained, run
    from pruning.masks import Masks, apply, drop_lowest, hold_at_zero, weight_masks
    from pruning.measures import cost, macs
    from pruning.methods import PRUNING_METHODS, PruningMethod, methods_by_time, methods_table
    from pruning.schedules import SCHEDULES, make_schedule
    from pruning.sparse import SparseTraining, make_topology

__all__ = [
    "CRITERIA", "PRUNING_METHODS", "SCHEDULES", "Criterion", "Evidence", "Level", "Masks", "Plan",
    "PruningMethod", "SparseTraining", "Task", "Trained", "apply", "carry_optimizer_state", "cost",
    "cuttable", "drop_lowest", "find_groups", "hold_at_zero", "macs", "make_schedule", "make_topology",
    "methods_by_time", "methods_table", "run", "shrink", "weight_masks",
]  # fmt: skip
_ROOMS = ("methods", "channels", "criteria", "masks", "measures", "schedules", "sparse", "loop")


def __getattr__(name: str) -> Any:
    """Returns a public name, loading torch only now: `bttt --help` does not need it."""
    if name in __all__:
        for room in _ROOMS:
            found = import_module(f"{__name__}.{room}")
            if name in found.__all__:
                return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
