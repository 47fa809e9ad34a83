"""The IDX files of MNIST and Fashion-MNIST, compressed or not."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from pruning.data.source import ImagePart, Source

UNSIGNED_BYTES = 8
"""Code of the entries' type in the third byte of an IDX file."""


def read_idx_set(folder: Path, classes: tuple[str, ...]) -> Source:
    """Returns a data set from a folder with its four files, which have MNIST's file names.

    Raises:
        ValueError: A file is missing, corrupt, or does not fit the others.
    """
    train, test = (_part(folder, name, len(classes)) for name in ("train", "t10k"))
    return Source(classes, train, test)


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Returns the array of an IDX file of bytes, uint8 with the given number of dimensions.

    Raises:
        ValueError: The file cannot be read, is truncated or too long, or is not such an IDX file.
    """
    content = _content(path)
    magic = bytes((0, 0, UNSIGNED_BYTES, dimensions))
    start = 4 + 4 * dimensions
    if content[:4] != magic or len(content) < start:
        found = content[:4].hex() or "nothing"
        raise ValueError(f"{path} is not an IDX file: expected to begin with {magic.hex()}, found {found}")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", dimensions, offset=4))
    size = start + math.prod(shape)
    if len(content) != size:
        raise ValueError(
            f"{path} is corrupt: expected {size} bytes for the shape {shape}, found {len(content)}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _part(folder: Path, name: str, classes: int) -> ImagePart:
    images_path = _path(folder, f"{name}-images-idx3-ubyte")
    labels_path = _path(folder, f"{name}-labels-idx1-ubyte")
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise ValueError(
            f"{labels_path} has {len(labels)} labels, expected {len(images)}: one for each image"
        )
    if len(labels) and labels.max() >= classes:
        raise ValueError(f"{labels_path} has the label {labels.max()}, expected 0 to {classes - 1}")
    return ImagePart.of(images[:, None], labels)


def _path(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise ValueError(f"{folder / name} is missing: expected that file or {name}.gz")


def _content(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read, expected an IDX file: {error}") from error
