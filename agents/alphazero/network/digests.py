"""Digests of checkpoints: networks that learned the same have the same digest.

A digest covers the weights, the architecture, and the entries of the record that change how the network plays
or is pruned. It leaves out dates, seconds, the machine and the command. So a network that is trained again,
bit for bit, is the same network.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from agents.alphazero.network.checkpoint import FORMAT, VERSION, read_network_file
from agents.alphazero.weights import FOLDER
from bttt.runs import read_bytes

LENGTH = 16


@dataclass(frozen=True)
class Digests:
    """The digests of a checkpoint.

    Attributes:
        learned: Digest of what was learned.
        file: Digest of the file's bytes, which identified networks in runs of earlier versions.
        stored: The digest that settings of runs store: of what was learned, but of the file for a bundled
            network. A bundled network is never trained again, and its name in stored runs stays the same.
    """

    learned: str
    file: str
    stored: str


def _without_places(pruning: Any) -> Any:
    """Returns how a level was pruned, without the name of the network, which may be a folder."""
    return {name: each for name, each in pruning.items() if name != "agent"} if pruning else None


def digests_of(path: Path) -> Digests:
    """Returns the digests of a checkpoint; ValueError if it is corrupt or of another kind."""
    tensors, header = read_network_file(path, FORMAT, VERSION)
    record = header.get("record", {})
    config = record.get("config", {})
    facts = {
        "architecture": header.get("architecture"),
        "boards": record.get("boards"),
        "seed": record.get("seed"),
        "discount": config.get("search", {}).get("discount"),
        "pruning": _without_places(record.get("pruning")),
    }
    found = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.flatten().view(torch.uint8).numpy().tobytes())  # numpy has no bfloat16
    learned = found.hexdigest()[:LENGTH]
    file = hashlib.sha256(read_bytes(path)).hexdigest()[:LENGTH]
    return Digests(learned, file, file if path.parent == FOLDER else learned)
