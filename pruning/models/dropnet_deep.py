"""The deep image classifiers of DropNet (Tan & Motani, 2020): variants of ResNet18 and VGG19.

Each takes images `[B, C, H, W]` and returns logits `[B, classes]`. All convolutions are 3x3 with stride 1 and
keep the map's size. Each has a bias and is followed by a ReLU. Only pools make maps smaller.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from pruning.models.sizes import Shape, halving_pools, scaled
from pruning.models.vggs import DEPTHS, WIDTHS

STAGES = (64, 128, 256, 512)
HIDDEN = 256
LARGE_HIDDEN = 1024
LARGE_IMAGE = 64
"""Minimum image side, in pixels, for the large hidden layer of VGG19, as published for Tiny ImageNet."""


class Block(nn.Module):
    """Two convolutions, added to a shortcut; each ReLU comes before the addition, none after it.

    The shortcut is a 3x3 convolution if the number of channels changes.
    """

    def __init__(self, inputs: int, outputs: int, *, convolved: bool):
        super().__init__()
        self.conv1, self.conv2 = _conv(inputs, outputs), _conv(outputs, outputs)
        self.short = _conv(inputs, outputs) if convolved else None

    def forward(self, x: Tensor) -> Tensor:
        """Returns maps `[B, outputs, H, W]` of maps `[B, inputs, H, W]`."""
        branch = functional.relu(self.conv2(functional.relu(self.conv1(x))))
        return branch + (x if self.short is None else functional.relu(self.short(x)))


class ResNet18(nn.Module):
    """A stem, four stages of two blocks, global average pooling, one linear layer; no normalisation.

    A pool halves the map after the stem and after each stage except the last.
    """

    def __init__(self, shape: Shape, classes: int, width: float = 1.0):
        super().__init__()
        channels, rows, cols = shape
        widths = [scaled(stage, width) for stage in STAGES]
        self.stem = _conv(channels, widths[0])
        self.stages = nn.ModuleList()
        for stage, (inputs, outputs) in enumerate(pairwise(widths[:1] + widths)):
            first = Block(inputs, outputs, convolved=stage > 0)
            self.stages.append(nn.Sequential(first, Block(outputs, outputs, convolved=False)))
        self.pools, _ = halving_pools(rows, cols, len(STAGES))
        self.out = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits."""
        x = functional.relu(self.stem(x))
        for pool, stage in zip(self.pools, self.stages, strict=True):
            x = stage(pool(x))
        return self.out(x.mean((2, 3)))


class VGGBlock(nn.Module):
    """Convolutions of one width; only the last one is normalised, after its ReLU."""

    def __init__(self, inputs: int, outputs: int, depth: int):
        super().__init__()
        self.convs = nn.ModuleList(map(_conv, (inputs, *[outputs] * (depth - 1)), [outputs] * depth))
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Returns maps `[B, outputs, H, W]` of maps `[B, inputs, H, W]`."""
        for conv in self.convs:
            x = functional.relu(conv(x))
        return self.norm(x)


class VGG19(nn.Module):
    """Five blocks, each with a pool, then the flattened map and a fully connected layer before the output.

    Deviation: normalisations have torch's constants (momentum 0.1, epsilon 1e-5), not those of the authors'
    framework.
    """

    def __init__(self, shape: Shape, classes: int, width: float = 1.0):
        super().__init__()
        inputs, rows, cols = shape
        self.blocks = nn.ModuleList()
        for outputs, depth in zip(WIDTHS, DEPTHS[19], strict=True):
            self.blocks.append(VGGBlock(inputs, scaled(outputs, width), depth))
            inputs = scaled(outputs, width)
        self.pools, cells = halving_pools(rows, cols, len(self.blocks))
        hidden = scaled(LARGE_HIDDEN if min(rows, cols) >= LARGE_IMAGE else HIDDEN, width)
        self.hidden = nn.Linear(inputs * cells, hidden)
        self.out = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits."""
        for block, pool in zip(self.blocks, self.pools, strict=True):
            x = pool(block(x))
        return self.out(functional.relu(self.hidden(x.flatten(1))))


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
