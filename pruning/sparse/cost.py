"""Cost of sparse networks on hardware that skips dropped weights: multiply-adds and training FLOPs.

The cost is counted, not measured: a masked network takes as long as the dense one, see `pruning.measures`. A
FLOP count is twice the number of multiply-adds (MACs).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils.rnn import PackedSequence

from pruning.channels import find_weights, require_usable
from pruning.limits import require_one_of
from pruning.masks import Masks, Shapes, layer_counts
from pruning.measures import macs, run_unfused

THROUGHOUT = ("static", "set", "snip", "grasp", "synflow")
"""Methods whose every step, forward and backward, is as sparse as the last; scoring is not counted."""
COUNTED = ("dense", *THROUGHOUT, "snfs", "rigl", "gradual")
"""The methods that `training_flops` can count."""


def weight_macs(network: nn.Module, example: Tensor) -> dict[str, int]:
    """Returns the multiply-adds of one input for each entry of a weight, by the weight's name.

    An entry of a convolution's weight has one multiply-add at each output position, for any number of groups;
    of a transposed convolution's weight, at each input position. An entry of a linear, bilinear or recurrent
    layer's weight has one for each vector that the layer reads: for each token, at each call. The entries of
    attention's joint input weight have the mean over queries, keys and values, rounded. Those of an embedding
    have 0. Weights are in the order of `pruning.channels.find_weights`; layers that are not called have 0,
    and the calls of tied layers add up.

    Args:
        network: The network; a copy runs once in evaluation mode, so even its statistics do not change.
        example: An input `[B, ...]`, on the network's device; only its first sample is used.

    Raises:
        ValueError: The network cannot be copied, or cannot run on the example.
    """
    require_usable(network)
    network = copy.deepcopy(network).eval()
    found = dict.fromkeys(find_weights(network, embeddings=True).prunable, 0)
    own = dict(network.named_parameters(remove_duplicate=False))
    names = {id(own[name]): name for name in found}

    def count(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        for parameter, vectors in _vectors(module, args, kwargs, output):
            if id(parameter) in names:
                found[names[id(parameter)]] += vectors

    for module in network.modules():
        module.register_forward_hook(count, with_kwargs=True)
    run_unfused(network, example)
    return found


def _vectors(
    module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], output: Any
) -> Iterator[tuple[Tensor | None, int]]:
    """Yields the weights of a layer and how many vectors each has read in a call."""
    if isinstance(module, nn.MultiheadAttention):
        yield from _attention_vectors(module, args, kwargs)
        return
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        given = next(iter((*args, *kwargs.values())))
        data = given.data if isinstance(given, PackedSequence) else given
        for parameter in module.parameters(recurse=False):
            yield parameter, data.numel() // module.input_size
    elif isinstance(module, _ConvTransposeNd):
        yield module.weight, next(iter((*args, *kwargs.values()))).numel() // module.in_channels
    elif isinstance(module, _ConvNd):
        yield module.weight, output.numel() // module.out_channels
    elif isinstance(module, nn.Linear | nn.Bilinear):
        yield module.weight, output.numel() // module.out_features


def _attention_vectors(
    module: nn.MultiheadAttention, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Iterator[tuple[Tensor | None, int]]:
    """Yields the weights of attention, whose output layer is not called as a module."""
    given = dict(zip(("query", "key", "value"), args, strict=False)) | dict(kwargs)
    query, key, value = (
        given[name].numel() // size
        for name, size in (("query", module.embed_dim), ("key", module.kdim), ("value", module.vdim))
    )
    yield module.in_proj_weight, round((query + key + value) / 3)
    yield module.q_proj_weight, query
    yield module.k_proj_weight, key
    yield module.v_proj_weight, value
    yield module.out_proj.weight, query


def sparse_macs(network: nn.Module, example: Tensor, masks: Masks) -> int:
    """Returns the multiply-adds of one input without those of dropped weights.

    Everything else counts as in `macs`: layers without a mask and the products of attention count fully.

    Args:
        network: See `weight_macs`.
        example: See `weight_macs`.
        masks: Masks of weights, by the names of `weight_macs`.

    Raises:
        ValueError: A mask does not belong to such a weight.
    """
    each = weight_macs(network, example)
    if odd := [name for name in masks if name not in each]:
        raise ValueError(f"mask {odd[0]!r} must name a weight of a layer: {', '.join(each)}")
    return macs(network, example) - sum(each[name] * int((~mask).sum()) for name, mask in masks.items())


def stored_bytes(network: nn.Module, masks: Mapping[str, Tensor] | None = None) -> int:
    """Returns the bytes of a network's tensors, without those of dropped weights.

    A masked weight takes one bit for each entry, which says whether it is kept, and the kept entries; but not
    more than all its entries would. Tensors with several names count once.

    Args:
        network: The network.
        masks: Masks of weights; None for a dense network.
    """
    own = {name: tensor for name, tensor in network.state_dict(keep_vars=True).items()}
    held = {id(own[name]): mask for name, mask in (masks or {}).items()}

    def size(tensor: Tensor) -> int:
        whole = tensor.numel() * tensor.element_size()
        if id(tensor) not in held:
            return whole
        kept = int(held[id(tensor)].sum())
        return min(whole, kept * tensor.element_size() + -(-tensor.numel() // 8))

    return sum(size(tensor) for tensor in {id(tensor): tensor for tensor in own.values()}.values())


def training_flops(
    method: str, dense: float, sparse: float, *, every: int = 100, begin: float = 0.0, end: float = 0.75
) -> float:
    """Returns the mean FLOPs of a step's forward and backward pass, for one input.

    A backward pass costs two forward passes: one for the gradients of the layers' inputs and one for the
    gradients of the weights. The second is dense if a method grows by dense gradients. SNFS does so in every
    step. RigL does so in one of `every` + 1 steps by the formula of Evci et al.; in fact it is one of `every`
    until `end`, and none later. A step of gradual pruning costs as much as the weights that it still has.

    Args:
        method: A name in `COUNTED`.
        dense: FLOPs of the dense network's forward pass.
        sparse: FLOPs of the pruned network's forward pass, at the end of the training run.
        every: RigL: steps from one update to the next.
        begin: Gradual pruning: fraction of the training run at which it starts.
        end: Gradual pruning: fraction of the training run at which it ends.

    Raises:
        ValueError: The method is unknown, or not 0 <= begin <= end <= 1.
    """
    require_one_of(COUNTED, method=method)
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
    """Returns the fraction of gradual pruning's drops already made, averaged over the training run.

    The cubic's mean from `begin` to `end` is 3 / 4. A network that ends with sparsity s has the average
    density 1 - s times this fraction.

    Raises:
        ValueError: Not 0 <= begin <= end <= 1.
    """
    if not 0 <= begin <= end <= 1:
        raise ValueError(f"expected 0 <= begin <= end <= 1, got {begin} and {end}")
    return 0.75 * (end - begin) + (1 - end)


def density_at_macs(shapes: Shapes, macs: Mapping[str, int], allocation: str, target_macs: float) -> float:
    """Returns the largest density at which an allocation costs at most a number of multiply-adds.

    One more weight would exceed the number. This allows a comparison of ERK with uniform at equal FLOPs
    instead of equal parameters.

    Args:
        shapes: Shapes of the allocated weights, see `layer_counts`.
        macs: Name -> multiply-adds of an entry of the weight, see `weight_macs`.
        allocation: A name in `pruning.masks.ALLOCATIONS`.
        target_macs: Multiply-adds of the allocated weights, without other layers.

    Raises:
        ValueError: The allocation is unknown, or no number of weights can meet `target_macs`.
    """
    size = sum(prod(shape) for shape in shapes.values())

    def macs_of(kept: int) -> int:
        counts = layer_counts(shapes, kept / size, allocation)
        return sum(count * macs[name] for name, count in counts.items())

    low, high = len(shapes), size + 1  # each layer needs a weight
    least, most = macs_of(low), macs_of(size)
    if not least <= target_macs <= most:
        raise ValueError(f"target_macs must be {least} (one weight per layer) to {most}, got {target_macs}")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if macs_of(middle) <= target_macs else (low, middle)
    return low / size
