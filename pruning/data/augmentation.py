"""Random changes of training images, a whole batch at once, on the batch's device.

Random numbers are drawn on the CPU, so a run draws the same numbers on every device.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812

PADDING = 4
"""Zeros added on each side, in pixels, before an image is cropped to its original size."""
ROTATION = math.radians(40)
SHIFT = 0.2
"""Maximum shift, as a fraction of the image's height or width."""
SHEAR = math.radians(0.2)
"""Maximum shear in radians. The framework of the published runs interprets 0.2 as degrees, a tiny angle."""
ZOOM = 0.2

Augmentation = Callable[[Tensor, Generator], Tensor]


def unchanged(images: Tensor, generator: Generator) -> Tensor:
    """Returns the images unchanged; draws no random numbers."""
    return images


def crop_flip(images: Tensor, generator: Generator) -> Tensor:
    """Returns each image shifted by up to 4 pixels each way, filled with zeros, and mirrored half the time.

    Args:
        images: Images `[B, C, H, W]`.
        generator: Generator of random numbers, on the CPU.
    """
    count, channels, height, width = images.shape
    device = images.device
    top, left = torch.randint(2 * PADDING + 1, (2, count, 1), generator=generator).to(device)
    mirrored = (torch.rand(count, 1, generator=generator) < 0.5).to(device)
    columns = torch.arange(width, device=device).expand(count, width)
    columns = left + torch.where(mirrored, columns.flip(1), columns)
    rows = top + torch.arange(height, device=device)
    # a single gather crops and mirrors in half the time of cropping first and mirroring afterwards
    pixels = (rows[:, :, None] * (width + 2 * PADDING) + columns[:, None]).view(count, 1, height * width)
    padded = F.pad(images, (PADDING,) * 4).flatten(2)
    return padded.gather(2, pixels.expand(-1, channels, -1)).view_as(images)


def affine(images: Tensor, generator: Generator) -> Tensor:
    """Returns each image rotated, shifted, sheared, zoomed and mirrored, as in DropNet's Tiny ImageNet runs.

    All values are drawn uniformly: an angle up to 40 degrees, shifts up to 0.2 of height and width, a shear
    up to 0.2 degrees, and factors of height and width from 0.8 to 1.2. Half of the images are mirrored.
    Values between pixels are interpolated linearly; outside, the nearest edge pixel is repeated.

    Args:
        images: Images `[B, C, H, W]` of a floating type.
        generator: Generator of random numbers, on the CPU.
    """
    height, width = images.shape[2:]
    linear, shift = _movements(len(images), height, width, generator)
    # grid coordinates are ordered x, y and run from -1 to 1 over height and over width
    half = torch.tensor([width / 2, height / 2])
    theta = torch.cat([linear * half / half[:, None], (shift / half)[:, :, None]], dim=2)
    # half precision would miss the positions by up to a quarter of a pixel
    precise = images.to(torch.promote_types(images.dtype, torch.float32))
    theta = theta.to(precise.device, precise.dtype)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    sampled = F.grid_sample(precise, grid, padding_mode="border", align_corners=False)
    return sampled.to(images.dtype)


def _movements(count: int, height: int, width: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Returns the map from new to original pixels, x before y, in pixels from the centre of the image.

    Returns:
        Matrices `[count, 2, 2]` and shifts `[count, 2]`: original position = matrix @ new position + shift.
    """
    angle, shear, *rest = torch.rand(7, count, generator=generator) * 2 - 1
    angle, shear = angle * ROTATION, shear * SHEAR
    right, down, wider, higher, mirror = rest
    rotation = _matrices(angle.cos(), angle.sin(), -angle.sin(), angle.cos())
    nothing, one = torch.zeros(count), torch.ones(count)
    shearing = _matrices(shear.cos(), nothing, -shear.sin(), one)
    mirrored = torch.where(mirror < 0, -one, one)
    zoom = _matrices((1 + ZOOM * wider) * mirrored, nothing, nothing, 1 + ZOOM * higher)
    shift = torch.stack([right * SHIFT * width, down * SHIFT * height], dim=1)
    return rotation @ shearing @ zoom, (rotation @ shift[:, :, None])[:, :, 0]


def _matrices(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    return torch.stack([a, b, c, d], dim=1).view(-1, 2, 2)


AUGMENTATIONS: dict[str, Augmentation] = {"none": unchanged, "crop-flip": crop_flip, "affine": affine}
"""Name -> function from images `[B, C, H, W]` in [0, 1] and a generator on the CPU to new images."""
