"""pruning/masks."""

from pruning.masks.allocation import ALLOCATIONS, Shapes, layer_counts, whole_numbers
from pruning.masks.distributed import agreed, averaged
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
    "read_header",
    "read_tensors",
    "weight_masks",
    "whole_numbers",
    "write_tensors",
]
