"""Groups of coupled channels: channels that can only be pruned together, and their place in the parameters.

A unit is an output channel of a convolution, a neuron of a linear layer, or an attention head, which has
several channels. Each unit of a group has a place in several tensors: the rows that make it, the
normalisation after it, the columns that read it. Layers whose outputs are added (a residual stream) form one
group. So do the layers that make the queries, keys and values of heads.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx, nn

from pruning.channels.operations import Flow
from pruning.channels.places import Slice
from pruning.channels.tracing import LAYERS, with_shapes
from pruning.channels.trust import altered, departure
from pruning.channels.weights import layer_modules, width
from pruning.words import kind_of

COMPUTED = "computed from others"
"""The reason why channels of a parametrised tensor are fixed."""


@dataclass(frozen=True)
class Group:
    """A group of coupled channels, which are pruned together. For attention, "channels" means whole heads.

    Attributes:
        name: Name of the first layer that makes the channels.
        size: Number of channels.
        layers: The layers that make the channels, in order of execution.
        producers: Weight rows, biases, and weights and biases of normalisations; zeros there make a channel
            0.
        statistics: Running means and variances.
        consumers: Columns of the weights that read the channels.
        taps: Graph nodes whose outputs are the channels' values after activation (see `observe`).
        fixed: The reason why the channels cannot be pruned, or "".
        tied: The reason why they can be masked but not removed, or ""; only without `coupled`.
        last: The taps whose channels are the last dimension, after the tokens, instead of the second.
        opaque: Whether they are fixed because a module may compute something else than its class.
    """

    name: str
    size: int
    layers: tuple[str, ...]
    producers: tuple[Slice, ...]
    statistics: tuple[Slice, ...]
    consumers: tuple[Slice, ...]
    taps: tuple[str, ...]
    fixed: str = ""
    tied: str = ""
    last: tuple[str, ...] = ()
    opaque: bool = False


def find_groups(network: nn.Module, example: Tensor, *, coupled: bool = True) -> tuple[Group, ...]:
    """Returns all groups of a network in order of execution; every layer is in one, also fixed ones.

    A layer that cannot be followed (see `trust`), or of a kind without a rule, is a fixed group of its own,
    without slices; those that the network does not call itself come last.

    Args:
        network: Any network that `torch.fx` can trace; it is not changed.
        example: An input `[B, ...]`, on the network's device.
        coupled: Whether layers whose outputs are added form one group. If not, each layer's outputs form
            their own group, for masks before the addition; `tied` then explains why it cannot be removed.

    Raises:
        ValueError: The network cannot be traced, or the example does not fit it.
    """
    traced, shapes = with_shapes(network, example)
    flow = Flow(traced, shapes, example)
    _fix_shared(flow, network)
    sets = flow.channels.sets
    made = []
    for members in flow.channels.classes():
        for part in [members] if coupled else flow.channels.parts(members):
            if any(sets[source].layers for source in part):
                made.append(_group(flow, part, _tied(flow, part, members)))
    made += _unfollowed(flow, network, {layer for group in made for layer in group.layers})
    order = {node.target: place for place, node in reversed([*enumerate(traced.graph.nodes)])}
    return tuple(sorted(made, key=lambda group: order.get(group.name, len(order))))


def cuttable(groups: Iterable[Group]) -> tuple[Group, ...]:
    """Returns the groups that can be pruned: all that are not fixed.

    Raises:
        ValueError: There are none, since layers may compute something else than their class; the message has
            the reasons.
    """
    groups = tuple(groups)
    free = tuple(group for group in groups if not group.fixed)
    if not free and any(group.opaque for group in groups):
        raise ValueError(
            f"no channels can be pruned: {'; '.join(f'{each.name}: {each.fixed}' for each in groups)}"
        )
    return free


def _group(flow: Flow, members: list[int], tied: str) -> Group:
    parts = [flow.channels.sets[source] for source in members]

    def gathered(kind: str) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(entry for part in parts for entry in getattr(part, kind)))

    layers = gathered("layers")
    taps = _taps(flow, set(members))
    block = math.lcm(*(part.block for part in parts))

    def slices(kind: str) -> tuple[Slice, ...]:
        return tuple(entry._replace(span=entry.span * block) for entry in gathered(kind))

    fixed = _why([part.fixed for part in parts if part.fixed])
    return Group(
        name=layers[0],
        size=parts[0].size // block,
        layers=layers,
        producers=slices("producers"),
        statistics=slices("statistics"),
        consumers=slices("consumers"),
        taps=tuple(node.name for node in taps),
        fixed=fixed,
        tied=tied,
        last=tuple(node.name for node in taps if node in flow.tokens),
        opaque=fixed in flow.distrusted or fixed.endswith(COMPUTED),
    )


def _unfollowed(flow: Flow, network: nn.Module, followed: set[str]) -> list[Group]:
    """Returns a fixed group for each layer whose channels were not followed."""
    called = {str(node.target) for node in flow.roles if node.op == "call_module"}

    def alone(name: str, layer: nn.Module) -> Group:
        why = opaque = ""
        if around := next((each for each in called if name.startswith(f"{each}.")), ""):
            opaque = altered(network.get_submodule(around))
            why = f"inside {around}, {opaque or 'an operation that is not followed'}"
        elif name not in called:
            why = "not called as a module"
        else:
            opaque = departure(layer, next((kind for kind in LAYERS if isinstance(layer, kind)), type(layer)))
            why = f"made by {name}, {opaque or f'{kind_of(layer)}: its channels are not followed'}"
        return Group(name, width(layer), (name,), (), (), (), (), why, opaque=bool(opaque))

    layers = layer_modules(network).items()
    return [alone(name, layer) for name, layer in layers if name and name not in followed]


def _why(reasons: list[str]) -> str:
    """Returns the first reason given by a reader, which is most informative, or else the first reason."""
    return next((reason for reason in reasons if reason.startswith("read")), (*reasons, "")[0])


def _tied(flow: Flow, part: list[int], members: list[int]) -> str:
    if part == members:
        return ""
    others = [name for source in members if source not in part for name in flow.channels.sets[source].layers]
    return f"shares its channels with {', '.join(others) or 'the input of an addition'}"


def _fix_shared(flow: Flow, network: nn.Module) -> None:
    """Fixes channels whose tensors do not belong to exactly one layer."""
    own = network.state_dict()
    names = Counter(id(parameter) for _, parameter in network.named_parameters(remove_duplicate=False))
    why = {name: "used past its layer" for name in flow.direct}
    for name, parameter in network.named_parameters(remove_duplicate=False):
        if names[id(parameter)] > 1:
            why[name] = "used under two names"
    for channels in flow.channels.sets:
        for tensor, *_ in channels.producers + channels.statistics + channels.consumers:
            reason = why.get(tensor, "" if tensor in own else COMPUTED)
            channels.fixed = channels.fixed or (reason and f"its tensor {tensor} is {reason}")


def _taps(flow: Flow, members: set[int]) -> list[fx.Node]:
    """Returns the nodes with the channels' values after activation, or after the layer without activation."""
    nodes = [node for node in flow.layouts if _is_all_of(flow, node, members) and _readers(flow, node)]
    active = [node for node in nodes if _active(flow, node)]
    activated = {_source(flow, node) for node in active}

    def seen_later(node: fx.Node) -> bool:
        """Returns whether all readers are additions that are followed by an activation."""
        readers = _readers(flow, node)
        return all(flow.roles[each] == "join" and _source(flow, each) in activated for each in readers)

    def made(node: fx.Node) -> bool:
        return flow.roles[node] in ("layer", "norm") and bool(flow.channels.sets[_source(flow, node)].layers)

    return [node for node in active if not seen_later(node)] or [node for node in nodes if made(node)]


def _is_all_of(flow: Flow, node: fx.Node, members: set[int]) -> bool:
    layout = flow.layouts[node]
    return len(layout) == 1 and layout[0].source in members and layout[0].span == 1


def _source(flow: Flow, node: fx.Node) -> int:
    return flow.layouts[node][0].source


def _active(flow: Flow, node: fx.Node) -> bool:
    """Returns whether a node is an activation, or a normalisation directly after one."""
    while flow.roles[node] == "norm":
        node = node.all_input_nodes[0]
    return flow.roles[node] == "activation"


def _readers(flow: Flow, node: fx.Node) -> list[fx.Node]:
    """Returns the nodes that read a node's values, without normalisations and activations."""
    return [user for user in node.users if flow.roles[user] not in ("norm", "activation")]
