"""What the tests of greedy selection share: networks whose units are read in every way, and evidence."""

from __future__ import annotations

import copy
from functools import cache

import torch
from sklearn.datasets import load_digits
from small_networks import MLP, NETWORKS, randomised
from torch import Tensor, nn
from torch.nn import functional

from pruning.channels.groups import Group, cuttable, find_groups
from pruning.criteria.evidence import Evidence, batches_of
from pruning.masks.held import Masks


class OwnPadding(nn.Conv2d):
    """An even kernel that keeps a map's size: it pads what it is given by itself."""

    channels_as_base = True

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(functional.pad(x, (0, 1, 0, 1)))


class PolicyValue(nn.Module):
    """A residual block, a policy of 9 cells, and a value that reads each channel's mean and its maximum."""

    def __init__(self):
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(3, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5)
        self.conv1, self.norm1 = OwnPadding(5, 7, 2, bias=False), nn.BatchNorm2d(7)
        self.conv2, self.norm2 = OwnPadding(7, 5, 2, bias=False), nn.BatchNorm2d(5)
        self.policy_conv, self.policy_norm = nn.Conv2d(5, 6, 1, bias=False), nn.BatchNorm2d(6)
        self.policy_out = nn.Conv2d(6, 1, 1, bias=False)
        self.value_conv, self.value_norm = nn.Conv2d(5, 4, 1, bias=False), nn.BatchNorm2d(4)
        self.value_hidden, self.value_out = nn.Linear(8, 6), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.relu(self.stem_norm(self.stem(x)))
        inner = torch.relu(self.norm1(self.conv1(x)))
        x = torch.relu(self.norm2(self.conv2(inner)) + x)
        policy = torch.relu(self.policy_norm(self.policy_conv(x)))
        value = torch.relu(self.value_norm(self.value_conv(x)))
        pooled = torch.cat([value.mean((2, 3)), value.amax((2, 3))], 1)
        value = self.value_out(torch.relu(self.value_hidden(pooled)))
        return self.policy_out(policy).flatten(1), torch.tanh(value).squeeze(1)


class Windows(nn.Module):
    """Convolutions with strides, dilation, and every way of padding."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3, stride=(2, 1), padding=(2, 0))
        self.b = nn.Conv2d(4, 5, (2, 3), padding="same", dilation=(1, 2))
        self.c = nn.Conv2d(5, 4, 3, padding=1, padding_mode="circular")
        self.d = nn.Conv2d(4, 3, 2, stride=2, dilation=2)
        self.out = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.a, self.b, self.c, self.d):
            x = torch.relu(layer(x))
        return self.out(x.mean((2, 3)))


class Tokens(nn.Module):
    """Linear layers on each of several tokens."""

    def __init__(self):
        super().__init__()
        self.up, self.down, self.out = nn.Linear(6, 8), nn.Linear(8, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.relu(self.down(torch.relu(self.up(x)))).mean(1))


OWN = {
    "policy-value": (PolicyValue, (3, 3, 3)),
    "windows": (Windows, (3, 12, 9)),
    "tokens": (Tokens, (5, 6)),
    "small-mlp": (lambda: MLP(6, (9, 7), 4), (6,)),
}


def network_of(name: str, samples: int = 40) -> tuple[nn.Module, Tensor]:
    """Returns a network in double precision and evaluation mode, and inputs `[samples, ...]`."""
    torch.manual_seed(0)
    make, shape = {**NETWORKS, **OWN}[name]
    return randomised(make(), 0).double(), torch.randn(samples, *shape, dtype=torch.double)


def selectable(groups: tuple[Group, ...]) -> list[Group]:
    """Returns the groups that greedy methods may select from."""
    return [group for group in cuttable(groups) if len(group.layers) == 1 and not group.tied]


def evidence_of(network: nn.Module, tensors: list[Tensor], *, alive=None, loss=None, seed=0) -> Evidence:
    """The evidence of a network on tensors of samples; the loss is the cross entropy of its first output."""
    groups = find_groups(network, tensors[0][:1])
    whole = {group.name: torch.ones(group.size, dtype=torch.bool) for group in cuttable(groups)}

    def cross_entropy(network, batch):
        given = network(batch[0])
        return functional.cross_entropy(given[0] if isinstance(given, tuple) else given, batch[1])

    return Evidence(
        network=network,
        alive=Masks({**whole, **(alive or {})}),
        groups=groups,
        batches=lambda: batches_of(tensors, 16 if len(tensors[0]) < 100 else 256),
        loss=loss or cross_entropy,
        before={},
        generator=torch.Generator().manual_seed(seed),
        sample=lambda: batches_of(tensors, 10),
        example=tensors[0][:1],
    )


@cache
def _trained() -> tuple[nn.Module, list[Tensor], list[Tensor]]:
    found = load_digits()
    order = torch.randperm(len(found.target), generator=torch.Generator().manual_seed(0))
    images = torch.tensor(found.data, dtype=torch.float32)[order] / 16
    labels = torch.tensor(found.target)[order]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = MLP(64, (80, 40), 10)
        optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
        for _ in range(30):
            for part in torch.randperm(1400).split(50):
                optimizer.zero_grad()
                functional.cross_entropy(network(images[part]), labels[part]).backward()
                optimizer.step()
    return network.eval(), [images[:1400], labels[:1400]], [images[1400:], labels[1400:]]


def trained_on_digits() -> tuple[nn.Module, list[Tensor], list[Tensor]]:
    """Returns a network 64-80-40-10, the digits that it was trained on, and others; always the same."""
    network, train, test = _trained()
    return copy.deepcopy(network), train, test
