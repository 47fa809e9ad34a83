"""What sparse networks would cost on hardware that skips dropped weights: multiply-adds and training FLOPs.

Counted, not measured: a masked network takes as long as the whole one, see `pruning.measures.costs`.
A FLOP count is twice the multiply-adds (MACs).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from math import prod

import torch
from torch import Tensor, nn

from pruning.channels import LAYERS
from pruning.masks import Masks, Shapes, layer_counts
from pruning.measures import macs

THROUGHOUT = ("static", "set", "snip", "grasp", "synflow")
"""Methods that are as sparse in each step, in both directions, as at the end; scoring is not counted."""
COUNTED = ("dense", *THROUGHOUT, "snfs", "rigl", "gradual")
"""What `training_flops` knows."""


def weight_macs(network: nn.Module, example: Tensor) -> dict[str, int]:
    """Returns how many multiply-adds of one input each entry of a weight has part in, by the weight's name.

    Those of a convolution's weight have one at each position of its result, whatever its groups; those of a
    linear layer one for each vector that it reads: each token, each time it is called. The layers are in the
    order of the network's modules; those that are not called have 0.

    Args:
        network: Stays as it is, statistics too; a copy is run once in evaluation mode.
        example: An input `[B, ...]`, where the network is; its first one is used.
    """
    network = copy.deepcopy(network).eval()
    found: dict[str, int] = {}
    for name, module in network.named_modules():
        if isinstance(module, LAYERS):
            weight = f"{name}.weight".removeprefix(".")
            found[weight] = 0
            module.register_forward_hook(_counter(found, weight))
    with torch.no_grad():
        network(example[:1])
    return found


def sparse_macs(network: nn.Module, example: Tensor, masks: Masks) -> int:
    """Returns the multiply-adds of one input without those of the weights that masks drop.

    The rest is as `macs` counts it: layers without a mask and the products of attention whole.

    Args:
        network: As in `weight_macs`.
        example: As there.
        masks: Of weights of its convolutions and linear layers.

    Raises:
        ValueError: A mask is of no such weight.
    """
    each = weight_macs(network, example)
    if odd := [name for name in masks if name not in each]:
        raise ValueError(f"mask {odd[0]!r} is of no convolution's or linear layer's weight")
    return macs(network, example) - sum(each[name] * int((~mask).sum()) for name, mask in masks.items())


def training_flops(
    method: str, dense: float, sparse: float, *, every: int = 100, begin: float = 0.0, end: float = 0.75
) -> float:
    """Returns the mean FLOPs of a step's forward and backward pass, for one input.

    A backward pass is two forward passes, one for the gradients of the layer's inputs and one for those of
    its weights. The second is dense where a method grows by dense gradients: SNFS always, RigL once in
    `every` + 1 steps (Evci et al.; until `end` it is once in `every`, later never). Gradual pruning costs
    in each step what is left then.

    Args:
        method: A name in `COUNTED`.
        dense: FLOPs of the whole network's forward pass.
        sparse: Those of the pruned network's, at the end of the training.
        every: RigL: steps from one update to the next.
        begin: Gradual pruning: share of the training at which it begins.
        end: Gradual pruning: share at which it ends.

    Raises:
        ValueError: There is no such method, or `begin` and `end` are no shares of a training in order.
    """
    if method not in COUNTED:
        raise ValueError(f"method must be one of {', '.join(COUNTED)}, got {method!r}")
    if method == "dense":
        return 3 * dense
    if method == "snfs":
        return 2 * sparse + dense
    if method == "rigl":
        return (3 * sparse * every + 2 * sparse + dense) / (every + 1)
    if method == "gradual":
        return 3 * (dense - (dense - sparse) * mean_gone_share(begin, end))
    return 3 * sparse


def mean_gone_share(begin: float, end: float) -> float:
    """Returns the mean over a training of which share of what gradual pruning drops has gone.

    The cubic's mean from `begin` to `end` is 3 / 4. The average density of a network that ends with sparsity
    s is 1 - s times this.

    Raises:
        ValueError: Not 0 <= begin <= end <= 1.
    """
    if not 0 <= begin <= end <= 1:
        raise ValueError(f"begin and end must be shares in order, got {begin} and {end}")
    return 0.75 * (end - begin) + (1 - end)


def density_at_macs(shapes: Shapes, macs: Mapping[str, int], allocation: str, target_macs: float) -> float:
    """Returns the density at which an allocation has so many multiply-adds, as near below as it gets.

    One more weight would be too many. So ERK can be compared with uniform at equal FLOPs instead of equal
    parameters.

    Args:
        shapes: Shapes of the weights that are shared out, as for `layer_counts`.
        macs: Multiply-adds of an entry of each, see `weight_macs`.
        allocation: A name in `pruning.masks.allocation.ALLOCATIONS`.
        target_macs: Multiply-adds of the weights that are shared out, without those of other layers.

    Raises:
        ValueError: There is no such allocation, or no number of weights has so many multiply-adds.
    """
    size = sum(prod(shape) for shape in shapes.values())

    def macs_of(kept: int) -> int:
        counts = layer_counts(shapes, kept / size, allocation)
        return sum(count * macs[name] for name, count in counts.items())

    low, high = len(shapes), size + 1  # each layer needs a weight
    least, most = macs_of(low), macs_of(size)
    if not least <= target_macs <= most:
        raise ValueError(f"target_macs must be {least} (a weight a layer) to {most}, got {target_macs}")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if macs_of(middle) <= target_macs else (low, middle)
    return low / size


def _counter(found: dict[str, int], weight: str) -> Callable[..., None]:
    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            found[weight] += output.numel() // module.out_channels
        elif isinstance(module, nn.Linear):
            found[weight] += output.numel() // module.out_features

    return count
