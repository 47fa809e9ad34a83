"""Residual networks for small images (He et al., 2016): three stages of 16, 32 and 64 channels.

Shortcuts are identities, except at a stride at the start of a stage: there they are 1x1 convolutions with
normalisation. Convolutions have no bias, since a normalisation follows each.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pruning.models.sizes import Shape, scaled

STAGES = (16, 32, 64)


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, which are added before the last ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1, self.norm1 = _conv(inputs, outputs, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.norm2 = _conv(outputs, outputs), nn.BatchNorm2d(outputs)
        self.short: nn.Module | None = None
        self.short_norm: nn.Module | None = None
        if stride > 1:
            self.short = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.short_norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Returns maps `[B, outputs, H / stride, W / stride]` (rounded up) of maps `[B, inputs, H, W]`."""
        branch = functional.relu(self.norm1(self.conv1(x)))
        branch = self.norm2(self.conv2(branch))
        if self.short is not None and self.short_norm is not None:
            x = self.short_norm(self.short(x))
        return functional.relu(branch + x)


class ResNet(nn.Module):
    """A stem, three stages of equal depth, global average pooling, one linear layer.

    Args:
        shape: Channels, rows and columns of an image.
        classes: Number of classes.
        width: Factor of all numbers of channels.
        blocks: Number of blocks in each stage; the network has 6 * blocks + 2 layers with weights.
    """

    def __init__(self, shape: Shape, classes: int, width: float = 1.0, *, blocks: int):
        super().__init__()
        widths = [scaled(stage, width) for stage in STAGES]
        self.stem, self.stem_norm = _conv(shape[0], widths[0]), nn.BatchNorm2d(widths[0])
        self.blocks = nn.ModuleList()
        inputs = widths[0]
        for stage, outputs in enumerate(widths):
            for block in range(blocks):
                self.blocks.append(Block(inputs, outputs, stride=2 if stage and not block else 1))
                inputs = outputs
        self.out = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits `[B, classes]` of images `[B, C, H, W]`."""
        x = functional.relu(self.stem_norm(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        return self.out(x.mean((2, 3)))


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
