"""Files of named tensors with a JSON header that says what they are: safetensors, no pickle.

They are written atomically. A file is whole or it is an error of one line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

VERSION = 1


def write_tensors(path: Path, tensors: Mapping[str, Tensor], kind: str, header: Mapping[str, Any]) -> None:
    """Writes tensors, of any type, with a header: a kill leaves the old file or the new, never a part.

    Args:
        path: The file; its folder exists.
        tensors: Name -> tensor, on any device and in any layout; tensors may share memory.
        kind: What the file is, in words; `read_tensors` asks for the same words.
        header: Whatever JSON can hold.
    """
    metadata = {"format": kind, "version": str(VERSION), "header": json.dumps(dict(header))}
    _write_bytes(path, save({name: _plain(tensor) for name, tensor in tensors.items()}, metadata))


def read_tensors(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Returns the tensors (on the CPU, in no certain order) and the header that `write_tensors` wrote.

    Raises:
        ValueError: There is no such file, or it is damaged, of another kind or of another version.
    """
    return _read(path, kind, list)


def read_header(path: Path, kind: str) -> dict[str, Any]:
    """Returns the header alone, which takes no time for large files; raises as `read_tensors`."""
    return _read(path, kind, lambda names: [])[1]


def _read(
    path: Path, kind: str, chosen: Callable[[Iterable[str]], list[str]]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if not path.is_file():
        raise ValueError(f"{path} is not a file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in chosen(file.keys())}
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is damaged or no safetensors file ({reason})") from error
    if metadata.get("format") != kind:
        raise ValueError(f"{path} is not a file of {kind}: its format is {metadata.get('format')!r}")
    if metadata.get("version") != str(VERSION):
        raise ValueError(
            f"{path} has version {metadata.get('version')}, this program reads version {VERSION}"
        )
    return tensors, _header(path, metadata)


def _header(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        header = json.loads(metadata["header"])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is damaged: its header cannot be read") from error
    if not isinstance(header, dict):
        raise ValueError(f"{path} is damaged: its header is no object")
    return header


def _plain(tensor: Tensor) -> Tensor:
    """Returns a copy as files hold it; a copy, because safetensors takes no tensors that share memory."""
    return tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def _write_bytes(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
