"""A network as a graph of calls: its connections, the shapes of its tensors, and the values at any node.

The graph is traced with `torch.fx`. Convolutions, linear layers, normalisations and our attention are single
calls. So are their subclasses, and modules with forward hooks: what those do inside is not followed, see
`trust`.
"""

from __future__ import annotations

import copy
import dataclasses
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import torch
from torch import Tensor, fx, nn

from pruning.channels.attention import Attention
from pruning.channels.trust import altered, require_no_global_hooks, require_usable
from pruning.words import kind_of

LAYERS = (nn.Conv2d, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
OUTPUT = "output"
"""Name of the node for the network's return value."""


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, path: str) -> bool:
        known = isinstance(module, (*LAYERS, *NORMS, Attention)) or bool(altered(module))
        return known or super().is_leaf_module(module, path)


def trace(network: nn.Module) -> fx.GraphModule:
    """Returns the network's calls as a graph over its own modules; ValueError if it cannot be traced."""
    require_usable(network)
    require_no_global_hooks()
    name = type(network).__name__
    if why := altered(network):
        raise ValueError(f"{name} cannot be traced: it is a network {why}; a trace would leave that out")
    try:
        return fx.GraphModule(network, _Tracer().trace(network))
    except Exception as error:  # the network's own code runs on stand-ins for tensors: anything can be raised
        raise ValueError(f"{name} cannot be traced: {first_line(error)}") from error


def tensors_of(outputs: object) -> tuple[Tensor, ...]:
    """Returns the tensors in a network's outputs, in order: of tuples, lists, mappings and dataclasses."""
    if isinstance(outputs, Tensor):
        return (outputs,)
    if dataclasses.is_dataclass(outputs) and not isinstance(outputs, Mapping):
        outputs = vars(outputs)
    if isinstance(outputs, Mapping):
        return tuple(tensor for each in outputs.values() for tensor in tensors_of(each))
    if isinstance(outputs, tuple | list):
        return tuple(tensor for each in outputs for tensor in tensors_of(each))
    return ()


def first_line(error: Exception) -> str:
    """Returns the first line of an error's message, or its class if it has none."""
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


class _Shapes(fx.Interpreter):
    def __init__(self, traced: fx.GraphModule):
        super().__init__(traced)
        self.shapes: dict[fx.Node, torch.Size] = {}

    def run_node(self, node: fx.Node) -> object:
        result = super().run_node(node)
        if isinstance(result, Tensor):
            self.shapes[node] = result.shape
        return result


def with_shapes(network: nn.Module, example: Tensor) -> tuple[fx.GraphModule, dict[fx.Node, torch.Size]]:
    """Returns the graph of a copy of the network, and the shapes of its nodes' tensors.

    Args:
        network: The network; it is not changed, nor are its running statistics.
        example: An input `[B, ...]`, on the network's device.

    Raises:
        ValueError: The network cannot be traced, or the example does not fit it.
    """
    require_usable(network)
    if not isinstance(example, Tensor):
        raise ValueError(f"the example must be one tensor [B, ...], got {kind_of(example)}")
    traced = trace(copy.deepcopy(network)).eval()
    recorder = _Shapes(traced)
    recorder.extra_traceback = False
    try:
        with torch.no_grad():
            recorder.run(example)
    except Exception as error:  # from the network's own code
        raise ValueError(
            f"an example of shape {[*example.shape]} does not fit {type(network).__name__}: "
            f"{first_line(error)}"
        ) from error
    return traced, recorder.shapes


def operation(node: fx.Node, traced: fx.GraphModule) -> str:
    """Returns the name of a node's operation: the module's class, or torch's function or method."""
    if node.op == "call_module":
        return type(module_of(node, traced)).__name__
    if callable(node.target):
        package = getattr(node.target, "__module__", None) or "torch"
        ours = package.split(".")[0] in ("torch", "_operator", "builtins")
        return node.target.__name__ if ours else f"{package}.{node.target.__name__}"
    return node.target


def module_of(node: fx.Node, traced: fx.GraphModule) -> nn.Module:
    """Returns the module that a node calls."""
    return traced.get_submodule(path_of(node))


def path_of(node: fx.Node) -> str:
    """Returns the dotted name of the module or tensor that a node calls or reads."""
    return str(node.target)


def observe(network: nn.Module, taps: Iterable[str], inputs: Tensor) -> dict[str, Tensor]:
    """Returns the outputs of some nodes in one forward pass; for many batches use `observer`."""
    return observer(network, taps)(inputs)


def observer(network: nn.Module, taps: Iterable[str]) -> Callable[[Tensor], dict[str, Tensor]]:
    """Returns a function from inputs `[B, ...]` to the outputs of some nodes, by name.

    The forward pass stops after the last of these nodes. Gradients flow to the returned tensors, so a loss of
    the node "output" has a gradient with respect to them. Each call uses the network's current parameters.

    Args:
        network: The network, in the mode (training or evaluation) in which it should run.
        taps: Names of nodes, for example `Group.taps`; "output" is the network's return value.

    Raises:
        ValueError: The network cannot be traced, or no node has one of the names.
    """
    traced = trace(network)
    nodes = {node.name: node for node in traced.graph.nodes}
    wanted = list(dict.fromkeys(taps))
    for name in wanted:
        if name not in nodes:
            raise ValueError(
                f"no node {name!r}; the nodes of {type(network).__name__} are {', '.join(nodes)}"
            )
    found = {name: _value(nodes[name]) for name in wanted}
    if any(_in_place(node, traced) for node in nodes.values()):
        _protect(traced.graph, [nodes[name] for name in wanted])
    _cut_after(traced.graph, set(wanted), found)
    traced.recompile()
    return traced


def _value(node: fx.Node) -> fx.node.Argument:
    return node.args[0] if node.op == OUTPUT else node


def _in_place(node: fx.Node, traced: fx.GraphModule) -> bool:
    if node.op == "call_module":
        return bool(getattr(module_of(node, traced), "inplace", False))
    name = operation(node, traced)
    assigns = name in ("iadd", "isub", "imul", "itruediv") or name.endswith("_")
    return assigns or bool(node.kwargs.get("inplace"))


def _protect(graph: fx.Graph, nodes: list[fx.Node]) -> None:
    """Makes later nodes work on copies, since in-place operations would change the observed values."""
    for node in nodes:
        if node.op == OUTPUT:
            continue
        with graph.inserting_after(node):
            copied = graph.call_method("clone", (node,))
        node.replace_all_uses_with(copied, delete_user_cb=partial(operator.is_not, copied))


def _cut_after(graph: fx.Graph, wanted: set[str], found: dict[str, fx.node.Argument]) -> None:
    """Removes the nodes after the last wanted node, and makes the graph return `found`."""
    for node in reversed(graph.nodes):
        if node.name in wanted - {OUTPUT}:
            break
        if node.op == OUTPUT and OUTPUT in wanted:
            node.args = (found,)
            return
        if node.op != "placeholder":
            graph.erase_node(node)
    graph.output(found)
