"""Digests of values: numbers, texts, tensors, arrays, data sets, networks and files, alike in every process.

Large values are sampled, so a digest takes at most a second: a value of more than `MOST` bytes by evenly
spaced blocks, a long sequence by evenly spaced items. What has no content of its own (functions, devices,
generators, open files) has no digest and is left out.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np


class Hash(Protocol):
    """A digest in progress."""

    def update(self, data: bytes, /) -> None:
        """Adds bytes."""


MOST = 64 * 2**20
"""Bytes up to which a value is read completely."""
BLOCKS, BLOCK = 4096, 4096
"""Number and size in bytes of the blocks of a larger value."""
ITEMS = 1000
"""Items of a sequence that are read at most."""
DEEPEST = 6
SHORT = 80
"""Characters of a text that is its own digest."""


def digest_of(value: Any) -> str | int | float | None:
    """Returns a short description of a value that changes with its content; None if it has none.

    Numbers and short texts describe themselves. Others get their kind and a digest, for example
    "float32 [1200, 1, 8, 8] 5d41402abc4b2a76".
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int) or (isinstance(value, float) and value == value):
        return value
    if isinstance(value, float):
        return "nan"
    if isinstance(value, str) and len(value) <= SHORT:
        return value
    hashed = hashlib.blake2b(digest_size=8)
    try:
        fed = _feed(hashed, value, 0)
    except Exception:  # the value is the user's: one that cannot be read is left out
        return None
    return f"{_kind(value)} {hashed.hexdigest()}" if fed else None


def _kind(value: Any) -> str:
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None:
        return f"{str(dtype).removeprefix('torch.')} {[*shape]}"
    sized = isinstance(value, str | bytes | Sequence | Mapping | Set)
    return f"{type(value).__name__} of {len(value)}" if sized else type(value).__name__


def _feed(hashed: Hash, value: Any, depth: int) -> bool:
    """Adds a value to a digest; returns whether it has any content."""
    if depth > DEEPEST:
        return False
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int | float | str | bytes):
        hashed.update(f"{type(value).__name__} {value!r}\n".encode())
        return True
    if (content := _bytes(value)) is not None:
        hashed.update(f"{_kind(value)}\n".encode())
        _feed_bytes(hashed, content)
        return True
    if isinstance(value, Path):
        return _feed_path(hashed, value)
    if isinstance(value, Set):
        plain = [each for each in value if isinstance(each, bool | int | float | str | bytes)]
        return _feed_items(hashed, sorted(map(repr, plain)), depth)
    if isinstance(value, Mapping):
        return _feed_items(hashed, [each for pair in value.items() for each in pair], depth)
    if isinstance(value, Sequence):
        return _feed_items(hashed, value, depth)
    if hasattr(value, "named_modules") and not isinstance(value, type):
        return _feed_network(hashed, value)
    members = _members(value)
    return bool(members) and _feed_items(hashed, [each for pair in members.items() for each in pair], depth)


def _feed_items(hashed: Hash, items: Sequence[Any], depth: int) -> bool:
    hashed.update(f"{len(items)} items\n".encode())
    chosen = (
        items if len(items) <= ITEMS else [items[i] for i in np.linspace(0, len(items) - 1, ITEMS, dtype=int)]
    )
    return sum(_feed(hashed, each, depth + 1) for each in chosen) > 0 or not len(items)


def _feed_network(hashed: Hash, network: Any) -> bool:
    """Adds a network's tensors, all of them, and the classes of its modules; not its mode or device."""
    for name, module in network.named_modules():
        hashed.update(f"{name} {type(module).__qualname__}\n".encode())
    for name, tensor in network.state_dict().items():
        hashed.update(f"{name}\n".encode())
        _feed(hashed, tensor, 0)
    return True


def _members(value: Any) -> Mapping[str, Any]:
    """Returns the members of an object that holds data: settings, or a data set or its loader."""
    if isinstance(value, type):
        return {}
    if found := settings_of(value):
        return found
    if hasattr(value, "dataset") and hasattr(value, "batch_size"):  # a loader, for any number of workers
        return {name: getattr(value, name, None) for name in ("dataset", "batch_size", "drop_last")}
    holds = hasattr(type(value), "__getitem__") or hasattr(value, "dataset")
    return dict(sorted(vars(value).items())) if holds and hasattr(value, "__dict__") else {}


def settings_of(value: Any) -> Mapping[str, Any]:
    """Returns the members of an object of settings, a dataclass or one with plain members only, or {}."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    members = {} if isinstance(value, type) or callable(value) else getattr(value, "__dict__", {})
    plain = all(isinstance(each, bool | int | float | str | tuple | list | None) for each in members.values())
    return members if plain else {}


def _bytes(value: Any) -> np.ndarray | None:
    """Returns the bytes of a tensor or an array, or None for other values."""
    if hasattr(value, "detach") and hasattr(value, "data_ptr"):
        import torch

        flat = value.detach().contiguous().flatten()
        flat = flat.view(torch.uint8) if flat.dtype != torch.bool else flat.to(torch.uint8)
        return _sampled(flat).cpu().numpy()
    if not isinstance(value, np.ndarray) or value.dtype.hasobject:
        return None
    return _sampled(np.ascontiguousarray(value).reshape(-1).view(np.uint8))


def _sampled(flat: Any) -> Any:
    """Returns the bytes `[n]`, or evenly spaced blocks of them if there are too many."""
    if len(flat) <= MOST:
        return flat
    starts = np.linspace(0, len(flat) - BLOCK, BLOCKS, dtype=np.int64)
    parts = [flat[start : start + BLOCK] for start in starts]
    if isinstance(flat, np.ndarray):
        return np.concatenate(parts)
    import torch

    return torch.cat(parts)


def _feed_bytes(hashed: Hash, content: np.ndarray) -> None:
    for start in range(0, len(content), 2**20):
        hashed.update(content[start : start + 2**20].tobytes())


def _feed_path(hashed: Hash, path: Path) -> bool:
    """Adds a file's content, or the names and sizes of a folder's files; where they lie does not count."""
    if path.is_file():
        with path.open("rb") as file:
            _feed_file(hashed, file, path.stat().st_size)
        return True
    if not path.is_dir():
        return False
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names)[:ITEMS]:
            file_ = Path(folder, name)
            hashed.update(f"{file_.relative_to(path)} {file_.stat().st_size}\n".encode())
    return True


def _feed_file(hashed: Hash, file: BinaryIO, size: int) -> None:
    starts = range(0, size, 2**20) if size <= MOST else np.linspace(0, size - BLOCK, BLOCKS, dtype=np.int64)
    length = 2**20 if size <= MOST else BLOCK
    for start in starts:
        file.seek(int(start))
        hashed.update(file.read(length))
