"""Groups beside those of Torch-Pruning, which finds them in another way (from the graph of gradients)."""

import copy

import pytest
import torch
from shrinking import NAMES, apart, build
from torch import nn

from pruning.channels.groups import cuttable, find_groups
from pruning.channels.removal import shrink

oracle = pytest.importorskip("torch_pruning")

NOT_BY_THE_ORACLE = {("cat", "right"), ("cat", "conv")}
"""It loses count where flattened maps are concatenated, and leaves a layer without channels."""


@pytest.mark.parametrize("name", NAMES)
def test_half_of_each_group_is_cut_alike(name):
    network, inputs = build(name)
    groups = find_groups(network, inputs)
    for group in cuttable(groups):
        if group.size == 1 or (name, group.name) in NOT_BY_THE_ORACLE:
            continue
        mask = torch.arange(group.size) >= group.size // 2
        small, _ = shrink(network, groups, {group.name: mask})
        other = copy.deepcopy(network)
        layer = other.get_submodule(group.name)
        conv = isinstance(layer, nn.Conv2d)
        cut = oracle.prune_conv_out_channels if conv else oracle.prune_linear_out_channels
        graph = oracle.DependencyGraph().build_dependency(other, example_inputs=inputs)
        graph.get_pruning_group(layer, cut, idxs=(~mask).nonzero().flatten().tolist()).prune()
        for (tensor, one), two in zip(small.state_dict().items(), other.state_dict().values(), strict=True):
            assert torch.equal(one, two), (group.name, tensor)
        assert apart(small, other, inputs) == 0
