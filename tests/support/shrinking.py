"""What the tests of groups and removal share: the networks, random masks, and masking done by hand."""

from __future__ import annotations

import copy

import torch
from small_networks import NETWORKS, randomised
from torch import Tensor, nn

from agents.alphazero.network.residual import PRESETS, NetworkConfig, PolicyValueNet
from pruning.channels.groups import Group, cuttable
from pruning.channels.tracing import NORMS

ODD = NetworkConfig(stream=5, blocks=(3, 7), kernel=2, policy=2, value=3, hidden=11, slope=0.1)
DENSE = NetworkConfig(stream=6, blocks=(4,), policy=3, value=5, hidden=9, heads="dense", rows=5, cols=4)
ALPHAZERO = {**PRESETS, "odd": ODD, "dense": DENSE}
NAMES = [*NETWORKS, *ALPHAZERO]


def build(name: str, seed: int = 0, batch: int = 3) -> tuple[nn.Module, Tensor]:
    """Returns a network with random parameters in eval mode, and an input `[batch, ...]`."""
    torch.manual_seed(seed)
    if name in NETWORKS:
        make, shape = NETWORKS[name]
        network = make()
    else:
        network = PolicyValueNet(ALPHAZERO[name])
        shape = (3, ALPHAZERO[name].rows or 7, ALPHAZERO[name].cols or 7)
    return settled(randomised(network, seed), shape), torch.randn(batch, *shape)


def settled(network: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """Lets the statistics see some inputs: values that grow from layer to layer would drown in rounding."""
    norms = [module for module in network.modules() if isinstance(module, NORMS)]
    for momentum in (0.5, 0.5, 0.5, 0.1):
        for norm in norms:
            norm.momentum = momentum
        with torch.no_grad():
            network.train()(torch.randn(16, *shape))
    return network.eval()


def random_masks(groups: tuple[Group, ...], seed: int, kept: float = 0.5) -> dict[str, Tensor]:
    """Masks of all groups that can be cut, each with at least one channel left."""
    generator = torch.Generator().manual_seed(seed)
    masks = {group.name: torch.rand(group.size, generator=generator) < kept for group in cuttable(groups)}
    for mask in masks.values():
        mask[int(torch.randint(len(mask), (), generator=generator))] = True
    return masks


def zero_producers(tensors: dict[str, Tensor], groups: tuple[Group, ...], masks: dict[str, Tensor]) -> None:
    """Sets the masked channels' producers to 0 in tensors by name (a state, or buffers of an optimizer)."""
    for group in groups:
        for entry in group.producers if group.name in masks else ():
            assert entry.dim == 0
            for channel in (~masks[group.name]).nonzero().flatten().tolist():
                first = entry.offset + channel * entry.span
                tensors[entry.tensor].data[first : first + entry.span] = 0


def masked(network: nn.Module, groups: tuple[Group, ...], masks: dict[str, Tensor]) -> nn.Module:
    """A copy of the network with the masked channels' producers at 0."""
    copied = copy.deepcopy(network)
    zero_producers(copied.state_dict(), groups, masks)
    return copied


def outputs(network: nn.Module, inputs: Tensor) -> tuple[Tensor, ...]:
    """What a network returns, without gradients, as a tuple."""
    with torch.no_grad():
        given = network(inputs)
    return given if isinstance(given, tuple) else (given,)


def apart(first: nn.Module, second: nn.Module, inputs: Tensor, of: nn.Module | None = None) -> float:
    """How far all outputs of two networks are apart, as a share of those of `of` (or the first); 2-norms."""
    one, other, whole = (
        torch.cat([each.flatten() for each in outputs(network, inputs)])
        for network in (first, second, of or first)
    )
    return float((one - other).norm() / whole.norm())
