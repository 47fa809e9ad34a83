"""How channels pass through operations: one rule for each kind of operation.

A rule is only allowed if a zero channel stays zero after the operation. Zeroing a channel then equals
removing it. An operation without a rule makes the channels that it reads and produces fixed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, fx, nn

from pruning.channels.attention import Attention
from pruning.channels.places import Channels, DistrustError, Layout, OpaqueError, Run
from pruning.channels.tracing import LAYERS, NORMS, module_of, operation, path_of
from pruning.channels.trust import departure

_ANGULAR = ("relu", "relu6", "leaky_relu", "prelu", "hardtanh", "hardsigmoid", "hardswish", "clamp")
_SMOOTH = ("elu", "celu", "selu", "gelu", "silu", "mish", "tanh", "softsign", "sigmoid", "softplus")
ACTIVATIONS = frozenset((*_ANGULAR, *_SMOOTH))  # activations with f(0) != 0 are refused below
PASSING = frozenset(("dropout", "dropout2d", "identity", "contiguous", "clone"))
POOLS = frozenset(("max_pool2d", "avg_pool2d", "adaptive_max_pool2d", "adaptive_avg_pool2d"))
REDUCTIONS = frozenset(("mean", "amax", "amin", "sum"))
RESHAPES = frozenset(("flatten", "view", "reshape", "squeeze", "unsqueeze"))
SIZES = frozenset(("size", "dim", "numel", "getattr"))

_MODULES = {name.replace("_", ""): name for name in ACTIVATIONS | PASSING | POOLS | {"flatten", "layer_norm"}}


class Flow:
    """The channels of a traced network, followed node by node in order of execution.

    Attributes:
        channels: The channel sets.
        layouts: Layout of dimension 1 of each node's tensor; for nodes in `tokens`, of the last dimension.
        tokens: Nodes with the channels last: `[B, T, C]`, or with more dimensions between.
        roles: "layer", "norm", "activation", "join" (addition) or "other" for each node.
        direct: Tensors that the network reads directly, not through a layer.
        distrusted: Reasons of fixed channels that lie in a module that may compute something else than its
            class.
    """

    def __init__(self, traced: fx.GraphModule, shapes: dict[fx.Node, torch.Size], example: Tensor):
        self.traced = traced
        self.shapes = shapes
        dtype = example.dtype if example.is_floating_point() else torch.float32  # tokens are whole numbers
        self.zero = torch.zeros((1, 1, 1, 1), dtype=dtype, device=example.device)
        self.channels = Channels()
        self.layouts: dict[fx.Node, Layout] = {}
        self.tokens: set[fx.Node] = set()
        self.roles: dict[fx.Node, str] = {}
        self.direct: set[str] = set()
        self.distrusted: set[str] = set()
        self._calls: dict[str, tuple[Layout, Layout]] = {}
        for node in traced.graph.nodes:
            self._visit(node)

    def module(self, node: fx.Node) -> nn.Module:
        """Returns the module that a node calls."""
        return module_of(node, self.traced)

    def shape(self, node: object) -> torch.Size:
        """Returns the shape of a node's tensor; OpaqueError if it has none."""
        if not isinstance(node, fx.Node) or node not in self.shapes:
            raise OpaqueError
        return self.shapes[node]

    def read(self, node: object, *dims: int, tokens: bool = False) -> Layout:
        """Returns the layout of a node's tensor.

        Args:
            node: The node.
            dims: Allowed numbers of dimensions; none allows all.
            tokens: Whether the channels may be the last dimension.

        Raises:
            OpaqueError: The node has no layout, or its tensor is not allowed.
        """
        if not isinstance(node, fx.Node) or node not in self.layouts:
            raise OpaqueError
        if dims and len(self.shapes[node]) not in dims:
            raise OpaqueError(f"with a {len(self.shapes[node])}-dimensional input")
        if node in self.tokens and not tokens:
            raise OpaqueError("whose input has its channels in the last dimension")
        return self.layouts[node]

    def read_last(self, node: object) -> Layout:
        """Returns the layout of the last dimension; channels in another dimension become fixed."""
        layout, shape = self.read(node, tokens=True), self.shape(node)
        if node in self.tokens or len(shape) == 2:
            return layout
        self.channels.fix([layout], "read along its last dimension")
        last = self.channels.new(shape[-1])
        self.channels.fix([last], self.channels.sets[layout[0].source].fixed)
        return last

    def _visit(self, node: fx.Node) -> None:
        self.roles[node] = "other"
        inputs = [self.layouts[each] for each in node.all_input_nodes if each in self.layouts]
        if node.op == "output":
            return self.channels.fix(inputs, "output of the network")
        if node.op == "get_attr":
            self.direct.add(path_of(node))
        name = operation(node, self.traced)
        if name in SIZES and node not in self.shapes:
            return None
        try:
            self.layouts[node] = self._apply(node, name)
        except OpaqueError as reason:
            why = f"read by {name}, {str(reason) or 'an unsupported operation'}"
            if isinstance(reason, DistrustError):
                self.distrusted |= {why, f"made by {name}"}
            self.channels.fix(inputs, why)
            self._opaque(node, name)
        else:
            linear = node.op == "call_module" and isinstance(self.module(node), nn.Linear)
            if not self.tokens.isdisjoint(node.all_input_nodes) or (linear and len(self.shapes[node]) > 2):
                self.tokens.add(node)

    def _opaque(self, node: fx.Node, name: str) -> None:
        if len(self.shapes.get(node, ())) < 2:
            return
        made = self.channels.new(self.shapes[node][1])
        said = "input of the network" if node.op == "placeholder" else f"made by {name}"
        self.channels.fix([made], said)
        self.layouts[node] = made

    def _apply(self, node: fx.Node, name: str) -> Layout:
        if node not in self.shapes or not node.args:
            raise OpaqueError
        if node.op == "call_module":
            module = self.module(node)
            known = next((kind for kind in (*LAYERS, *NORMS, Attention) if isinstance(module, kind)), None)
            if why := departure(module, known or type(module)):
                raise DistrustError(why)
            if isinstance(module, LAYERS + NORMS):
                return self._parametrised(node, module)
            if isinstance(module, Attention):
                return _attention(self, node, module)
            name = _MODULES.get(name.lower(), "") if type(module).__module__.startswith("torch.nn.") else ""
        rule = _rule(name.rstrip("_"))
        if rule is None:
            raise OpaqueError
        return rule(self, node)

    def _parametrised(self, node: fx.Node, module: nn.Module) -> Layout:
        """Returns the output layout of a layer or normalisation; a repeated call ties its inputs."""
        if isinstance(module, nn.Linear) and len(self.shapes[node]) > 2:
            read = self.read_last(node.args[0])
        else:
            read = self.read(node.args[0], 4 if isinstance(module, nn.Conv2d | nn.BatchNorm2d) else 2)
        self.roles[node] = "norm" if isinstance(module, NORMS) else "layer"
        name = path_of(node)
        if name not in self._calls:
            self._calls[name] = (read, _given(self, name, module, read))
        before, given = self._calls[name]
        try:
            self.channels.tie(before, read)
        except OpaqueError:
            reason = f"made or read by {name}, which is called with different channels"
            self.channels.fix([before, given], reason)
            raise
        return read if isinstance(module, NORMS) else given


