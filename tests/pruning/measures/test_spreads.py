"""The spread of gradients and activations, against a network whose gradients are known by hand."""

import copy
from statistics import stdev

import pytest
import torch
from torch import nn
from torch.nn import functional

from pruning.measures.spreads import measure_spread


def by_hand():
    """Hidden weights [[1, 0], [2, -1]], of which one is pruned, and output weights [[3, 1]]; no biases."""
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, 0.0], [2.0, -1.0]]))
        network[2].weight.copy_(torch.tensor([[3.0, 1.0]]))
    return network


def mean_output(network, batch):
    return network(batch[0]).mean()


X = torch.tensor([[1.0, 1.0], [2.0, 0.0], [0.0, 1.0]])
"""Behind the hidden layer these are (1, 1), (2, 4), (0, -1), so (0, 0); outputs 4, 10, 0."""


def test_the_gradients_are_those_by_hand_without_the_pruned_weight():
    # of the outputs' mean: output weights see the mean activations (3, 5) / 3; a hidden weight sees the
    # output weight behind it times the mean of its input over the samples that pass: sums (3, 1) / 3
    wanted = [3 / 3, 5 / 3, 3 * 3 / 3, 1 * 3 / 3, 1 * 1 / 3]
    found = measure_spread(by_hand(), [X], mean_output)
    assert found["gradient"] == pytest.approx(stdev(wanted))


def test_the_activations_are_those_by_hand_without_the_outputs():
    found = measure_spread(by_hand(), [X], mean_output)
    assert found["activation"] == pytest.approx(stdev([1, 1, 2, 4, 0, 0]))


def test_channels_that_are_always_0_count_among_the_activations():
    network = by_hand()
    with torch.no_grad():
        network[0].weight[1] = 0
    assert measure_spread(network, [X], mean_output)["activation"] == pytest.approx(
        stdev([1, 2, 0, *(0, 0, 0)])
    )


def test_the_network_stays_as_it_is():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 3)
    )
    batch = [torch.randn(8, 1, 6, 6), torch.arange(8) % 3]

    def loss(network, batch):
        return functional.cross_entropy(network(batch[0]), batch[1])

    loss(network, batch).backward()  # gradients of a step that is under way
    before = copy.deepcopy(network.state_dict())
    gradients = [parameter.grad.clone() for parameter in network.parameters()]
    first = measure_spread(network, batch, loss)
    assert measure_spread(network, batch, loss) == first  # nothing is added to what is there
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    pairs = zip(network.parameters(), gradients, strict=True)
    assert all(torch.equal(parameter.grad, gradient) for parameter, gradient in pairs)


def test_a_loss_twice_as_steep_has_gradients_twice_as_wide():
    found = measure_spread(by_hand(), [X], mean_output)
    steep = measure_spread(by_hand(), [X], lambda network, batch: 2 * mean_output(network, batch))
    assert steep["gradient"] == pytest.approx(2 * found["gradient"])
    assert steep["activation"] == found["activation"]
