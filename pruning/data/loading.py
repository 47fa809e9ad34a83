"""Sets of labelled images, kept in memory as bytes: training, validation and test splits.

The test split is the official one and is never used for selection: subsets, validation split, mean and
standard deviation come from the training split only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pruning.data.sets import read_set
from pruning.data.source import ImagePart
from pruning.data.splits import shuffled, stratified
from pruning.digests import digest_of


@dataclass(frozen=True)
class ImageSplit:
    """Images, uint8 `[N, C, H, W]`, and labels, int64 `[N]`; both on the CPU."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class DataSet:
    """A data set with its splits, and the mean and standard deviation of its training images.

    Args:
        name: A name in `SETS`.
        classes: Names of the classes, in the order of the labels.
        train: Training split, shuffled by the seed: files may be sorted by class, and some protocols do not
            shuffle.
        validation: A stratified fraction of the official training split; may be empty.
        test: The official test split or a stratified part of it, in the order of the files.
        mean: Mean of the images of `train`, as fractions of 255; one number for each channel.
        std: Standard deviation of the images of `train`, in the same units.
    """

    name: str
    classes: tuple[str, ...]
    train: ImageSplit
    validation: ImageSplit
    test: ImageSplit
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @cached_property
    def fingerprint(self) -> dict[str, str]:
        """Digests of the images and labels of each split, by name; large splits are sampled."""
        splits = {"training": self.train, "validation": self.validation, "test": self.test}
        return {
            f"{name} {part}": str(digest_of(getattr(split, part)))
            for name, split in splits.items()
            for part in ("images", "labels")
        }

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width


def load(
    name: str,
    folder: Path | None = None,
    *,
    validation: float = 0.1,
    split_seed: int = 42,
    subset: int | None = None,
    classes: int | None = None,
    size: int | None = None,
    download: bool = False,
) -> DataSet:
    """Returns a data set; the same arguments and files give the same splits.

    Args:
        name: A name in `SETS`; "digits" comes with scikit-learn, the others are files.
        folder: The data folder; None for the folder that `BTTT_DATA` names, or else the user's cache.
        validation: Fraction of the training images for the validation split; at least 0 and below 1.
        split_seed: Seed of the validation split, the subsets, and the order of the training images.
        subset: Number of images to use from the official training split, including validation, and maximum
            number from the test split; None for all.
        classes: Number of classes to use, from the first on; None for all.
        size: Height and width of the images of "folder", in pixels; None for 64.
        download: Whether to download a missing set from its publisher.

    Raises:
        ValueError: Files are missing, corrupt or cannot be downloaded; the set is unknown; or a number is out
            of range.
    """
    if not 0 <= validation < 1:
        raise ValueError(f"validation must be at least 0 and below 1, got {validation}")
    source = read_set(name, folder, seed=split_seed, size=size, download=download)
    kept = _kept(source.classes, classes)
    available = _positions(source.train, kept)
    train = available if subset is None else _subset(source.train, available, subset, split_seed)
    held = stratified(source.train.labels[train], round(validation * len(train)), split_seed)
    rest = shuffled(np.delete(train, held), split_seed)
    test = _positions(source.test, kept)
    if subset is not None:
        test = test[stratified(source.test.labels[test], min(subset, len(test)), split_seed)]
    if not len(rest) or not len(test):
        raise ValueError(
            f"{name} leaves {len(rest)} training and {len(test)} test images: both need at least one"
        )
    trained = _split(source.train, rest)
    return DataSet(
        name,
        source.classes[:kept],
        trained,
        _split(source.train, train[held]),
        _split(source.test, test),
        *_moments(trained.images),
    )


def training_images(
    name: str,
    folder: Path | None = None,
    *,
    classes: int | None = None,
    size: int | None = None,
) -> int:
    """Returns how many images the official training split has; arguments and errors as in `load`."""
    source = read_set(name, folder, seed=0, size=size, download=False)
    return len(_positions(source.train, _kept(source.classes, classes)))


def _kept(names: tuple[str, ...], classes: int | None) -> int:
    if classes is not None and not 1 <= classes <= len(names):
        raise ValueError(f"classes must be 1 to {len(names)}, got {classes}")
    return len(names) if classes is None else classes


def _positions(part: ImagePart, classes: int) -> np.ndarray:
    return np.flatnonzero(part.labels < classes)


def _subset(part: ImagePart, available: np.ndarray, count: int, seed: int) -> np.ndarray:
    if not 1 <= count <= len(available):
        raise ValueError(f"subset must be 1 to {len(available)}, the number of training images, got {count}")
    return available[stratified(part.labels[available], count, seed)]


def _split(part: ImagePart, chosen: np.ndarray) -> ImageSplit:
    return ImageSplit(part.images(chosen), torch.from_numpy(part.labels[chosen]))


def _moments(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and standard deviation of each channel, as fractions of 255."""
    channels, height, width = images.shape[1:]
    sums = torch.zeros(2, channels, dtype=torch.float64)
    # in parts that fit into the cache; float32 sums up to 257 squared bytes without rounding
    for part in images.split(max(1, 2**22 // (channels * height * width))):
        values = part.float()
        rows = torch.stack([values.sum(3), values.square().sum(3)])
        sums += rows.sum((1, 3), dtype=torch.float64)
    mean, square = sums / (len(images) * height * width)
    std = (square - mean.square()).clamp(min=0).sqrt()
    return tuple((mean / 255).tolist()), tuple((std / 255).tolist())
