"""Prune a plain torch network by channels: find groups, choose, remove, retrain, count."""

import torch
from sklearn.datasets import load_digits
from torch import nn

from pruning import cost, cuttable, find_groups, shrink


def train(network, images, labels, steps):
    """Trains in place."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    network.train()
    for step in range(steps):
        chosen = torch.arange(64 * step, 64 * (step + 1)) % len(images)
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images[chosen]), labels[chosen]).backward()
        optimizer.step()
    network.eval()


@torch.no_grad()
def report(name, network, images, labels):
    """Prints accuracy and costs."""
    accuracy = (network(images).argmax(1) == labels).float().mean()
    found = cost(network, images[:1])
    print(f"{name}: {accuracy:.1%} correct, {found.parameters:,} parameters, {found.macs:,} multiply-adds")


def main():
    """Keeps the half of each layer's channels with the largest filters."""
    torch.manual_seed(0)
    data = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32).unsqueeze(1) / 16
    labels = torch.tensor(data.target)
    network = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(128, 10)),
    )
    train(network, images[:1400], labels[:1400], 150)
    report("dense", network, images[1400:], labels[1400:])
    keep = {}
    for group in cuttable(find_groups(network, images[:1])):
        norms = network.get_submodule(group.name).weight.detach().abs().flatten(1).sum(1)
        keep[group.name] = torch.zeros(group.size, dtype=torch.bool)
        keep[group.name][norms.topk(group.size // 2).indices] = True
    small, _ = shrink(network, find_groups(network, images[:1]), keep)
    report("pruned", small, images[1400:], labels[1400:])
    train(small, images[:1400], labels[:1400], 50)
    report("retrained", small, images[1400:], labels[1400:])


if __name__ == "__main__":
    main()
