"""The image classifiers of DropNet (Tan & Motani, 2020), and the fully connected LeNet.

Each takes images `[B, C, H, W]` and returns logits `[B, classes]`. All convolutions are 3x3 with stride 1 and
keep the map's size. Each has a bias and is followed by a ReLU.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from pruning.models.sizes import Shape, halving_pools, scaled

HIDDEN = 256
"""Units of the fully connected layer before the output in Model C; DropNet never masks it."""


class Dense(nn.Module):
    """Fully connected layers on the flattened image (Model A and LeNet-300-100)."""

    def __init__(self, shape: Shape, classes: int, units: tuple[int, ...]):
        super().__init__()
        channels, rows, cols = shape
        widths = (channels * rows * cols, *units)
        self.hidden = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.out = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits."""
        x = x.flatten(1)
        for layer in self.hidden:
            x = functional.relu(layer(x))
        return self.out(x)


class ConvNet(nn.Module):
    """Convolutions, each with a pool, then the flattened map (Models B and C).

    Args:
        shape: Channels, rows and columns of an image.
        classes: Number of classes.
        units: Number of filters of each convolution.
        hidden: Units of a fully connected layer before the output; 0 for no such layer.
    """

    def __init__(self, shape: Shape, classes: int, units: tuple[int, ...], hidden: int = 0):
        super().__init__()
        channels, rows, cols = shape
        self.convs = nn.ModuleList(map(_conv, (channels, *units), units))
        self.pools, cells = halving_pools(rows, cols, len(units))
        self.hidden = nn.Linear(units[-1] * cells, hidden) if hidden else None
        self.out = nn.Linear(hidden or units[-1] * cells, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits."""
        for conv, pool in zip(self.convs, self.pools, strict=True):
            x = pool(functional.relu(conv(x)))
        x = x.flatten(1)
        if self.hidden is not None:
            x = functional.relu(self.hidden(x))
        return self.out(x)


def dense(shape: Shape, classes: int, width: float, units: tuple[int, ...]) -> nn.Module:
    """Returns Model A or LeNet."""
    return Dense(shape, classes, _all_scaled(units, width))


def model_b(shape: Shape, classes: int, width: float, units: tuple[int, ...]) -> nn.Module:
    """Returns Model B: the output layer reads the map of the last convolution."""
    return ConvNet(shape, classes, _all_scaled(units, width))


def model_c(shape: Shape, classes: int, width: float, units: tuple[int, ...]) -> nn.Module:
    """Returns Model C: it has a fully connected layer before the output layer."""
    return ConvNet(shape, classes, _all_scaled(units, width), hidden=scaled(HIDDEN, width))


def _all_scaled(units: tuple[int, ...], width: float) -> tuple[int, ...]:
    return tuple(scaled(each, width) for each in units)


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
