"""RigL in your own training loop: 5% of the weights from the start, at positions that change in training."""

import torch
from sklearn.datasets import load_digits
from torch import nn

from pruning import SparseTraining, make_topology
from pruning.masks import Masks, keep_highest, layer_counts

STEPS, DENSITY = 300, 0.05


def random_masks(network):
    """Returns masks that keep exactly the ERK number of weights of each layer, at random places."""
    weights = {name: each for name, each in network.named_parameters() if each.dim() > 1}
    shapes = {name: tuple(each.shape) for name, each in weights.items()}
    scores = {name: torch.rand(shape) for name, shape in shapes.items()}
    return keep_highest(scores, Masks.ones(shapes), layer_counts(shapes, DENSITY, "erk")).masks


def train(topology, images, labels):
    """Returns a sparse network after training, and its masks."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    sparse = SparseTraining(network, random_masks(network), topology, seed=0)
    sparse.hold(optimizer)
    lr = sparse.watch(lambda progress: 0.1 * (1 - progress))
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = lr(step / STEPS)
        chosen = torch.randint(len(images), (64,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images[chosen]), labels[chosen]).backward()
        optimizer.step()
    return network, sparse.masks


def main():
    """Compares fixed masks with changing masks."""
    data = load_digits()
    images, labels = torch.tensor(data.data, dtype=torch.float32) / 16, torch.tensor(data.target)
    for name in ("static", "rigl"):
        options = {} if name == "static" else {"alpha": 0.3, "every": 20}
        network, masks = train(make_topology(name, **options), images[:1400], labels[:1400])
        correct = (network(images[1400:]).argmax(1) == labels[1400:]).float().mean()
        print(f"{name}: {correct:.1%} correct with {masks.density():.1%} of the weights")


if __name__ == "__main__":
    main()
