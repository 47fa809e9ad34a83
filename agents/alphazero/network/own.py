"""User-defined networks and encodings, loaded by the name "python:module:name".

A network is a class `Net(planes, rows, cols, **options)`, a torch module whose `forward` takes
`[B, planes, rows, cols]` and returns logits `[B, rows * cols]` and values `[B]` in [-1, 1]. An encoding is a
function in torch operations. It maps the standard planes `[B, 3, rows, cols]` (the mover's stones, the other
stones, the cells without bricks) to the network's input planes `[B, P, rows, cols]`.

A checkpoint stores these names, but loading it never imports them: the caller names them again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch
from torch import Tensor, nn

from agents.alphazero.network.residual import PLANES, PRESETS, NetworkConfig, PolicyValueNet, folded
from bttt.runs import FAILURES, is_plugin, load_plugin, one_line, parse_options

Encode = Callable[[Tensor], Tensor]
HINT = "for example alphazero:FOLDER,architecture=python:module:Class,encoding=python:module:function"


@dataclass(frozen=True)
class OwnConfig:
    """The architecture of a user-defined network, or of a preset with a user-defined encoding.

    Attributes:
        network: "python:module:Class" with options after commas, or the name of a preset.
        encoding_name: "python:module:function", or "" for the standard planes.
        rows: Rows of the board.
        cols: Columns of the board.
    """

    network: str
    encoding_name: str
    rows: int
    cols: int
    encoding: str = field(init=False, default="playable")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> OwnConfig:
        """Returns the configuration written by `to_json`; raises ValueError if entries are wrong."""
        known = {each.name for each in fields(cls) if each.init}
        if set(values) != known:
            raise ValueError(f"architecture must have the entries {', '.join(sorted(known))}")
        if not all(isinstance(values[name], int) for name in ("rows", "cols")):
            raise ValueError("architecture must have whole numbers of rows and cols")
        if not all(isinstance(values[name], str) for name in ("network", "encoding_name")):
            raise ValueError("architecture must have the names of network and encoding as text")
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Returns the configuration as JSON values."""
        return {name: value for name, value in asdict(self).items() if name != "encoding"}

    def fits(self, rows: int, cols: int) -> bool:
        """Returns whether the network can evaluate a board of that size."""
        return (self.rows, self.cols) == (rows, cols)

    def named_again(self, network: str | None, encoding: str | None) -> OwnConfig:
        """Returns the configuration with the caller's plug-ins and the options stored here.

        Raises:
            ValueError: The caller did not name a plug-in that the network needs.
        """
        if is_plugin(self.network) and network is None:
            raise ValueError(f"it holds a network of class {self.network!r}: name the class again, {HINT}")
        if self.encoding_name and encoding is None:
            raise ValueError(f"it needs the encoding {self.encoding_name!r}: name it again, {HINT}")
        named = self.network
        if is_plugin(self.network) and network is not None:
            _, comma, options = self.network.partition(",")
            named = network if "," in network else f"{network}{comma}{options}"
        return OwnConfig(named, encoding if self.encoding_name and encoding else "", self.rows, self.cols)


class OwnNet(nn.Module):
    """A user-defined network or encoding, or both, with the interface of `PolicyValueNet`.

    Args:
        config: The plug-ins' names and the board size.

    Raises:
        ValueError: A plug-in cannot be loaded or instantiated, or its outputs have wrong shapes.
    """

    def __init__(self, config: OwnConfig):
        super().__init__()
        self.config = config
        self._encode = _encoding(config.encoding_name)
        standard = torch.zeros(2, PLANES, config.rows, config.cols)
        try:
            planes = self._encode(standard)
            if planes.ndim != 4 or planes.shape[2:] != standard.shape[2:] or len(planes) != 2:
                raise ValueError(f"it returns planes {tuple(planes.shape)} for {tuple(standard.shape)}")
        except FAILURES as error:
            raise ValueError(f"encoding {config.encoding_name!r} fails: {one_line(error)}") from error
        self.body = _body(config, planes.shape[1])
        _check_outputs(self, config, standard)

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits `[B, rows * cols]` and values `[B]` for the standard planes `[B, 3, rows, cols]`."""
        return self.body(self._encode(planes))


AlphaZeroNetwork = PolicyValueNet | OwnNet
"""A network that AlphaZero can search with: one of this package, or a user-defined network."""


def as_network(module: nn.Module) -> AlphaZeroNetwork:
    """Returns the module if it is a network of AlphaZero; TypeError otherwise."""
    if not isinstance(module, PolicyValueNet | OwnNet):
        raise TypeError(f"expected a network of AlphaZero, got a {type(module).__name__}")
    return module


def for_inference(network: AlphaZeroNetwork) -> nn.Module:
    """Returns a copy of a network without gradients; normalisations of this package's networks are folded."""
    if isinstance(network, PolicyValueNet):
        return folded(network)
    copied = copy.deepcopy(network).eval().requires_grad_(False)
    if isinstance(copied.body, PolicyValueNet):
        copied.body = folded(copied.body)
    return copied


def own_network(preset: str, encoding: str | None, rows: int, cols: int, seed: int) -> OwnNet:
    """Returns an untrained user-defined network, or a preset with a user-defined encoding, from a seed."""
    with torch.random.fork_rng(devices=[]):  # leaves the caller's random state unchanged
        torch.manual_seed(seed)
        return OwnNet(OwnConfig(preset, encoding or "", rows, cols))


def _encoding(name: str) -> Encode:
    return load_plugin(name, "encoding") if name else lambda planes: planes


def _body(config: OwnConfig, planes: int) -> nn.Module:
    if not is_plugin(config.network):
        return _preset(config, planes)
    target, _, text = config.network.partition(",")
    factory = load_plugin(target, "class")
    try:
        made = factory(planes, config.rows, config.cols, **parse_options(text, factory))
    except FAILURES as error:
        raise ValueError(f"network {config.network!r} cannot be made: {one_line(error)}") from error
    if not isinstance(made, nn.Module):
        raise ValueError(f"network {config.network!r} must be a torch module, got a {type(made).__name__}")
    return made


def _preset(config: OwnConfig, planes: int) -> PolicyValueNet:
    preset: NetworkConfig = PRESETS[config.network]
    if not preset.fits(config.rows, config.cols):
        raise ValueError(
            f"preset {config.network!r} is for {preset.rows}x{preset.cols} boards, "
            f"got {config.rows}x{config.cols}"
        )
    return PolicyValueNet(preset, planes)


def _check_outputs(network: OwnNet, config: OwnConfig, standard: Tensor) -> None:
    """Raises ValueError unless a network's outputs have the shapes that the search needs."""
    was_training = network.training
    try:
        with torch.no_grad():
            logits, values = network.eval()(standard)
        found = tuple(logits.shape), tuple(values.shape)
    except FAILURES as error:
        raise ValueError(
            f"network {config.network!r} fails on planes {tuple(standard.shape)}: {one_line(error)}"
        ) from error
    finally:
        network.train(was_training)
    wanted = (len(standard), config.rows * config.cols), (len(standard),)
    if found != wanted:
        raise ValueError(
            f"network {config.network!r} must return logits {wanted[0]} and values {wanted[1]} "
            f"for {len(standard)} positions, got {found[0]} and {found[1]}"
        )
