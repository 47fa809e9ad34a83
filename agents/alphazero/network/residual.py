"""The residual policy-value network; its configuration gives the width of every layer.

A network that lost channels by pruning is therefore the same class with another configuration.

Shapes: B positions, P input planes, a board of rows x cols cells.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from math import inf, prod
from typing import Any, Literal, TypeVar, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from agents.alphazero.configs import Encoding
from bttt import WORD_BITS
from bttt.runs import nearest

PLANES = 3
"""Input planes: the mover's stones, the other stones, and the cells chosen by `Encoding`."""
LARGEST_WIDTH = 4096
AnyModule = TypeVar("AnyModule", bound=nn.Module)


@dataclass(frozen=True)
class NetworkConfig:
    """The architecture: a stem, residual blocks of two convolutions, a policy head and a value head.

    Attributes:
        stream: Channels of the residual stream.
        blocks: Channels between the two convolutions of each block.
        kernel: Side of the square filters of stem and blocks.
        policy: Channels of the policy head's first convolution.
        value: Channels of the value head's convolution.
        hidden: Units of the value head's hidden layer.
        heads: "conv" has a convolutional policy head and a value head with pooled channels, for any board
            size; "dense" has fully connected layers over the cells of a `rows` x `cols` board.
        rows: Rows of the board with heads="dense"; otherwise 0.
        cols: Columns of the board with heads="dense"; otherwise 0.
        slope: Slope of the activation for negative inputs (0 is ReLU).
        encoding: The plane that shows the bricks.

    Raises:
        ValueError: A value is out of range.
    """

    stream: int = 32
    blocks: tuple[int, ...] = (32, 32, 32)
    kernel: int = 3
    policy: int = 32
    value: int = 32
    hidden: int = 32
    heads: Literal["conv", "dense"] = "conv"
    rows: int = 0
    cols: int = 0
    slope: float = 0.0
    encoding: Encoding = "playable"

    def __post_init__(self) -> None:
        if not isinstance(self.blocks, list | tuple):
            raise ValueError(f"blocks must be a list of widths, got {self.blocks!r}")
        object.__setattr__(self, "blocks", tuple(self.blocks))
        widths = {name: getattr(self, name) for name in ("stream", "kernel", "policy", "value", "hidden")}
        widths |= {f"blocks[{i}]": width for i, width in enumerate(self.blocks)}
        for name, width in widths.items():
            if not isinstance(width, int) or not 1 <= width <= LARGEST_WIDTH:
                raise ValueError(f"{name} must be a whole number from 1 to {LARGEST_WIDTH}, got {width!r}")
        if self.heads not in ("conv", "dense"):
            raise ValueError(f"heads must be conv or dense, got {self.heads!r}")
        if self.encoding not in get_args(Encoding):
            known = get_args(Encoding)
            hint = nearest(str(self.encoding), known)
            raise ValueError(f"encoding must be one of {', '.join(known)}, got {self.encoding!r}{hint}")
        if not (isinstance(self.slope, int | float) and 0 <= self.slope < inf):
            raise ValueError(f"slope must be at least 0 and finite, got {self.slope!r}")
        for name in ("rows", "cols"):
            size = getattr(self, name)
            least = 1 if self.heads == "dense" else 0
            if not isinstance(size, int) or not least <= size <= WORD_BITS:
                raise ValueError(
                    f"{name} must be {least} to {WORD_BITS} with heads={self.heads}, got {size!r}"
                )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """Returns the configuration written by `to_json`; raises ValueError if entries are wrong."""
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            raise ValueError(f"architecture must have the entries {', '.join(sorted(known))}")
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Returns the configuration as JSON values."""
        return asdict(self)

    def fits(self, rows: int, cols: int) -> bool:
        """Returns whether the network can evaluate boards of this size."""
        return self.heads == "conv" or (self.rows, self.cols) == (rows, cols)


PRESETS: dict[str, NetworkConfig] = {
    "small": NetworkConfig(),
    "base": NetworkConfig(stream=64, blocks=(64,) * 6, hidden=64),
    "paper": NetworkConfig(
        stream=75,
        blocks=(75,) * 5,
        kernel=4,
        policy=2,
        value=1,
        hidden=20,
        heads="dense",
        rows=7,
        cols=7,
        slope=0.3,
        encoding="bricks",
    ),
}
"""The architectures by name; "paper" is the network of the Brick Tic-Tac-Toe paper, for 7x7 only."""


class Block(nn.Module):
    """A residual block: twice convolution, normalisation, activation; adds the input before the last step."""

    def __init__(self, stream: int, inner: int, kernel: int):
        super().__init__()
        self.conv1 = _conv(stream, inner, kernel)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = _conv(inner, stream, kernel)
        self.bn2 = nn.BatchNorm2d(stream)

    def forward(self, x: Tensor, activation: nn.Module) -> Tensor:
        """Returns the stream `[B, stream, rows, cols]` after the block."""
        inner = activation(self.bn1(self.conv1(x)))
        return activation(self.bn2(self.conv2(inner)) + x)


class PolicyValueNet(nn.Module):
    """Evaluates positions: a logit for each cell and the expected result for the player to move.

    Blocked and taken cells get logits too; the search ignores them.
    """

    def __init__(self, config: NetworkConfig, planes: int = PLANES):
        super().__init__()
        self.config = config
        self.activation = nn.LeakyReLU(config.slope) if config.slope else nn.ReLU()
        self.stem = _conv(planes, config.stream, config.kernel)
        self.stem_bn = nn.BatchNorm2d(config.stream)
        self.blocks = nn.ModuleList(Block(config.stream, inner, config.kernel) for inner in config.blocks)
        self.policy_conv = _conv(config.stream, config.policy, 1)
        self.policy_bn = nn.BatchNorm2d(config.policy)
        self.value_conv = _conv(config.stream, config.value, 1)
        self.value_bn = nn.BatchNorm2d(config.value)
        if config.heads == "conv":
            self.policy_out: nn.Module = nn.Conv2d(config.policy, 1, 1, bias=False)
            pooled = 2 * config.value
        else:
            cells = config.rows * config.cols
            self.policy_out = nn.Linear(config.policy * cells, cells, bias=False)
            pooled = config.value * cells
        # the paper's network has no biases; with normalisation they make little difference
        biases = config.heads == "conv"
        self.value_hidden = nn.Linear(pooled, config.hidden, bias=biases)
        self.value_out = nn.Linear(config.hidden, 1, bias=biases)

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits `[B, rows * cols]` and values `[B]` in [-1, 1] for `planes` `[B, P, rows, cols]`."""
        stream = self.activation(self.stem_bn(self.stem(planes)))
        for block in self.blocks:
            stream = block(stream, self.activation)
        policy = self.activation(self.policy_bn(self.policy_conv(stream)))
        value = self.activation(self.value_bn(self.value_conv(stream)))
        return self.answer(policy, value)

    def answer(self, policy: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits and values, as `forward` does, from the outputs of the heads' convolutions."""
        if self.config.heads == "conv":
            logits = self.policy_out(policy).flatten(1)
            pooled = torch.cat([value.mean((2, 3)), value.amax((2, 3))], 1)
        else:
            logits = self.policy_out(policy.flatten(1))
            pooled = value.flatten(1)
        return logits, self.judge(pooled)

    def judge(self, pooled: Tensor) -> Tensor:
        """Returns values `[B]` from the pooled channels of the value head."""
        hidden = self.activation(self.value_hidden(pooled))
        return torch.tanh(self.value_out(hidden)).squeeze(1)


class EvenConv(nn.Conv2d):
    """A convolution with an even kernel that keeps the board size by one more zero below and to the right."""

    channels_as_base = True  # pruning may cut its channels as those of a plain convolution

    def forward(self, x: Tensor) -> Tensor:
        """Returns `[B, outputs, rows, cols]`."""
        before, after = (self.kernel_size[0] - 1) // 2, self.kernel_size[0] // 2
        return super().forward(functional.pad(x, (before, after, before, after)))


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Conv2d:
    """Returns a convolution that keeps the board's size."""
    if kernel % 2 == 0:
        return EvenConv(inputs, outputs, kernel, bias=False)
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)


