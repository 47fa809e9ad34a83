"""pruning/channels."""

from pruning.channels.attention import Attention
from pruning.channels.groups import Group, cuttable, find_groups
from pruning.channels.places import Slice
from pruning.channels.removal import ParamMap, carry_optimizer_state, removable, restore, shrink
from pruning.channels.tracing import LAYERS, NORMS, observer

__all__ = [
    "LAYERS",
    "NORMS",
    "Attention",
    "Group",
    "ParamMap",
    "Slice",
    "carry_optimizer_state",
    "cuttable",
    "find_groups",
    "observer",
    "removable",
    "restore",
    "shrink",
]
