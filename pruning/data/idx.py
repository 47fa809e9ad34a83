"""The IDX files of MNIST and Fashion-MNIST, compressed or not."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pruning.data.source import ImagePart, Source
from pruning.reading import read_bytes, require_plausible

UNSIGNED_BYTES = 8
"""Code of the entries' type in the third byte of an IDX file."""


def read_idx_set(folder: Path, classes: tuple[str, ...]) -> Source:
    """Returns a data set from a folder with its four files, which have MNIST's file names.

    Raises:
        ValueError: A file is missing, corrupt, or does not fit the others.
    """
    train, test = (_arrays(folder, name, len(classes)) for name in ("train", "t10k"))
    sizes = [" x ".join(map(str, images.shape[1:])) for images, _ in (train, test)]
    if sizes[0] != sizes[1]:
        raise ValueError(f"{folder}: training images are {sizes[0]} pixels, but test images are {sizes[1]}")
    return Source(classes, *(ImagePart.of(images[:, None], labels) for images, labels in (train, test)))


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Returns the array of an IDX file of bytes, uint8 with the given number of dimensions.

    Raises:
        ValueError: The file cannot be read, is truncated or too long, or is not such an IDX file.
    """
    magic = bytes((0, 0, UNSIGNED_BYTES, dimensions))
    start = 4 + 4 * dimensions
    stored = read_bytes(path)
    with _opened(path, stored) as file:
        head = file.read(start)
        if head[:4] != magic or len(head) < start:
            begin = head[:4].hex() or "nothing"
            raise ValueError(
                f"{path} is not an IDX file: expected to begin with {magic.hex()}, found {begin}"
            )
        shape = tuple(int(size) for size in np.frombuffer(head, ">u4", dimensions, offset=4))
        if not all(shape):
            raise ValueError(f"{path} is empty: its shape is {shape}, expected at least one of everything")
        size = math.prod(shape)
        require_plausible(path, size, len(stored))
        content = file.read(size + 1)
    if len(content) != size:
        found = f"{start + len(content)}{' or more' if len(content) > size else ''}"
        expected = f"expected {start + size} bytes for the shape {shape}"
        raise ValueError(f"{path} is corrupt: {expected}, found {found}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _arrays(folder: Path, name: str, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the images, uint8 `[N, H, W]`, and the labels, uint8 `[N]`, of a split."""
    images_path = _path(folder, f"{name}-images-idx3-ubyte")
    labels_path = _path(folder, f"{name}-labels-idx1-ubyte")
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise ValueError(
            f"{labels_path} has {len(labels)} labels, expected {len(images)}: one for each image"
        )
    if len(labels) and labels.max() >= classes:
        raise ValueError(f"{labels_path} has the label {labels.max()}, expected 0 to {classes - 1}")
    return images, labels


def _path(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise ValueError(f"{folder / name} is missing: expected that file or {name}.gz")


@contextmanager
def _opened(path: Path, stored: bytes) -> Iterator[gzip.GzipFile | io.BytesIO]:
    """Yields the decompressed content of a file, to be read in parts."""
    try:
        raw = io.BytesIO(stored)
        yield gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read, expected an IDX file: {error}") from error