def untrained(config: NetworkConfig, seed: int) -> PolicyValueNet:
    """Returns a network with the initial weights of a training run with this seed."""
    with torch.random.fork_rng(devices=[]):  # leaves the caller's random state unchanged
        torch.manual_seed(seed)
        return PolicyValueNet(config)


def parameters(network: nn.Module, *, statistics: bool = False) -> int:
    """Returns the number of parameters; `statistics` adds the normalisations' running means and variances."""
    count = sum(parameter.numel() for parameter in network.parameters())
    if statistics:
        running = (buffer for name, buffer in network.named_buffers() if "running" in name)
        count += sum(prod(buffer.shape) for buffer in running)
    return count


def channels_last(network: AnyModule) -> AnyModule:
    """Lays out the weights of `network` channels last, which is fastest on CPU and GPU; returns `network`."""
    # torch documents memory_format, but the overloads of its annotations lack it.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def folded(network: PolicyValueNet) -> PolicyValueNet:
    """Returns a copy for inference with each normalisation folded into the convolution before it.

    The copy has no gradients; its results are equal up to rounding.
    """
    copied = copy.deepcopy(network).eval().requires_grad_(False)
    pairs: list[tuple[nn.Module, str, str]] = [
        (copied, "stem", "stem_bn"),
        (copied, "policy_conv", "policy_bn"),
        (copied, "value_conv", "value_bn"),
    ]
    for block in copied.blocks:
        pairs += [(block, "conv1", "bn1"), (block, "conv2", "bn2")]
    for owner, conv, bn in pairs:
        fused = nn.utils.fusion.fuse_conv_bn_eval(getattr(owner, conv), getattr(owner, bn))
        setattr(owner, conv, fused)
        setattr(owner, bn, nn.Identity())
    return copied


def widened(network: PolicyValueNet, multiple: int) -> PolicyValueNet:
    """Returns a copy for inference whose convolutions are padded to multiples of `multiple` channels.

    The added channels are zero, so results are equal up to rounding. Kernels that process blocks of channels
    are much faster this way. Convolutions with at most an eighth of a block keep their width.
    """

    def up(width: int) -> int:
        return width if width <= multiple // 8 else -(-width // multiple) * multiple

    old = network.config
    config = replace(
        old,
        stream=up(old.stream),
        blocks=tuple(map(up, old.blocks)),
        policy=up(old.policy),
        value=up(old.value),
    )
    if config == old:
        return network
    with torch.random.fork_rng(devices=[]):  # leaves the caller's random state unchanged
        wide = PolicyValueNet(config).eval().requires_grad_(False)
    tensors = network.state_dict()
    for name, tensor in wide.state_dict().items():
        tensor.fill_(float(name.endswith("running_var")))
        own = tensors[name]
        if name == "value_hidden.weight" and old.heads == "conv":  # mean and maximum of each channel
            tensor, own = tensor.unflatten(1, (2, -1)), own.unflatten(1, (2, -1))
        tensor[tuple(map(slice, own.shape))] = own
    return wide
