"""The weights that can be pruned one by one: two dimensions or more, of every kind of layer that torch has.

Biases and normalisations are not pruned. Embeddings are pruned on request: most tasks read few of their rows
in a step, so that rows look unused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn
from torch.nn.modules.conv import _ConvNd

PRUNED: tuple[type[nn.Module], ...] = (
    *(nn.Linear, nn.Bilinear, _ConvNd),
    *(nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention),
)
"""The layers whose weights are pruned; their subclasses too."""
EMBEDDINGS: tuple[type[nn.Module], ...] = (nn.Embedding, nn.EmbeddingBag)
"""The layers whose weights are pruned on request."""


@dataclass(frozen=True)
class Weights:
    """The weights of a network with two dimensions or more.

    A weight with several names (tied layers) has one entry, under its first name in a layer that is pruned
    without a request.

    Attributes:
        prunable: Name -> shape of each weight that can be pruned, in the order of the modules.
        left_out: Name -> reason, of all others.
        total: Number of entries of all of them.
    """

    prunable: dict[str, tuple[int, ...]]
    left_out: dict[str, str]
    total: int


def find_weights(network: nn.Module, *, embeddings: bool = False) -> Weights:
    """Returns the weights that can be pruned one by one, and why others cannot; traces nothing.

    Args:
        network: Any network; tensors of one dimension (biases, scales) do not count as weights.
        embeddings: Whether the weights of embeddings can be pruned.
    """
    prunable: dict[int, tuple[str, tuple[int, ...]]] = {}
    why: dict[int, tuple[str, str]] = {}
    sizes: dict[int, int] = {}
    every = list(_weights(network))
    for name, parameter, module in every:
        key, reason = id(parameter), _why(name, module)
        sizes[key] = parameter.numel()
        if reason:
            why.setdefault(key, (name, reason))
        else:
            prunable.setdefault(key, (name, tuple(parameter.shape)))
    for name, parameter, module in every if embeddings else ():  # a tied one has the other layer's name
        if isinstance(module, EMBEDDINGS):
            prunable.setdefault(id(parameter), (name, tuple(parameter.shape)))
    return Weights(
        dict(prunable[key] for key in sizes if key in prunable),
        dict(entry for key, entry in why.items() if key not in prunable),
        sum(sizes.values()),
    )


def _weights(network: nn.Module) -> Iterator[tuple[str, nn.Parameter, nn.Module]]:
    """Yields each weight and its module; tied ones under each of their names."""
    for path, module in network.named_modules():
        for key, parameter in module.named_parameters(recurse=False):
            if parameter.dim() > 1:
                yield f"{path}.{key}".removeprefix("."), parameter, module


def _why(name: str, module: nn.Module) -> str:
    """Returns why a weight is not pruned unless it is asked for, or ""."""
    kind = type(module).__name__
    if ".parametrizations." in f".{name}":
        return "a tensor that a parametrization computes the weight from"
    if isinstance(module, EMBEDDINGS):
        return "an embedding, pruned on request (embeddings)"
    if not isinstance(module, PRUNED):
        return f"a parameter of {kind}, which is no layer of torch that is pruned"
    return "" if "weight" in name.rpartition(".")[2] else "a bias"


def layer_modules(network: nn.Module) -> dict[str, nn.Module]:
    """Returns the layers of a network by name: all modules whose weights can be pruned, and embeddings."""
    kinds = (*PRUNED, *EMBEDDINGS)
    return {path: module for path, module in network.named_modules() if isinstance(module, kinds)}


def width(module: nn.Module) -> int:
    """Returns the number of a layer's outputs."""
    names = ("out_channels", "out_features", "hidden_size", "embed_dim", "embedding_dim")
    return int(next(getattr(module, name) for name in names if hasattr(module, name)))