def _given(flow: Flow, name: str, module: nn.Module, read: Layout) -> Layout:
    if isinstance(module, nn.Conv2d):
        return _conv(flow, name, module, read)
    if isinstance(module, nn.Linear):
        return _linear(flow, name, module, module.out_features, read)
    return _norm(flow, name, module, read)


def _conv(flow: Flow, name: str, module: nn.Conv2d, read: Layout) -> Layout:
    if module.groups == 1:
        return _linear(flow, name, module, module.out_channels, read)
    if module.groups == module.in_channels == module.out_channels:
        given = flow.channels.fork(read, name if len(read) == 1 else "")
        _note_parameters(flow, name, module, given)
        return given
    flow.channels.fix([read], f"read by {name}, a grouped convolution")
    given = flow.channels.new(module.out_channels, name)
    flow.channels.fix([given], f"made by {name}, a grouped convolution")
    return given


def _linear(flow: Flow, name: str, module: nn.Module, size: int, read: Layout) -> Layout:
    flow.channels.note("consumers", read, f"{name}.weight", 1)
    given = flow.channels.new(size, name)
    _note_parameters(flow, name, module, given)
    return given


def _norm(flow: Flow, name: str, module: nn.Module, read: Layout) -> Layout:
    if not module.affine:
        flow.channels.fix([read], f"read by {name}, which has no weight and bias to set to 0")
        return read
    _note_parameters(flow, name, module, read)
    if module.running_mean is not None:
        for statistic in ("running_mean", "running_var"):
            flow.channels.note("statistics", read, f"{name}.{statistic}", 0)
    return read


def _note_parameters(flow: Flow, name: str, module: nn.Module, given: Layout) -> None:
    for parameter in ("weight", "bias"):
        if getattr(module, parameter) is not None:
            flow.channels.note("producers", given, f"{name}.{parameter}", 0)


def _attention(flow: Flow, node: fx.Node, module: Attention) -> Layout:
    """Returns the layout of the values, after joining the heads of queries, keys and values into units.

    The channels of tokens all belong to one set, and their number is a multiple of the head's channels.
    """
    if len(node.args) != 3:
        raise OpaqueError
    layouts = [flow.read_last(each) for each in node.args]
    flow.channels.bind(layouts, module.head_dim)
    flow.roles[node] = "activation"
    return layouts[2]


def _layer_norm(flow: Flow, node: fx.Node) -> Layout:
    raise OpaqueError("which computes another function over fewer channels")


