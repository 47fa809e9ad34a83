"""Wide residual networks for small images (Zagoruyko and Komodakis, 2016), for example WRN-22-2.

Three stages of 16, 32 and 64 channels times the widening factor. Normalisation and ReLU come before each
convolution (pre-activation), so nothing follows the additions. A shortcut is the identity, unless the number
of channels or the map's side changes: then it is a 1x1 convolution of the block's normalised input. The stem
is not widened. Convolutions have no bias, since a normalisation reads each output or the sum with it.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pruning.models.sizes import Shape, scaled

STAGES = (16, 32, 64)


class Block(nn.Module):
    """Two 3x3 convolutions, each after a normalisation and a ReLU, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, *, projected: bool):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), _conv(inputs, outputs, stride)
        self.norm2, self.conv2 = nn.BatchNorm2d(outputs), _conv(outputs, outputs)
        self.short = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if projected else None

    def forward(self, x: Tensor) -> Tensor:
        """Returns maps `[B, outputs, H / stride, W / stride]` (rounded up) of maps `[B, inputs, H, W]`."""
        active = functional.relu(self.norm1(x))
        branch = self.conv2(functional.relu(self.norm2(self.conv1(active))))
        return branch + (x if self.short is None else self.short(active))


class WideResNet(nn.Module):
    """A stem, three stages of equal depth, normalisation, global average pooling, one linear layer.

    Args:
        shape: Channels, rows and columns of an image.
        classes: Number of classes.
        width: Factor of all numbers of channels, including the stem's, in addition to the widening.
        blocks: Number of blocks in each stage. The network's name counts 6 * blocks + 4 layers with weights,
            including the shortcuts.
        widen: Factor of the stages' numbers of channels.
    """

    def __init__(self, shape: Shape, classes: int, width: float = 1.0, *, blocks: int, widen: int):
        super().__init__()
        inputs = scaled(STAGES[0], width)
        self.stem = _conv(shape[0], inputs)
        self.blocks = nn.ModuleList()
        for stage, channels in enumerate(STAGES):
            outputs = scaled(widen * channels, width)
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                self.blocks.append(Block(inputs, outputs, stride, projected=not block))
                inputs = outputs
        self.norm = nn.BatchNorm2d(inputs)
        self.out = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits `[B, classes]` of images `[B, C, H, W]`."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.out(functional.relu(self.norm(x)).mean((2, 3)))


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
