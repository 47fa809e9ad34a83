"""The Python batches of CIFAR-10 and CIFAR-100.

They are pickles, and a pickle can run arbitrary code. The unpickler here allows only the few names that these
files need.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pruning.data.source import ImagePart, Source
from pruning.reading import read_bytes

SHAPE = (3, 32, 32)
MOST_BATCH = 2**28
"""Maximum size of a file, in bytes; the largest one, the training split of CIFAR-100, has 156 MB."""


def read_cifar10(folder: Path) -> Source:
    """Returns CIFAR-10 from its folder `cifar-10-batches-py`.

    Raises:
        ValueError: A file is missing or corrupt.
    """
    classes = _names(folder / "batches.meta", "label_names")
    train = [folder / f"data_batch_{number}" for number in range(1, 6)]
    return Source(
        classes,
        _part(train, "labels", len(classes)),
        _part([folder / "test_batch"], "labels", len(classes)),
    )


def read_cifar100(folder: Path) -> Source:
    """Returns CIFAR-100, with its 100 fine classes, from its folder `cifar-100-python`.

    Raises:
        ValueError: A file is missing or corrupt.
    """
    classes = _names(folder / "meta", "fine_label_names")
    train, test = (_part([folder / name], "fine_labels", len(classes)) for name in ("train", "test"))
    return Source(classes, train, test)


def read_batch(path: Path) -> dict[str, Any]:
    """Returns the dictionary in a batch: arrays, lists, numbers, and text as bytes.

    Raises:
        ValueError: The file cannot be read, is not a pickled dictionary, or needs a forbidden name.
    """
    try:
        content = read_bytes(path, most=MOST_BATCH)
        _check_memory(content)
        found = _Unpickler(io.BytesIO(content)).load()
    # a corrupt pickle can raise almost any error; no code from the file has run
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path} cannot be read, expected a CIFAR batch: {reason}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} is not a CIFAR batch: expected a dictionary, found {type(found).__name__}")
    return {_text(key): value for key, value in found.items()}


def _check_memory(content: bytes) -> None:
    """Raises ValueError if a pickle allots more memory than it has bytes; nothing is made meanwhile."""
    for code, argument, _ in pickletools.genops(content):  # checks each length against the content
        if code.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > len(content):
            raise ValueError(f"it asks for {argument:,} places in {len(content):,} bytes")


class _Unpickler(pickle.Unpickler):
    """Reads only arrays of bytes, and byte strings as Python 3 writes them for Python 2."""

    def __init__(self, file: BinaryIO):
        super().__init__(file, encoding="bytes")

    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in _KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs")
        return _KNOWN[f"{module}.{name}"]


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError(f"it asks for the encoding {encoding!r}")
    return text.encode("latin1")


def _empty_array(*_: object) -> np.ndarray:
    """Returns the array that the pickle then fills; NumPy checks its state against the available bytes."""
    return np.empty(0, np.uint8)


def _dtype(code: str | bytes, *_: object) -> np.dtype:
    if _text(code) != "u1":
        raise pickle.UnpicklingError(f"it asks for an array of {_text(code)!r}, not of 'u1'")
    return np.dtype("u1")


_KNOWN = {
    "_codecs.encode": _encode,
    "numpy.core.multiarray._reconstruct": _empty_array,
    "numpy._core.multiarray._reconstruct": _empty_array,
    "numpy.dtype": _dtype,
    # only named as the type to reconstruct; it must not be callable
    "numpy.ndarray": None,
}


def _part(paths: Sequence[Path], key: str, classes: int) -> ImagePart:
    batches = [_batch(path, key, classes) for path in paths]
    images, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    return ImagePart.of(images.reshape(-1, *SHAPE), labels)


def _batch(path: Path, key: str, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns images, uint8 `[n, 3072]`, and labels, int64 `[n]`, of one file."""
    batch = read_batch(_existing(path))
    images, labels = batch.get("data"), batch.get(key)
    width = int(np.prod(SHAPE))
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != (width,):
        raise ValueError(f"{path} is corrupt: expected 'data' to be bytes of shape [n, {width}]")
    if not isinstance(labels, list) or len(labels) != len(images) or not all(_is_label(x) for x in labels):
        raise ValueError(f"{path} is corrupt: expected {key!r} to be {len(images)} numbers")
    found = np.array(labels, dtype=np.int64)
    if len(found) and not 0 <= found.min() <= found.max() < classes:
        raise ValueError(f"{path} has the label {max(labels, key=abs)}, expected 0 to {classes - 1}")
    return images, found


def _is_label(value: object) -> bool:
    return isinstance(value, int) and abs(value) < 2**31


def _names(path: Path, key: str) -> tuple[str, ...]:
    names = read_batch(_existing(path)).get(key)
    if not isinstance(names, list) or not names or not all(isinstance(name, str | bytes) for name in names):
        raise ValueError(f"{path} is corrupt: expected {key!r} to be the names of the classes")
    return tuple(map(_text, names))


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"{path} is missing: expected a CIFAR batch")
    return path


def _text(value: object) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)
