"""Masks: which weights or units are kept, how they are selected, and how pruned weights stay at zero.

>>> import torch
>>> from pruning.masks import Masks, drop_lowest
>>> alive = Masks.ones({"layer": (4,)})
>>> drop_lowest({"layer": torch.tensor([0.3, 0.1, 0.9, 0.2])}, alive, fraction=0.5).masks["layer"]
tensor([ True, False,  True, False])

Modules: `held` has the masks and keeps pruned weights at zero, `select` prunes the lowest scores, `rounding`
keeps multiples of a number, and `allocation` gives each layer its number of weights. `distributed` makes
parallel processes agree, and `files` stores tensors.
"""

from pruning.masks.allocation import ALLOCATIONS, Shapes, layer_counts, whole_numbers
from pruning.masks.distributed import agreed, averaged, of_first
from pruning.masks.files import read_header, read_tensors, write_tensors
from pruning.masks.held import Held, Masks, apply, hold_at_zero, weight_masks
from pruning.masks.select import Scope, Selection, drop_lowest, keep_highest

__all__ = [
    "ALLOCATIONS",
    "Held",
    "Masks",
    "Scope",
    "Selection",
    "Shapes",
    "agreed",
    "apply",
    "averaged",
    "drop_lowest",
    "hold_at_zero",
    "keep_highest",
    "layer_counts",
    "of_first",
    "read_header",
    "read_tensors",
    "weight_masks",
    "whole_numbers",
    "write_tensors",
]
