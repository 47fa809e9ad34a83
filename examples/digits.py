"""A task for the pruning loop (see `pruning.Task`): a small network on scikit-learn's digits."""

import torch
from sklearn.datasets import load_digits
from torch import nn

from pruning import Trained
from pruning.criteria import batches_of


class Digits:
    """Images of digits, a network of one convolution and two linear layers, 100 steps of SGD."""

    measure = "accuracy"

    def __init__(self):
        images, labels = map(torch.tensor, load_digits(return_X_y=True))
        self.samples = [images.float().view(-1, 1, 8, 8) / 16, labels]
        self.example = self.samples[0][:1]

    def build(self, seed):
        """Returns an untrained network; None gives the initial weights to rewind to."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0 if seed is None else seed)
            layers = nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
            return nn.Sequential(*layers, nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10))

    def dense(self):
        """Returns None: the dense network is trained in cycle 0."""

    def train(self, network, hold, lr, seed, share=1.0):
        """Trains in place; `hold` keeps pruned weights at zero, `lr` gives the rate by progress."""
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
        hold(optimizer)
        for step in range(round(100 * share)):
            optimizer.param_groups[0]["lr"] = lr(step / 100)
            chosen = (torch.arange(64) + 64 * step + seed) % 1200
            optimizer.zero_grad()
            self.loss(network, [each[chosen] for each in self.samples]).backward()
            optimizer.step()
        return Trained(metrics={}, before={})

    @torch.no_grad()
    def evaluate(self, network):
        """Returns the accuracy on the validation split."""
        images, labels = (each[1200:] for each in self.samples)
        return {"accuracy": float((network(images).argmax(1) == labels).float().mean())}

    def batches(self):
        """Returns the training split, for scores."""
        return batches_of([each[:1200] for each in self.samples], 256)

    def sample(self):
        """Returns a few samples, for scores before training."""
        return [[each[:100] for each in self.samples]]

    def loss(self, network, batch):
        """Returns the cross entropy."""
        return nn.functional.cross_entropy(network(batch[0]), batch[1])
