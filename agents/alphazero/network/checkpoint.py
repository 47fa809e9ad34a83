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
from torch import Tensor

from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from bttt.runs import write_bytes

FORMAT = "bttt alphazero network"
VERSION = 1


def save_network(path: Path, network: PolicyValueNet, record: Mapping[str, Any]) -> None:
    """Writes a network and its record, atomically: a kill leaves the old file or the new one."""
    header = {"architecture": network.config.to_json(), "record": dict(record)}
    write_tensors(path, network.state_dict(), FORMAT, VERSION, header)


def load_network(path: Path) -> tuple[PolicyValueNet, dict[str, Any]]:
    """Returns the network of a checkpoint, ready for inference, and its record.

    Raises:
        ValueError: There is no such file, it is damaged or of another kind, or its tensors do not fit the
            architecture it names.
    """
    tensors, header = read_tensors(path, FORMAT, VERSION)
    try:
        architecture, record = NetworkConfig.from_json(header["architecture"]), header["record"]
        if not isinstance(record, dict):
            raise ValueError("its record is no object")
        with torch.random.fork_rng(devices=[]):  # the caller's random numbers are not ours to draw
            network = PolicyValueNet(architecture)
        load_tensors(network, tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged: {' '.join(str(error).split())}") from error
    return network.eval(), record


def load_tensors(network: PolicyValueNet, tensors: Mapping[str, Tensor]) -> None:
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
        ValueError: There is no such file, or it is damaged, of another kind or of another version.
    """
    if not path.is_file():
        raise ValueError(f"{path} is not a file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged or no safetensors file ({error})") from error
    if metadata.get("format") != kind:
        raise ValueError(f"{path} is not a {kind}: its format is {metadata.get('format')!r}")
    if metadata.get("version") != str(version):
        raise ValueError(
            f"{path} has version {metadata.get('version')}, this program reads version {version}"
        )
    try:
        header = json.loads(metadata["header"])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is damaged: its header cannot be read") from error
    return tensors, header
