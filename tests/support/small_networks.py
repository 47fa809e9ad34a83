"""Small networks of every kind that is pruned here, and their inputs.

B is the batch; each network of `NETWORKS` has an input `[B, *shape]`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class MLP(nn.Module):
    """Fully connected layers on a flattened image."""

    def __init__(self, inputs: int = 784, hidden: tuple[int, ...] = (40, 40), outputs: int = 10):
        super().__init__()
        widths = (inputs, *hidden)
        self.hidden = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.out = nn.Linear(widths[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = x.view(x.size(0), -1)
        for layer in self.hidden:
            x = layer(x).relu()
        return self.out(x)


class ConvNet(nn.Sequential):
    """Two convolutions, each with a pool, and one linear layer on the flattened maps."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.relu1 = nn.ReLU(inplace=True)
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(8, 12, 3, padding=1)
        self.relu2 = nn.ReLU(inplace=True)
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(12 * 2 * 2, 5)


class VGG(nn.Module):
    """Blocks of convolution, ReLU, normalisation; then two linear layers with dropout."""

    def __init__(self):
        super().__init__()
        widths = (3, 6, 7, 9)
        self.convs = nn.ModuleList(nn.Conv2d(*pair, 3, padding=1) for pair in pairwise(widths))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        self.hidden = nn.Linear(9, 16)
        self.hidden_norm = nn.BatchNorm1d(16)
        self.dropout = nn.Dropout(0.0)
        self.out = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = functional.max_pool2d(norm(functional.relu(conv(x))), 2)
        hidden = self.hidden_norm(functional.leaky_relu(self.hidden(torch.flatten(x, 1)), 0.2))
        return self.out(self.dropout(hidden))


class ResNet(nn.Module):
    """Two stages with normalisation; the second one's shortcut is a convolution. Everything is in place."""

    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.stem, self.stem_norm = nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.a1, self.a1_norm = nn.Conv2d(6, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5)
        self.a2, self.a2_norm = nn.Conv2d(5, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.b1, self.b1_norm = nn.Conv2d(6, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8)
        self.b2, self.b2_norm = nn.Conv2d(8, 10, 3, padding=1, bias=False), nn.BatchNorm2d(10)
        self.short, self.short_norm = nn.Conv2d(6, 10, 1, stride=2, bias=False), nn.BatchNorm2d(10)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.out = nn.Linear(10, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.stem_norm(self.stem(x)))
        inner = self.a2_norm(self.a2(self.relu(self.a1_norm(self.a1(x)))))
        inner += x
        x = self.relu(inner)
        inner = self.b2_norm(self.b2(self.relu(self.b1_norm(self.b1(x)))))
        inner += self.short_norm(self.short(x))
        return self.out(self.pool(self.relu(inner)).flatten(1))


class DropNetResNet(nn.Module):
    """DropNet's: no normalisation, a ReLU on branch and shortcut, and nothing behind the addition."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.a1, self.a2 = nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.b1, self.b2 = nn.Conv2d(6, 9, 3, padding=1), nn.Conv2d(9, 9, 3, padding=1)
        self.short = nn.Conv2d(6, 9, 3, padding=1)
        self.out = nn.Linear(9, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(functional.relu(self.stem(x)), 2)
        x = functional.relu(self.a2(functional.relu(self.a1(x)))) + x
        branch = functional.relu(self.b2(functional.relu(self.b1(x))))
        x = branch + functional.relu(self.short(x))
        return self.out(x.mean((2, 3)))


class PreActResNet(nn.Module):
    """A stream that is normalised and activated where it is read, not where it is made."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.norm1, self.conv1 = nn.BatchNorm2d(6), nn.Conv2d(6, 7, 3, padding=1)
        self.norm2, self.conv2 = nn.BatchNorm2d(7), nn.Conv2d(7, 6, 3, padding=1)
        self.norm3, self.out = nn.BatchNorm2d(6), nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x + self.conv2(torch.relu(self.norm2(self.conv1(torch.relu(self.norm1(x))))))
        return self.out(torch.relu(self.norm3(x)).mean(dim=[-2, -1]))


class CatNet(nn.Module):
    """Two branches of different widths, concatenated, normalised, read by two layers; one is flattened."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 7, 1)
        self.norm = nn.BatchNorm2d(11)
        self.conv = nn.Conv2d(11, 5, 3, padding=1)
        self.out = nn.Linear(5 + 7 * 16 + 7, 5)

    def forward(self, x: Tensor) -> Tensor:
        left, right = torch.tanh(self.left(x)), functional.leaky_relu(self.right(x), 0.3)
        both = functional.relu(self.norm(torch.cat((left, right), dim=1)))
        pooled = functional.adaptive_avg_pool2d(functional.relu(self.conv(both)), 1)
        cells = functional.max_pool2d(right, 2)
        return self.out(torch.cat([pooled.flatten(1), cells.flatten(1), right.amax((2, 3))], -1))


class Depthwise(nn.Module):
    """An inverted bottleneck: expansion, depthwise convolution, projection without activation, addition."""

    def __init__(self):
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.wide, self.wide_norm = nn.Conv2d(6, 14, 1, bias=False), nn.BatchNorm2d(14)
        self.depth, self.depth_norm = nn.Conv2d(14, 14, 3, padding=1, groups=14), nn.BatchNorm2d(14)
        self.narrow, self.narrow_norm = nn.Conv2d(14, 6, 1, bias=False), nn.BatchNorm2d(6)
        self.act, self.out = nn.ReLU6(), nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem_norm(self.stem(x))
        wide = self.act(self.depth_norm(self.depth(self.act(self.wide_norm(self.wide(x))))))
        x = 0.5 * torch.add(self.narrow_norm(self.narrow(wide)), x)
        return self.out(x.amax((2, 3)))


class Twice(nn.Module):
    """One convolution and one normalisation, each called twice."""

    def __init__(self):
        super().__init__()
        self.stem, self.conv, self.norm = nn.Conv2d(3, 6, 1), nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.head, self.out = nn.Conv2d(6, 4, 1), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        for _ in range(2):
            x = torch.relu(self.norm(self.conv(x)))
        return self.out(torch.relu(self.head(x)).mean((2, 3)))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (MLP, (1, 28, 28)),
    "conv": (ConvNet, (3, 8, 8)),
    "vgg": (VGG, (3, 8, 8)),
    "resnet": (ResNet, (3, 8, 8)),
    "dropnet-resnet": (DropNetResNet, (3, 8, 8)),
    "preact-resnet": (PreActResNet, (3, 8, 8)),
    "cat": (CatNet, (3, 8, 8)),
    "depthwise": (Depthwise, (3, 8, 8)),
    "twice": (Twice, (3, 8, 8)),
}


def randomised(network: nn.Module, seed: int) -> nn.Module:
    """Gives the normalisations and biases random values, so that nothing is 0 or 1 by chance; eval mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.affine:
                for tensor in (module.weight, module.running_var):
                    tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
                for tensor in (module.bias, module.running_mean):
                    tensor.copy_(0.5 * torch.randn(tensor.shape, generator=generator))
            elif getattr(module, "bias", None) is not None:
                module.bias.copy_(0.2 * torch.randn(module.bias.shape, generator=generator))
    return network.eval()
