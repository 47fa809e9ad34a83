"""A task of the pruning loop that takes milliseconds: a residual network on random images, in float64."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn import functional

from pruning.criteria.evidence import batches_of
from pruning.loop.task import Trained

STEPS = 4


class Toy(nn.Module):
    """A stream of 6 channels, a block of 5, a hidden layer of 8: 19 units that can be cut."""

    def __init__(self):
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(1, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.inner, self.inner_norm = nn.Conv2d(6, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5)
        self.back, self.back_norm = nn.Conv2d(5, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.hidden, self.out = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = torch.relu(self.stem_norm(self.stem(x)))
        x = torch.relu(self.back_norm(self.back(torch.relu(self.inner_norm(self.inner(x))))) + x)
        return self.out(torch.relu(self.hidden(x.mean((2, 3)))))


class ToyTask:
    """Images of three classes, which the network learns in a few steps.

    Attributes:
        starts: The states with which trainings began.
        states: The states after each step of each training.
        lrs: The learning rate of each step of each training.

    Args:
        data: Seed of the images.
        trained: Whether the dense network is there already.
        holds: Whether its training calls `hold`, as it must.
        values: What `evaluate` is to find, call by call; by default it is measured.
        fails: Raises an exception in the training of that number.
    """

    measure = "quality"

    def __init__(
        self, *, data=0, trained=False, holds=True, values=(), fails=None, optimizer=torch.optim.SGD
    ):
        generator = torch.Generator().manual_seed(data)
        self.images = torch.randn(30, 1, 4, 4, generator=generator, dtype=torch.double)
        self.labels = torch.arange(30) % 3
        self.images += self.labels[:, None, None, None]
        self.example = self.images[:1]
        self.trained, self.holds, self.fails, self.optimizer = trained, holds, fails, optimizer
        self.values = list(values)
        self.fingerprint = {"data": data, "trained": trained}  # not where its training fails
        self.starts: list[dict] = []
        self.states: list[list[dict]] = []
        self.lrs: list[list[float]] = []

    def build(self, seed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1 if seed is None else seed)
            return Toy().double()

    def dense(self):
        if not self.trained:
            return None
        network = self.build(None)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(1.1)
        return network

    def train(self, network, hold, lr, seed, share=1.0):
        self.starts.append(copy.deepcopy(network.state_dict()))
        self.states.append([])
        self.lrs.append([])
        network.train()
        momentum = {"momentum": 0.9} if self.optimizer is torch.optim.SGD else {}
        optimizer = self.optimizer(network.parameters(), lr=0.1, weight_decay=0.01, **momentum)
        if self.holds:
            hold(optimizer)
        generator = torch.Generator().manual_seed(seed)
        before = {}
        steps = round(share * STEPS)
        for step in range(steps):
            if step == steps - 1:
                before = {name: tensor.detach().clone() for name, tensor in network.named_parameters()}
            optimizer.param_groups[0]["lr"] = lr(step / STEPS)
            chosen = torch.randperm(len(self.images), generator=generator)[:20]
            optimizer.zero_grad()
            loss = self.loss(network, [self.images[chosen], self.labels[chosen]])
            loss.backward()
            optimizer.step()
            self.states[-1].append(copy.deepcopy(network.state_dict()))
            self.lrs[-1].append(optimizer.param_groups[0]["lr"])
        if self.fails == len(self.starts) - 1:
            raise KeyboardInterrupt
        return Trained({"steps": round(share * STEPS)}, before)

    @torch.no_grad()
    def evaluate(self, network):
        assert not network.training
        quality = 1 / (1 + float(self.loss(network, [self.images, self.labels])))
        return {"quality": self.values.pop(0) if self.values else quality}

    def batches(self):
        return batches_of([self.images, self.labels], 8)

    def sample(self):
        return [[self.images[:9], self.labels[:9]]]

    def loss(self, network, batch):
        return functional.cross_entropy(network(batch[0]), batch[1])
