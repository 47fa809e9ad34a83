"""VGG networks for small images (Simonyan & Zisserman, 2015), with batch normalisation.

The usual form for CIFAR: the thirteen or sixteen convolutions of VGG-16 or VGG-19. One linear layer on the
512 channels replaces the three large fully connected layers. The channels are averaged if the map has more
than one point; images of 32x32 leave one point. Convolutions have no bias, since a normalisation follows
each.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pruning.models.sizes import Shape, halving_pools, scaled

WIDTHS = (64, 128, 256, 512, 512)
DEPTHS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Number of layers of the original network -> convolutions of each block."""


class ConvLayer(nn.Module):
    """A 3x3 convolution that keeps the map's size, normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Returns maps `[B, outputs, H, W]` of maps `[B, inputs, H, W]`."""
        return functional.relu(self.norm(self.conv(x)))


class VGG(nn.Module):
    """Five blocks of layers, each with a pool, and one linear layer.

    Args:
        shape: Channels, rows and columns of an image.
        classes: Number of classes.
        width: Factor of all numbers of channels.
        layers: Number of layers of the original network, 16 or 19.
    """

    def __init__(self, shape: Shape, classes: int, width: float = 1.0, *, layers: int):
        super().__init__()
        inputs, rows, cols = shape
        self.blocks = nn.ModuleList()
        for outputs, depth in zip(WIDTHS, DEPTHS[layers], strict=True):
            widths = [inputs] + [scaled(outputs, width)] * depth
            self.blocks.append(nn.Sequential(*map(ConvLayer, widths, widths[1:])))
            inputs = widths[-1]
        self.pools, _ = halving_pools(rows, cols, len(self.blocks))
        self.out = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits `[B, classes]` of images `[B, C, H, W]`."""
        for block, pool in zip(self.blocks, self.pools, strict=True):
            x = pool(block(x))
        return self.out(x.mean((2, 3)))
