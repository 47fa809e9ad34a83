"""The small convolutional network for studies of sparse training: maps halve from layer to layer.

Its first layers have few weights that are used at many positions, and its last layers have many weights that
are used at few. Pruning a fraction of the weights therefore removes another fraction of the multiply-adds, as
in the published networks.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pruning.models.sizes import Shape, scaled


class StridedConvNet(nn.Module):
    """3x3 convolutions of stride 2 with normalisation and ReLU, global average pooling, one linear layer.

    The first convolution has stride 1. Convolutions have no bias, since a normalisation follows each.

    Args:
        shape: Channels, rows and columns of an image.
        classes: Number of classes.
        units: Number of filters of each convolution.
    """

    def __init__(self, shape: Shape, classes: int, units: tuple[int, ...]):
        super().__init__()
        inputs = (shape[0], *units)
        self.convs = nn.ModuleList(
            nn.Conv2d(inputs[number], outputs, 3, stride=2 if number else 1, padding=1, bias=False)
            for number, outputs in enumerate(units)
        )
        self.norms = nn.ModuleList(map(nn.BatchNorm2d, units))
        self.out = nn.Linear(units[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits `[B, classes]` of images `[B, C, H, W]`."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = functional.relu(norm(conv(x)))
        return self.out(x.mean((2, 3)))


def cnn(shape: Shape, classes: int, width: float, units: tuple[int, ...]) -> nn.Module:
    """Returns the network whose numbers of filters are `units` times the width."""
    return StridedConvNet(shape, classes, tuple(scaled(each, width) for each in units))
