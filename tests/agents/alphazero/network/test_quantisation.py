"""Convolutions in 8 bits: what is rounded, compared with a slow obvious implementation, and what is not."""

import numpy as np
import pytest
import torch
from torch import nn

from agents.alphazero.network.openvino_model import answers_of, converted
from agents.alphazero.network.quantisation import quantise

SHAPE = (3, 4, 5)


class Two(nn.Module):
    """Two convolutions with an activation between them, then a linear layer for the values."""

    def __init__(self, slope):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 1, 1)
        self.activation, self.linear = nn.LeakyReLU(slope), nn.Linear(6, 1)

    def forward(self, planes):
        inner = self.activation(self.first(planes))
        return self.second(inner).flatten(1), self.linear(inner.amax((2, 3))).squeeze(1)


def planes(number, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (number, *SHAPE)).astype(np.float32)


def to_grid(numbers, step):
    return torch.round(numbers / step) * step


def rounded_weights(layer):
    """Each output channel's weights as multiples of the 127th part of the largest."""
    return to_grid(layer.weight, layer.weight.abs().amax((1, 2, 3), keepdim=True) / 127)


@torch.no_grad()
def slowly(network, typical, asked):
    """The network with rounded numbers, in float32."""

    def inner(given):
        first = nn.functional.conv2d(given, rounded_weights(network.first), network.first.bias, padding=1)
        return network.activation(first)

    plain = network.activation(network.first(typical))
    if float(plain.min()) >= 0:
        step, least, most = float(plain.max()) / 255, 0, 255
    else:
        step, least, most = float(plain.abs().max()) / 127, -128, 127
    seen = inner(asked)
    held = torch.clamp(torch.round(seen / step), least, most) * step
    logits = nn.functional.conv2d(held, rounded_weights(network.second), network.second.bias).flatten(1)
    return logits.numpy(), network.linear(seen.amax((2, 3))).squeeze(1).numpy()


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_weights_and_inputs_of_convolutions_are_rounded_and_nothing_else(slope):
    network, typical, asked = Two(slope).eval(), planes(50), planes(20, seed=1)
    model = converted(network, *SHAPE[1:])
    exact = answers_of(model, asked)
    quantise(model, typical)
    found, expected = answers_of(model, asked), slowly(network, *map(torch.from_numpy, (typical, asked)))
    assert np.abs(found[1] - expected[1]).max() < 1e-5
    # a number in the middle between two steps may be rounded to either
    step = float(np.abs(expected[0]).max()) / 127
    assert np.abs(found[0] - expected[0]).max() < step and np.median(np.abs(found[0] - expected[0])) < 1e-5
    assert 1e-5 < np.abs(found[0] - exact[0]).max() < 10 * step


def test_layers_of_zeros_stay_zero():
    network = Two(0.0).eval().requires_grad_(False)
    for tensor in (network.first.weight, network.first.bias, network.second.bias):
        tensor.zero_()
    model = converted(network, *SHAPE[1:])
    quantise(model, planes(5))
    assert not answers_of(model, planes(3))[0].any()


def test_a_network_without_convolutions_stays_as_it_is():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(60, 8)).eval()
    model = converted(network, *SHAPE[1:])
    exact = answers_of(model, planes(4))
    quantise(model, planes(5))
    assert np.array_equal(answers_of(model, planes(4))[0], exact[0])
