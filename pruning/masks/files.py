"""Files of named tensors with a JSON header that describes them: safetensors, no pickle.

Files are written atomically. Reading an incomplete file raises an error with a one-line message.
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

from pruning.reading import json_value

VERSION = 1


def write_tensors(path: Path, tensors: Mapping[str, Tensor], kind: str, header: Mapping[str, Any]) -> None:
    """Writes tensors of any type with a header, atomically: a killed process leaves the old or the new file.

    Args:
        path: The file; its folder must exist.
        tensors: Name -> tensor, on any device and in any layout; tensors may share memory.
        kind: A description of the file's content; `read_tensors` expects the same text.
        header: Any JSON values.

    Raises:
        OSError: The path is a folder, a device or a pipe, or it cannot be written.
    """
    metadata = {"format": kind, "version": str(VERSION), "header": json.dumps(dict(header))}
    _write_bytes(path, save({name: _plain(tensor) for name, tensor in tensors.items()}, metadata))


def read_tensors(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Returns the tensors (on the CPU, in any order) and the header that `write_tensors` wrote.

    Raises:
        ValueError: The file does not exist, is corrupt, or has another kind or version.
    """
    return _read(path, kind, list)


def read_header(path: Path, kind: str) -> dict[str, Any]:
    """Returns only the header, which is fast even for large files; raises the errors of `read_tensors`."""
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
        raise ValueError(
            f"{path} is corrupt or not a safetensors file ({reason}): restore or replace it"
        ) from error
    if metadata.get("format") != kind:
        raise ValueError(f"{path} has the format {metadata.get('format')!r}, expected {kind!r}")
    if metadata.get("version") != str(VERSION):
        raise ValueError(
            f"{path} has version {metadata.get('version')}, this program reads version {VERSION}"
        )
    return tensors, _header(path, metadata)


def _header(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        header = json_value(metadata["header"])
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is corrupt: its header cannot be read ({error})") from error
    if not isinstance(header, dict):
        raise ValueError(f"{path} is corrupt: its header is not a JSON object")
    return header


def _plain(tensor: Tensor) -> Tensor:
    """Returns a contiguous copy on the CPU; safetensors does not accept tensors that share memory."""
    return tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def _write_bytes(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():  # a rename would replace a device itself
        raise OSError(f"{path} is not a regular file: choose another path")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
