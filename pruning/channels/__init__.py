"""Coupled channels of a network, traced from one forward pass, and their physical removal.

>>> import torch
>>> from pruning.channels import cuttable, find_groups, shrink
>>> network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
>>> (group,) = cuttable(find_groups(network, torch.zeros(1, 4)))
>>> smaller, _ = shrink(network, [group], {group.name: torch.arange(8) < 3})
>>> smaller[2].weight.shape
torch.Size([2, 3])

Modules: `tracing` and `operations` follow channels through the network, and `places` says where each channel
lies. `groups` joins the channels that must be pruned together, `removal` shrinks the network, and `attention`
is an attention operation whose heads are units. `trust` says which modules are followed, and `weights` lists
the weights that can be pruned one by one.
"""

from pruning.channels.attention import Attention
from pruning.channels.groups import Group, cuttable, find_groups
from pruning.channels.places import Slice
from pruning.channels.removal import ParamMap, carry_optimizer_state, removable, restore, shrink
from pruning.channels.tracing import LAYERS, NORMS, first_line, observer, tensors_of
from pruning.channels.trust import require_usable
from pruning.channels.weights import Weights, find_weights

__all__ = [
    "LAYERS",
    "NORMS",
    "Attention",
    "Group",
    "ParamMap",
    "Slice",
    "Weights",
    "carry_optimizer_state",
    "cuttable",
    "find_groups",
    "find_weights",
    "first_line",
    "observer",
    "removable",
    "require_usable",
    "restore",
    "shrink",
    "tensors_of",
]
