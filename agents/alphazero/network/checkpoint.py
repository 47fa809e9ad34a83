"""Checkpoints: a network's tensors in safetensors, with a JSON header that says what they are. No pickle.

The header holds the architecture and a *record*: the brick sets and board of the training, command, seed,
date, and whatever the writer measured. A file is whole or it is an error of one line.
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

from agents.alphazero.network.own import Network, OwnConfig, OwnNet
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from bttt.runs import write_bytes

FORMAT = "bttt alphazero network"
VERSION = 1


def save_network(path: Path, network: Network, record: Mapping[str, Any]) -> None:
    """Writes a network and its record, atomically: a kill leaves the old file or the new one."""
    header = {"architecture": network.config.to_json(), "record": dict(record)}
    write_tensors(path, network.state_dict(), FORMAT, VERSION, header)


def load_network(path: Path) -> tuple[PolicyValueNet, dict[str, Any]]:
    """Returns the network of a checkpoint, ready for inference, and its record.

    Raises:
        ValueError: There is no such file, it is corrupt or of another kind, its tensors do not fit the
            architecture it names, or it holds a network of a user's own.
    """
    network, record = load_checkpoint(path)
    if not isinstance(network, PolicyValueNet):
        raise ValueError(f"{path} holds a network of your own; this needs one of bttt's presets")
    return network, record


def load_checkpoint(
    path: Path, *, architecture: str | None = None, encoding: str | None = None
) -> tuple[Network, dict[str, Any]]:
    """Returns the network of a checkpoint, of a user's own too, ready for inference, and its record.

    No module that the file names is imported: the caller names the plug-ins again.

    Args:
        path: The checkpoint.
        architecture: "python:module:Class" of a user's network; None for networks of this package.
        encoding: "python:module:function" of a user's encoding; None for encodings of this package.

    Raises:
        ValueError: There is no such file, it is corrupt or of another kind, its tensors do not fit its
            architecture, or it needs a plug-in that is not named or cannot be loaded.
    """
    tensors, header = read_tensors(path, FORMAT, VERSION)
    try:
        config, record = _config(header["architecture"]), header["record"]
        if not isinstance(record, dict):
            raise ValueError("its record is no object")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is corrupt: {' '.join(str(error).split())}") from error
    if isinstance(config, OwnConfig):
        try:
            config = config.named_again(architecture, encoding)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    elif architecture is not None or encoding is not None:
        raise ValueError(f"{path} holds a network of bttt's own: it needs no architecture and no encoding")
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers are not ours to draw
        network: Network = OwnNet(config) if isinstance(config, OwnConfig) else PolicyValueNet(config)
    try:
        load_tensors(network, tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        problem = f"does not fit {config.network}" if isinstance(config, OwnConfig) else "is corrupt"
        raise ValueError(f"{path} {problem}: {' '.join(str(error).split())}") from error
    network.eval()
    return network, record


def _config(architecture: Mapping[str, Any]) -> NetworkConfig | OwnConfig:
    kind = OwnConfig if "network" in architecture else NetworkConfig
    return kind.from_json(architecture)


def load_tensors(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copies tensors into a network; ValueError where names, shapes or numbers do not fit."""
    own = network.state_dict()
    if missing := sorted(set(own) ^ set(tensors)):
        raise ValueError(f"its tensors and its architecture differ in {missing[0]!r}")
    for name, tensor in tensors.items():
        if tensor.shape != own[name].shape:
            found, wanted = tuple(tensor.shape), tuple(own[name].shape)
            raise ValueError(f"tensor {name!r} has shape {found}, its architecture wants {wanted}")
        if not torch.isfinite(tensor.float()).all():
            raise ValueError(f"tensor {name!r} holds a number that is not finite")
    network.load_state_dict(dict(tensors))


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], kind: str, version: int, header: Mapping[str, Any]
) -> None:
    """Writes tensors with a header, atomically."""
    metadata = {"format": kind, "version": str(version), "header": json.dumps(header)}
    content = save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)
    write_bytes(path, content)


def read_tensors(path: Path, kind: str, version: int) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Returns the tensors and the header that `write_tensors` wrote.

    Raises:
        ValueError: There is no such file, or it is corrupt, of another kind or of another version.
    """
    if not path.is_file():
        raise ValueError(f"{path} is not a file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is corrupt or no safetensors file ({error})") from error
    if metadata.get("format") != kind:
        raise ValueError(f"{path} is not a {kind}: its format is {metadata.get('format')!r}")
    if metadata.get("version") != str(version):
        raise ValueError(
            f"{path} has version {metadata.get('version')}, this program reads version {version}"
        )
    try:
        header = json.loads(metadata["header"])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is corrupt: its header cannot be read") from error
    return tensors, header