def _elementwise(flow: Flow, node: fx.Node) -> Layout:
    rest = [*node.args[1:], *node.kwargs.values()]
    own = node.op == "call_module" and sum(each.numel() for each in flow.module(node).parameters()) > 1
    if own or any(isinstance(each, fx.Node) for each in rest):
        raise OpaqueError("with one parameter per channel")
    if _of_zero(flow, node).abs().max() != 0:
        raise OpaqueError("which does not map 0 to 0")
    name = operation(node, flow.traced).lower().rstrip("_")
    flow.roles[node] = "activation" if _MODULES.get(name, name) in ACTIVATIONS else "other"
    return flow.read(node.args[0], tokens=True)


def _of_zero(flow: Flow, node: fx.Node) -> Tensor:
    with torch.no_grad():
        if node.op == "call_module":
            module = flow.module(node)
            own = next((each.dtype for each in module.parameters()), flow.zero.dtype)
            return module(flow.zero.to(own, copy=True))
        call = node.target if callable(node.target) else getattr(torch.Tensor, node.target)
        return call(flow.zero.clone(), *node.args[1:], **node.kwargs)


def _pool(flow: Flow, node: fx.Node) -> Layout:
    return flow.read(node.args[0], 4)


def _reduce(flow: Flow, node: fx.Node) -> Layout:
    dims = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else None)
    dims = dims if isinstance(dims, tuple | list) else (dims,)
    size = len(flow.shape(node.args[0]))
    if not all(isinstance(dim, int) and dim % size >= 2 for dim in dims):
        raise OpaqueError("which reduces more than the positions of a channel")
    return flow.read(node.args[0])


def _add(flow: Flow, node: fx.Node) -> Layout:
    first, second = node.args[0], node.kwargs.get("other", node.args[1] if len(node.args) > 1 else None)
    if isinstance(first, int | float) or isinstance(second, int | float):
        raise OpaqueError("which does not map 0 to 0")
    one, other = flow.read(first, tokens=True), flow.read(second, tokens=True)
    if len(flow.shape(first)) != len(flow.shape(second)):
        raise OpaqueError("whose inputs have different numbers of dimensions")
    if any(each in flow.tokens for each in (first, second)):
        one, other = flow.read_last(first), flow.read_last(second)
    flow.channels.tie(one, other)
    flow.roles[node] = "join"
    return flow.channels.fork(one)


def _scale(flow: Flow, node: fx.Node) -> Layout:
    first, second = node.args if len(node.args) == 2 else (node.args[0], None)
    if isinstance(first, int | float) and operation(node, flow.traced) in ("mul", "multiply"):
        first, second = second, first
    if not isinstance(second, int | float):
        raise OpaqueError("with a factor that is not a number")
    return flow.read(first, tokens=True)


def _cat(flow: Flow, node: fx.Node) -> Layout:
    tensors = node.kwargs.get("tensors", node.args[0] if node.args else ())
    dim = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
    along_channels = isinstance(dim, int) and dim % len(flow.shapes[node]) == 1
    if not isinstance(tensors, tuple | list) or not along_channels:
        raise OpaqueError("along a dimension other than the channels")
    return tuple(run for tensor in tensors for run in flow.read(tensor))


def _reshape(flow: Flow, node: fx.Node) -> Layout:
    """Returns the layout if each channel's entries stay contiguous for any number of channels."""
    before, after = flow.shape(node.args[0]), flow.shapes[node]
    layout = flow.read(node.args[0])
    name = operation(node, flow.traced).lower()
    sizes = node.args[1] if len(node.args) == 2 and isinstance(node.args[1], tuple | list) else node.args[1:]
    if name in ("view", "reshape") and (len(sizes) < 2 or (isinstance(sizes[1], int) and sizes[1] != -1)):
        raise OpaqueError("with a fixed size")
    if name == "squeeze" and not sizes and not node.kwargs:
        raise OpaqueError("called without a dimension")
    if name == "squeeze" and before == after:
        raise OpaqueError("which only acts on a dimension of size 1")
    if len(after) == 1 and before[1:].numel() == 1:
        return layout
    shrunk = math.prod(after[2:])
    spans = [run.span * math.prod(before[2:]) for run in layout]
    if len(after) < 2 or before[0] != after[0] or any(span % shrunk for span in spans):
        raise OpaqueError("which mixes channels")
    return tuple(Run(run.source, run.size, span // shrunk) for run, span in zip(layout, spans, strict=True))


def _rule(name: str) -> Callable[[Flow, fx.Node], Layout] | None:
    for names, rule in (
        (ACTIVATIONS | PASSING, _elementwise),
        (POOLS, _pool),
        (REDUCTIONS, _reduce),
        ({"add", "iadd", "sub", "isub"}, _add),
        ({"mul", "imul", "multiply", "div", "truediv", "itruediv"}, _scale),
        ({"cat", "concat", "concatenate"}, _cat),
        (RESHAPES, _reshape),
        ({"layer_norm"}, _layer_norm),
    ):
        if name in names:
            return rule
    return None
