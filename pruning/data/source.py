"""The result of reading files: labels are read at once, images on demand.

A subset of a large image folder can be chosen by its labels, and only its images are decoded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class ImagePart:
    """The official training or test split.

    Args:
        labels: Class numbers, int64 `[N]`.
        images: Function from indices, int `[n]`, to their images, uint8 `[n, C, H, W]` on the CPU.
    """

    labels: np.ndarray
    images: Callable[[np.ndarray], Tensor]

    @classmethod
    def of(cls, images: np.ndarray, labels: np.ndarray) -> ImagePart:
        """Returns a split whose images, uint8 `[N, C, H, W]`, are already in memory."""
        return cls(labels.astype(np.int64), lambda chosen: torch.from_numpy(images[chosen]))


@dataclass(frozen=True)
class Source:
    """A data set as stored in its files: the names of its classes and its two official splits."""

    classes: tuple[str, ...]
    train: ImagePart
    test: ImagePart
