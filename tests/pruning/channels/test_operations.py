"""Operations: unsupported ones fix channels by name, and are never silently wrong."""

import copy

import pytest
import torch
from shrinking import apart, build, masked, random_masks
from small_networks import randomised
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from pruning.channels.groups import find_groups
from pruning.channels.removal import shrink

OUT = "output of the network"


class Between(nn.Module):
    """Something between two convolutions that a head reads."""

    def __init__(self, between, middle=None):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 6, 1), nn.Conv2d(6, 6, 1)
        self.middle, self.last = middle, nn.Conv2d(6, 4, 1)
        self.between = between

    def forward(self, x):
        x = self.between(self, torch.relu(self.second(torch.relu(self.first(x)))))
        return self.last(x).mean((2, 3))


UNKNOWN = {
    "permuted": (lambda net, x: x.permute(0, 1, 3, 2), "read by permute, an unsupported operation"),
    "gated": (lambda net, x: x * torch.sigmoid(x), "read by sigmoid, which does not map 0 to 0"),
    "product": (lambda net, x: x * x, "read by mul, with a factor that is not a number"),
    "shifted": (lambda net, x: x + 1.0, "read by add, which does not map 0 to 0"),
    "by its width": (lambda net, x: x / x.shape[1], "read by truediv, with a factor that is not a number"),
    "fixed view": (lambda net, x: x.view(-1, 6, 16).view(-1, 6, 4, 4), "read by view, with a fixed size"),
    "mixing view": (
        lambda net, x: x.reshape(x.size(0), -1, 2, 2)[:, :6],
        "read by getitem, an unsupported operation",
    ),
    "squeezed": (lambda net, x: x.squeeze(), "read by squeeze, called without a dimension"),
    "squeezed later": (
        lambda net, x: x.squeeze(1),
        "read by squeeze, which only acts on a dimension of size 1",
    ),
    "over channels": (
        lambda net, x: x - x.mean(1, True),
        "read by mean, which reduces more than the positions",
    ),
    "rows": (lambda net, x: torch.cat([x, x], 2), "read by cat, along a dimension other than the channels"),
    "halves": (lambda net, x: torch.cat(x.chunk(2, 1), 1), "read by chunk, an unsupported operation"),
    "rolled": (
        lambda net, x: x + torch.cat([x[:, 1:], x[:, :1]], 1),
        "read by getitem, an unsupported operation",
    ),
    "floor": (lambda net, x: x.clamp(0.5, 1.0), "read by clamp, which does not map 0 to 0"),
    "softmax": (lambda net, x: x.softmax(1), "read by softmax, an unsupported operation"),
    "own weight": (
        lambda net, x: functional.conv2d(x, net.second.weight),
        "read by conv2d, an unsupported operation",
    ),
}
MODULES = {
    "layer norm": (nn.GroupNorm(2, 6), "read by GroupNorm, an unsupported operation"),
    "no beta": (nn.BatchNorm2d(6, affine=False), "read by middle, which has no weight and bias to set to 0"),
    "grouped": (nn.Conv2d(6, 6, 1, groups=2), "read by middle, a grouped convolution"),
    "transposed": (nn.ConvTranspose2d(6, 6, 1), "read by ConvTranspose2d, an unsupported operation"),
    "slopes": (nn.PReLU(6), "read by PReLU, with one parameter per channel"),
    "threshold": (nn.Hardtanh(0.1, 1.0), "read by Hardtanh, which does not map 0 to 0"),
}
BETWEEN = {
    **{name: (between, None, why) for name, (between, why) in UNKNOWN.items()},
    **{name: (lambda net, x: net.middle(x), module, why) for name, (module, why) in MODULES.items()},
}


@pytest.mark.parametrize("name", BETWEEN)
def test_what_is_not_understood_fixes_the_channels_and_says_its_name(name):
    between, module, why = BETWEEN[name]
    network, inputs = randomised(Between(between, copy.deepcopy(module)), 0), torch.randn(2, 3, 4, 4)
    groups = find_groups(network, inputs)
    fixed = {group.name: group.fixed for group in groups}
    assert fixed["first"] == (
        "" if name != "own weight" else "its tensor second.weight is used past its layer"
    )
    assert fixed["second"].startswith(why)
    assert "\n" not in fixed["second"]
    with pytest.raises(ValueError, match="second cannot be removed: "):
        shrink(network, groups, {"second": torch.arange(6) > 2})
    masks = random_masks(groups, 0)
    small, _ = shrink(network, groups, masks)
    assert apart(masked(network, groups, masks), small, inputs) < 1e-6


def test_an_addition_of_the_input_fixes_a_stream():
    class OnInput(Between):
        def forward(self, x):
            return self.last(torch.relu(self.second(x) + x))

    groups = find_groups(OnInput(None), torch.randn(2, 6, 4, 4))
    assert {group.name: group.fixed for group in groups} == {
        "second": "input of the network",
        "last": OUT,
        "first": "not called as a module",
    }


def test_tied_and_computed_weights_are_fixed():
    tied = Between(lambda net, x: net.middle(x), nn.Conv2d(6, 6, 1))
    tied.middle.weight = tied.second.weight
    fixed = {group.name: group.fixed for group in find_groups(tied, torch.randn(2, 3, 4, 4))}
    assert fixed["second"] == "its tensor second.weight is used under two names"
    assert fixed["middle"] == "its tensor middle.weight is used under two names"
    normed = Between(lambda net, x: x)
    parametrizations.weight_norm(normed.second)
    fixed = {group.name: group.fixed for group in find_groups(normed, torch.randn(2, 3, 4, 4))}
    assert fixed["second"] == "its tensor second.weight is computed from others"


def test_a_network_that_cannot_be_traced_is_refused_in_one_line():
    network = Between(lambda net, x: x if x.sum() > 0 else -x)
    with pytest.raises(ValueError, match="Between cannot be traced: symbolically traced variables") as error:
        find_groups(network, torch.randn(2, 3, 4, 4))
    assert "\n" not in str(error.value)


def test_an_example_that_does_not_fit_is_refused_in_one_line():
    network, _ = build("conv")
    with pytest.raises(
        ValueError, match=r"an example of shape \[2, 6, 8, 8\] does not fit ConvNet: Given"
    ) as error:
        find_groups(network, torch.randn(2, 6, 8, 8))
    assert "\n" not in str(error.value)
