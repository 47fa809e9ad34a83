"""Checkpoints: a network's tensors in a safetensors file with a JSON header. No pickle.

The header holds the architecture and a *record*: the brick sets and board of the training run, command, seed,
date and measurements. Reading an incomplete file raises an error with a one-line message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from agents.alphazero.network.own import AlphaZeroNetwork, OwnConfig, OwnNet
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from agents.alphazero.weights import checked_record
from bttt.runs import json_value, write_bytes

FORMAT = "bttt alphazero network"
VERSION = 1


def save_network(path: Path, network: AlphaZeroNetwork, record: Mapping[str, Any]) -> None:
    """Writes a network and its record atomically: a killed process leaves the old file or the new file."""
    header = {"architecture": network.config.to_json(), "record": dict(record)}
    write_network_file(path, network.state_dict(), FORMAT, VERSION, header)


def load_network(path: Path) -> tuple[PolicyValueNet, dict[str, Any]]:
    """Returns the network of a checkpoint, ready for inference, and its record.

    Raises:
        ValueError: There is no such file, it is corrupt or of another kind, its tensors do not fit its
            architecture, or it holds a user-defined network.
    """
    network, record = load_checkpoint(path)
    if not isinstance(network, PolicyValueNet):
        raise ValueError(f"{path} holds a user-defined network, but a preset of bttt is needed here")
    return network, record


def load_checkpoint(
    path: Path, *, architecture: str | None = None, encoding: str | None = None
) -> tuple[AlphaZeroNetwork, dict[str, Any]]:
    """Returns the network of a checkpoint, ready for inference, and its record; allows user-defined networks.

    Modules named in the file are never imported: the caller names the plug-ins again.

    Args:
        path: The checkpoint.
        architecture: "python:module:Class" of a user's network; None for networks of this package.
        encoding: "python:module:function" of a user's encoding; None for encodings of this package.

    Raises:
        ValueError: There is no such file, it is corrupt or of another kind, its tensors do not fit its
            architecture, or it needs a plug-in that was not named or cannot be loaded.
    """
    tensors, header = read_network_file(path, FORMAT, VERSION)
    try:
        config, record = _config(header["architecture"]), checked_record(header["record"])
        if isinstance(config, NetworkConfig):
            _check_shapes(config, tensors)  # before memory is spent on a network that the file does not hold
    except (KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is corrupt: {reason}; give another checkpoint") from error
    if isinstance(config, OwnConfig):
        try:
            config = config.named_again(architecture, encoding)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    elif architecture is not None or encoding is not None:
        raise ValueError(f"{path} holds a preset of bttt: leave out architecture and encoding")
    with torch.random.fork_rng(devices=[]):  # leaves the caller's random state unchanged
        network: AlphaZeroNetwork = (
            OwnNet(config) if isinstance(config, OwnConfig) else PolicyValueNet(config)
        )
    try:
        load_tensors(network, tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        problem = f"does not fit {config.network}" if isinstance(config, OwnConfig) else "is corrupt"
        raise ValueError(f"{path} {problem}: {' '.join(str(error).split())}") from error
    network.eval()
    return network, record


def _config(architecture: Any) -> NetworkConfig | OwnConfig:
    if not isinstance(architecture, dict):
        raise ValueError("its architecture is not a JSON object")
    kind = OwnConfig if "network" in architecture else NetworkConfig
    return kind.from_json(architecture)


def _check_shapes(config: NetworkConfig, tensors: Mapping[str, Tensor]) -> None:
    """Raises ValueError if tensors do not fit a network, of which only the shapes are made."""
    if len(config.blocks) > len(tensors):
        raise ValueError(f"its architecture has {len(config.blocks)} blocks, the file {len(tensors)} tensors")
    with torch.device("meta"):
        _compare(PolicyValueNet(config), tensors)


def load_tensors(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copies tensors into a network; raises ValueError for wrong names, shapes, types or numbers."""
    _compare(network, tensors)
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor.float()).all():
            raise ValueError(f"tensor {name!r} has a number that is not finite")
    network.load_state_dict(dict(tensors))


def _compare(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    own = network.state_dict()
    if missing := sorted(set(own) ^ set(tensors)):
        raise ValueError(f"its tensors do not match its architecture: {missing[0]!r} is in only one of them")
    for name, tensor in tensors.items():
        if tensor.shape != own[name].shape:
            found, wanted = tuple(tensor.shape), tuple(own[name].shape)
            raise ValueError(f"tensor {name!r} has shape {found}, its architecture requires {wanted}")
        if not _fits(tensor, own[name].dtype):
            raise ValueError(
                f"tensor {name!r} has {_kind(tensor.dtype)} numbers, "
                f"its architecture requires {_kind(own[name].dtype)} ones"
            )


def _fits(tensor: Tensor, dtype: torch.dtype) -> bool:
    """Returns whether a copy to a type keeps what the numbers mean: it only rounds them."""
    found, wanted = _kind(tensor.dtype), _kind(dtype)
    if (found, wanted) == ("floating-point", "integer"):  # a counter, where all tensors got one type
        return bool((tensor.float() % 1 == 0).all())
    return found == wanted


def _kind(dtype: torch.dtype) -> str:
    """Returns the kind of numbers that tensors of a type hold, whatever their size."""
    if dtype == torch.bool:
        return "boolean"
    if dtype.is_complex:
        return "complex"
    return "floating-point" if dtype.is_floating_point else "integer"


def write_network_file(
    path: Path, tensors: Mapping[str, Tensor], kind: str, version: int, header: Mapping[str, Any]
) -> None:
    """Writes tensors with a header, atomically."""
    metadata = {"format": kind, "version": str(version), "header": json.dumps(header)}
    content = save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)
    write_bytes(path, content)


def read_network_file(path: Path, kind: str, version: int) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Returns the tensors and the header of a file written by `write_network_file`.

    Raises:
        ValueError: There is no such file, it is corrupt, or it has another format or version.
    """
    if not path.is_file():
        raise ValueError(f"{path} is not a file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path} is corrupt or not a safetensors file ({error}): restore or replace it"
        ) from error
    if metadata.get("format") != kind:
        raise ValueError(f"{path} has format {metadata.get('format')!r}, expected {kind!r}")
    if metadata.get("version") != str(version):
        raise ValueError(
            f"{path} has version {metadata.get('version')}, but this program reads version {version}"
        )
    try:
        header = json_value(metadata["header"])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is corrupt: its header cannot be read ({error})") from error
    if not isinstance(header, dict):
        raise ValueError(f"{path} is corrupt: its header is not a JSON object")
    return tensors, header
