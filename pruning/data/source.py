"""What a reader of files hands over: labels at once, images when they are asked for.

A subset of a large image folder is thus chosen by labels alone, and nothing else is decoded.
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
        images: Takes positions, int `[n]`; returns their images, uint8 `[n, C, H, W]` on the CPU.
    """

    labels: np.ndarray
    images: Callable[[np.ndarray], Tensor]

    @classmethod
    def of(cls, images: np.ndarray, labels: np.ndarray) -> ImagePart:
        """Returns a part whose images, uint8 `[N, C, H, W]`, are in memory already."""
        return cls(labels.astype(np.int64), lambda chosen: torch.from_numpy(images[chosen]))


@dataclass(frozen=True)
class Source:
    """A data set as its files have it: the names of its classes and its two official splits."""

    classes: tuple[str, ...]
    train: ImagePart
    test: ImagePart
