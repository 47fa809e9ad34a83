"""Small networks of the kinds that users bring, and a task that trains any of them for one step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

from pruning.channels.tracing import tensors_of
from pruning.loop import Trained

TOKENS, IMAGES, VECTORS, SERIES = "tokens", "images", "vectors", "series"
EXAMPLES = {
    TOKENS: lambda: torch.randint(11, (6, 5), generator=torch.Generator().manual_seed(0)),
    IMAGES: lambda: torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0)),
    VECTORS: lambda: torch.rand(6, 8, generator=torch.Generator().manual_seed(0)),
    SERIES: lambda: torch.rand(6, 4, 12, generator=torch.Generator().manual_seed(0)),
}


class Of(nn.Module):
    """Named layers, and a function of them and the input."""

    def __init__(self, function: Callable[..., object], **layers: nn.Module):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> object:
        return self.function(self, x)


def tied() -> nn.Module:
    def forward(net: Of, x: Tensor) -> Tensor:
        return net.o(functional.gelu(net.h(net.e(x))))

    network = Of(forward, e=nn.Embedding(11, 8), h=nn.Linear(8, 8), o=nn.Linear(8, 11, bias=False))
    network.o.weight = network.e.weight
    return network


def tied_linear() -> nn.Module:
    network = mlp()
    network[2].weight = network[0].weight
    return network


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))


def changed(change: Callable[[nn.Module], object]) -> Callable[[], nn.Module]:
    """Returns a function that makes a multilayer perceptron whose first layer is changed."""

    def make() -> nn.Module:
        network = mlp()
        change(network[0])
        return network

    return make


def by_branch() -> nn.Module:
    return Of(lambda net, x: net.a(x) if x.sum() > 0 else net.b(x), a=nn.Linear(8, 3), b=nn.Linear(8, 3))


def attention() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    return Of(
        lambda net, x: net.out(net.layer(net.e(x)).mean(1)),
        e=nn.Embedding(11, 8),
        layer=layer,
        out=nn.Linear(8, 3),
    )


def lstm() -> nn.Module:
    return Of(
        lambda net, x: net.out(net.lstm(net.e(x))[0][:, -1]),
        e=nn.Embedding(11, 8), lstm=nn.LSTM(8, 6, batch_first=True), out=nn.Linear(6, 3),
    )  # fmt: skip


def gates() -> nn.Module:
    """Squeeze and excite."""

    def forward(net: Of, x: Tensor) -> Tensor:
        x = torch.relu(net.a(x))
        x = x * torch.sigmoid(net.c(torch.relu(net.b(x.mean((2, 3), keepdim=True)))))
        return net.out(x.mean((2, 3)))

    return Of(forward, a=nn.Conv2d(3, 8, 3), b=nn.Conv2d(8, 4, 1), c=nn.Conv2d(4, 8, 1), out=nn.Linear(8, 3))


def inverted() -> nn.Module:
    """An inverted bottleneck with a depthwise convolution, as in MobileNet."""
    block = nn.Sequential(
        *(nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6()),
        *(nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False), nn.BatchNorm2d(16), nn.ReLU6()),
        *(nn.Conv2d(16, 8, 1, bias=False), nn.BatchNorm2d(8)),
    )
    return Of(
        lambda net, x: net.out((net.stem(x) + net.block(net.stem(x))).mean((2, 3))),
        stem=nn.Conv2d(3, 8, 3, padding=1), block=block, out=nn.Linear(8, 3),
    )  # fmt: skip


def convnext() -> nn.Module:
    def forward(net: Of, x: Tensor) -> Tensor:
        x = net.stem(x)
        y = net.norm(net.depth(x).permute(0, 2, 3, 1))
        x = x + net.down(functional.gelu(net.up(y))).permute(0, 3, 1, 2)
        return net.out(x.mean((2, 3)))

    return Of(
        forward,
        stem=nn.Conv2d(3, 8, 2, 2), depth=nn.Conv2d(8, 8, 3, padding=1, groups=8), norm=nn.LayerNorm(8),
        up=nn.Linear(8, 16), down=nn.Linear(16, 8), out=nn.Linear(8, 3),
    )  # fmt: skip


def unet() -> nn.Module:
    return Of(
        lambda net, x: torch.cat([net.up(torch.relu(net.down(x))), x], 1).mean((2, 3)),
        down=nn.Conv2d(3, 8, 2, 2), up=nn.ConvTranspose2d(8, 4, 2, 2),
    )  # fmt: skip


def series() -> nn.Module:
    layers = nn.Conv1d(4, 8, 3), nn.ReLU(), nn.Conv1d(8, 8, 3, groups=2), nn.ReLU()
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 3))


def volumes() -> nn.Module:
    return Of(
        lambda net, x: net.out(torch.relu(net.conv(x[:, None])).mean((2, 3, 4))),
        conv=nn.Conv3d(1, 6, 2), out=nn.Linear(6, 3),
    )  # fmt: skip


def outputs(kind: Callable[[Tensor, Tensor], object]) -> Callable[[], nn.Module]:
    return lambda: Of(
        lambda net, x: kind(net.a(torch.relu(net.h(x))), net.b(torch.relu(net.h(x)))),
        h=nn.Linear(8, 8), a=nn.Linear(8, 3), b=nn.Linear(8, 2),
    )  # fmt: skip


def bilinear() -> nn.Module:
    return Of(
        lambda net, x: net.out(torch.relu(net.two(x, x))), two=nn.Bilinear(8, 8, 6), out=nn.Linear(6, 3)
    )


def bag() -> nn.Module:
    return nn.Sequential(nn.EmbeddingBag(11, 8), nn.Linear(8, 6), nn.SiLU(), nn.Linear(6, 3))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "mlp": (mlp, VECTORS),
    "one layer": (lambda: nn.Linear(8, 3), VECTORS),
    "tied": (tied, TOKENS),
    "tied linear": (tied_linear, VECTORS),
    "gelu on tokens": (
        lambda: nn.Sequential(nn.Embedding(11, 8), nn.Linear(8, 6), nn.GELU(), nn.Linear(6, 3)),
        TOKENS,
    ),
    "bag": (bag, TOKENS),
    "by branch": (by_branch, VECTORS),
    "attention": (attention, TOKENS),
    "lstm": (lstm, TOKENS),
    "gates": (gates, IMAGES),
    "inverted": (inverted, IMAGES),
    "convnext": (convnext, IMAGES),
    "unet": (unet, IMAGES),
    "series": (series, SERIES),
    "volumes": (volumes, IMAGES),
    "bilinear": (bilinear, VECTORS),
    "a dict": (outputs(lambda a, b: {"logits": a, "extra": {"value": b}}), VECTORS),
    "a tuple": (outputs(lambda a, b: (a, [b])), VECTORS),
    "prune": (changed(lambda layer: prune.l1_unstructured(layer, "weight", amount=0.5)), VECTORS),
    "old weight_norm": (changed(nn.utils.weight_norm), VECTORS),
    "old spectral_norm": (changed(nn.utils.spectral_norm), VECTORS),
    "weight_norm": (changed(parametrizations.weight_norm), VECTORS),
    "spectral_norm": (changed(parametrizations.spectral_norm), VECTORS),
    "hooked": (changed(lambda layer: layer.register_forward_hook(lambda _, __, output: output * 2)), VECTORS),
    "compiled": (lambda: torch.compile(mlp(), backend="eager"), VECTORS),
    "scripted": (lambda: torch.jit.script(mlp()), VECTORS),
    "meta": (lambda: mlp().to("meta"), VECTORS),
    "lazy": (lambda: nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 3)), VECTORS),
    "no layers": (nn.Flatten, VECTORS),
    "frozen": (lambda: mlp().requires_grad_(False), VECTORS),
    "half": (lambda: mlp().to(torch.bfloat16), VECTORS),
}


class ZooTask:
    """One training step of a network of the zoo, with the sum of squares of its outputs as the loss."""

    measure = "quality"
    fingerprint = "zoo"

    def __init__(self, name: str, example: object = None):
        self.make, kind = NETWORKS[name]
        dtype = torch.bfloat16 if name == "half" else torch.float32
        inputs = EXAMPLES[kind]()
        self.inputs = inputs.to(dtype) if inputs.is_floating_point() else inputs
        self.example = self.inputs[:2] if example is None else example

    def build(self, seed: int | None) -> nn.Module:
        torch.manual_seed(0)
        return self.make()

    def dense(self) -> nn.Module | None:
        return None

    def train(self, network, hold, lr, seed, share=1.0):
        optimizer = torch.optim.SGD(network.parameters(), lr=lr(0.5), momentum=0.9)
        hold(optimizer)
        before = {name: each.detach().clone() for name, each in network.named_parameters()}
        loss = self.loss(network.train(), [self.inputs])
        if loss.requires_grad:
            loss.backward()
        optimizer.step()
        return Trained({}, before)

    def evaluate(self, network):
        return {"quality": 1.0}

    def batches(self):
        return [[self.inputs, torch.arange(len(self.inputs)) % 3]]

    sample = batches

    def loss(self, network, batch):
        return sum((each.float() ** 2).mean() for each in tensors_of(network(batch[0])))
