"""The gradients with kernels: they are those of autograd, on boards, widths and kernels of many sizes."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from agents.alphazero.learning.gradients import Gradients, has_gradients, losses_of
from agents.alphazero.learning.layers import sides_for
from agents.alphazero.network.residual import PRESETS, NetworkConfig, PolicyValueNet, channels_last


def network(**widths):
    torch.manual_seed(0)
    config = NetworkConfig(**{"stream": 6, "blocks": (4, 5), "policy": 3, "value": 2, "hidden": 7, **widths})
    made = channels_last(PolicyValueNet(config)).train()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "bn" in name:
                parameter += 0.3 * torch.randn_like(parameter)
    return made


def batch(number, rows, cols, planes=3):
    generator = torch.Generator().manual_seed(1)
    policies = torch.rand(number, rows * cols, generator=generator).softmax(1)
    inputs = torch.rand(number, planes, rows, cols, generator=generator).round()
    return inputs, policies, 2 * torch.rand(number, generator=generator) - 1


def by_autograd(made, inputs, policies, values, value_weight):
    """The oracle: the network's own `forward`, in float64."""
    exact = copy.deepcopy(made).double()
    logits, expected = exact(inputs.double())
    policy = -(policies.double() * logits.log_softmax(1)).sum(1).mean()
    value = (expected - values.double()).square().mean()
    (policy + value_weight * value).backward()
    return exact, [policy.item(), value.item()]


@pytest.mark.parametrize(
    ("number", "rows", "cols", "widths"),
    [
        (8, 7, 7, {}),
        (6, 4, 5, {"slope": 0.25}),
        (5, 3, 3, {"kernel": 5, "blocks": (9,)}),  # 5 boards, side by side with 2 columns between them
        (7, 2, 31, {"kernel": 1, "blocks": ()}),
    ],
)
@pytest.mark.parametrize(("precision", "tolerance"), [(torch.float32, 0.01), (torch.bfloat16, 0.3)])
def test_gradients_are_those_of_autograd(number, rows, cols, widths, precision, tolerance):
    """Relative to each parameter's gradient; bfloat16 has 8 bits, and autograd is as far off with it."""
    ours, data = network(**widths), batch(number, rows, cols)
    exact, losses = by_autograd(ours, *data, 0.5)
    found = Gradients(ours, precision).add(*data, 0.5)
    assert found.tolist() == pytest.approx(losses, rel=tolerance / 10)
    for (name, parameter), other in zip(ours.named_parameters(), exact.parameters(), strict=True):
        error = (parameter.grad - other.grad).norm() / other.grad.norm().clamp(min=1e-3)
        assert error < tolerance, name
        assert parameter.grad.stride() == parameter.stride()
    for (name, buffer), other in zip(ours.named_buffers(), exact.named_buffers(), strict=True):
        assert torch.allclose(buffer.double(), other[1].double(), atol=tolerance / 10), name


def test_gradients_add_up_and_memory_is_used_again():
    ours, data = network(), batch(8, 7, 7)
    gradients = Gradients(ours, torch.float32)
    gradients.add(*data, 1.0)
    once = [parameter.grad.clone() for parameter in ours.parameters()]
    gradients.add(*(each[:6] for each in data), 1.0)  # another size in between
    ours.zero_grad()
    gradients.add(*data, 1.0)
    gradients.add(*data, 1.0)
    for parameter, first in zip(ours.parameters(), once, strict=True):
        assert torch.allclose(parameter.grad, 2 * first, rtol=1e-4, atol=1e-6)


def test_tied_maxima_share_their_gradient():
    """All positions are the same and empty, so the cells of a symmetric position tie."""
    ours = network(slope=0.25)
    inputs, policies, values = batch(4, 3, 3)
    inputs = torch.zeros_like(inputs)
    exact, _ = by_autograd(ours, inputs, policies, values, 1.0)
    Gradients(ours, torch.float32).add(inputs, policies, values, 1.0)
    wanted, found = exact.value_bn.bias.grad, ours.value_bn.bias.grad
    assert torch.allclose(found.double(), wanted, rtol=1e-3, atol=1e-6)


def test_boards_lie_side_by_side_if_they_divide_the_batch():
    assert sides_for(512, 7, 7, 1) == (4, 7, 7, 1)
    assert sides_for(7, 7, 7, 1).boards == 1
    assert sides_for(6, 7, 7, 1).boards == 3
    assert sides_for(8, 1, 40, 1).boards == 1


class Doubled(nn.Conv2d):
    def forward(self, x):
        return 2 * super().forward(x)


def test_networks_that_compute_something_else_are_left_to_autograd():
    assert has_gradients(network())
    assert not has_gradients(PolicyValueNet(PRESETS["paper"]))  # even kernels, dense heads
    hooked = network()
    hooked.value_bn.register_forward_hook(lambda *_: None)
    assert not has_gradients(hooked)
    doubled = network()
    doubled.value_conv = Doubled(6, 2, 1, bias=False)
    assert not has_gradients(doubled)
    assert not has_gradients(nn.Linear(1, 1))


def test_losses_by_hand():
    logits, policies = torch.tensor([[0.0, np.log(3)]]), torch.tensor([[0.5, 0.5]])
    losses = losses_of(logits, torch.tensor([0.5]), policies, torch.tensor([-1.0]))
    assert losses.tolist() == pytest.approx([-0.5 * (np.log(0.25) + np.log(0.75)), 2.25])
