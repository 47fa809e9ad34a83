"""Trust: a module that may compute something else than its class is never cut as if it were plain."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

from pruning.channels import cuttable, find_groups, find_weights, shrink
from pruning.masks import apply, weight_masks


class Standardised(nn.Conv2d):
    """Weight standardisation: each filter depends on all columns."""

    def forward(self, x):
        mean = self.weight.mean((1, 2, 3), keepdim=True)
        return functional.conv2d(x, (self.weight - mean) / (self.weight.std() + 1e-5), self.bias)


class Inside(nn.Conv2d):
    def _conv_forward(self, x, weight, bias):
        return super()._conv_forward(x, weight / weight.abs().sum((1, 2, 3), keepdim=True), bias)


class Activated(nn.BatchNorm2d):
    def forward(self, x):
        return torch.relu(super().forward(x) + 1)


class Shifted(nn.Linear):
    def __call__(self, x):
        return super().__call__(x) + x.mean()


class Plain(nn.Conv2d):
    """A subclass that changes nothing of what is computed."""

    def extra_repr(self):
        return "plain"


class Padded(nn.Conv2d):
    """A subclass with its own forward that declares to treat channels as its base class."""

    channels_as_base = True

    def forward(self, x):
        return super().forward(functional.pad(x, (1, 1, 1, 1)))


class HeirOfPadded(Padded):
    def forward(self, x):
        return super().forward(x - x.mean())


def hooked(module):
    module.register_forward_hook(lambda module, inputs, output: output + output.mean(1, keepdim=True))
    return module


def hooked_before(module):
    module.register_forward_pre_hook(lambda module, inputs: (inputs[0] - inputs[0].mean(),))
    return module


def replaced(module):
    plain = module.forward
    module.forward = lambda x: plain(x) + x.mean()
    return module


def network_with(middle, norm=None, second=None):
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 1), norm or nn.BatchNorm2d(8), nn.ReLU(), middle),
        *(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), second or nn.Linear(8, 6), nn.ReLU()),
        nn.Linear(6, 2),
    )


def convolution():
    return nn.Conv2d(8, 8, 1)


OWN = {
    "forward": (lambda: network_with(Standardised(8, 8, 1)), "3", "made by 3, which has its own forward"),
    "_conv_forward": (lambda: network_with(Inside(8, 8, 1)), "3", "made by 3, which has its own _conv_fo"),
    "call": (
        lambda: network_with(convolution(), second=Shifted(8, 6)),
        "7",
        "made by 7, which has its own _",
    ),
    "norm": (
        lambda: network_with(convolution(), norm=Activated(8)),
        "0",
        "read by Activated, which has its own forward",
    ),
    "heir": (lambda: network_with(HeirOfPadded(8, 8, 3)), "3", "made by 3, which has its own forward"),
    "hook": (lambda: network_with(hooked(convolution())), "3", "made by 3, which has forward hooks"),
    "pre-hook": (lambda: network_with(hooked_before(convolution())), "3", "made by 3, which has forward ho"),
    "hooked activation": (
        lambda: network_with(convolution(), norm=hooked(nn.ReLU())),
        "0",
        "read by ReLU, which has forward hooks",
    ),
    "replaced": (lambda: network_with(replaced(convolution())), "3", "made by 3, whose forward was replaced"),
    "hooked block": (
        lambda: network_with(hooked(nn.Sequential(convolution(), nn.ReLU()))),
        "3.0",
        "inside 3, which has forward hooks",
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_what_departs_from_its_class_is_fixed_and_the_rest_is_cut_rightly(name):
    make, layer, why = OWN[name]
    network, images = make().double().eval(), torch.rand(2, 3, 4, 4, dtype=torch.double)
    groups = find_groups(network, images)
    fixed = {group.name: group.fixed for group in groups}
    assert fixed[layer].startswith(why)
    keep = {group.name: torch.arange(group.size) % 2 == 0 for group in cuttable(groups)}
    assert keep, "something is left to cut"
    small, _ = shrink(network, groups, keep, check=images)
    masked = copy.deepcopy(network)
    apply(masked, weight_masks(groups, keep, network))
    torch.testing.assert_close(masked(images), small(images), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layer", [Plain(8, 8, 1), Padded(8, 8, 3), nn.LazyConv2d(8, 1)])
def test_subclasses_that_compute_as_their_class_are_cut(layer):
    network, images = network_with(layer), torch.rand(2, 3, 4, 4)
    network(images)
    groups = cuttable(find_groups(network, images))
    assert [group.name for group in groups] == ["0", "3", "7"]
    keep = {group.name: torch.arange(group.size) % 2 == 0 for group in groups}
    shrink(network, groups, keep, check=images)


@pytest.mark.parametrize(
    "layers",
    [
        (Standardised(3, 8, 1), nn.ReLU()),
        (hooked(nn.Conv2d(3, 8, 1)), nn.ReLU()),
        (nn.Conv2d(3, 8, 1), hooked(nn.ReLU())),
        (nn.Conv2d(3, 8, 1), Activated(8)),
        (parametrizations.weight_norm(nn.Conv2d(3, 8, 1)), nn.ReLU()),
    ],
)
def test_a_network_that_has_nothing_else_is_refused(layers):
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
    groups = find_groups(network, torch.rand(2, 3, 4, 4))
    with pytest.raises(ValueError, match=r"no channels can be pruned: 0: .*; 4: out"):
        cuttable(groups)


def test_a_parametrized_layer_is_fixed():
    network = network_with(parametrizations.weight_norm(convolution()))
    fixed = {group.name: group.fixed for group in find_groups(network, torch.rand(2, 3, 4, 4))}
    assert fixed["3"] == "its tensor 3.weight is computed from others"


def test_check_finds_a_network_that_uses_its_channels_elsewhere():
    class Peeking(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(4, 6), nn.Linear(6, 2)
            self.scale = [self.first]  # not registered: a trace takes the number for a constant

        def forward(self, x):
            return self.last(torch.relu(self.first(x))) / self.scale[0].out_features

    network, inputs = Peeking(), torch.rand(3, 4)
    groups = find_groups(network, inputs)
    keep = {"first": torch.arange(6) < 3}
    shrink(network, groups, keep)
    with pytest.raises(ValueError, match=r"differs from the masked one by .* where its largest output is"):
        shrink(network, groups, keep, check=inputs)


def test_check_names_a_network_that_cannot_run_without_its_channels():
    class Fixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last, self.width = nn.Linear(4, 6), nn.Linear(6, 2), 6

        def forward(self, x):
            x = torch.relu(self.first(x))
            assert x.shape[-1] == self.width if isinstance(x, torch.Tensor) else True
            return self.last(x)

    network, inputs = Fixed(), torch.rand(3, 4)
    with pytest.raises(ValueError, match="the network cannot run without these channels"):
        shrink(network, find_groups(network, inputs), {"first": torch.arange(6) < 3}, check=inputs)


def test_masked_is_rows_and_columns():
    """Rows alone are not all that `weight_masks` sets to 0: the columns that read them are 0 too."""
    network, images = network_with(convolution()).double().eval(), torch.rand(2, 3, 4, 4).double()
    groups = find_groups(network, images)
    keep = {"0": torch.arange(8) < 5}
    masks = weight_masks(groups, keep, network)
    assert not masks["0.weight"][5:].any() and not masks["3.weight"][:, 5:].any()
    small, _ = shrink(network, groups, keep)
    masked = copy.deepcopy(network)
    apply(masked, {"3.weight": masks["3.weight"]})  # columns alone are enough where one layer reads them
    torch.testing.assert_close(masked(images), small(images), rtol=1e-12, atol=1e-12)


UNUSABLE = {
    "compiled": (torch.compile, "the network .OptimizedModule. is compiled by torch.compile"),
    "scripted": (torch.jit.script, "the network .RecursiveScriptModule. is scripted"),
    "meta": (lambda net: net.to("meta"), "the module '0' .Linear. has tensors on the meta device"),
    "lazy": (lambda net: nn.Sequential(nn.LazyLinear(4)), "the module '0' .LazyLinear. has lazy parameters"),
    "pruned": (
        lambda net: prune.l1_unstructured(net[0], "weight", amount=0.5) and net,
        "the module '0' .Linear. has a computed 'weight', as torch.nn.utils.prune",
    ),
    "old weight_norm": (
        lambda net: nn.utils.weight_norm(net[0]) and net,
        "the module '0' .Linear. has a computed 'weight', as torch.nn.utils.prune",
    ),
    "hooked": (hooked, "Sequential cannot be traced: it is a network which has forward hooks"),
    "replaced": (replaced, "Sequential cannot be traced: it is a network whose forward was replaced"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", UNUSABLE)
def test_a_network_that_cannot_be_followed_is_refused_in_one_line(name):
    change, message = UNUSABLE[name]
    network = change(nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)))
    with pytest.raises(ValueError, match=message) as error:
        find_groups(network, torch.rand(2, 4))
    assert "\n" not in str(error.value)


def test_a_plain_tensor_beside_a_parameter_of_a_similar_name_is_no_obstacle():
    network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    network.scale = torch.ones(3)
    network.scale_bias = nn.Parameter(torch.ones(3))
    assert cuttable(find_groups(network, torch.rand(2, 4)))


def test_every_layer_is_in_a_group():
    class Many(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.lstm = nn.Embedding(9, 4), nn.LSTM(4, 6, batch_first=True)
            self.attention = nn.MultiheadAttention(6, 2, batch_first=True)
            self.conv, self.two, self.unused = nn.Conv1d(6, 8, 3), nn.Bilinear(8, 8, 5), nn.Linear(3, 3)
            self.out = nn.Linear(5, 2)

        def forward(self, x):
            x, _ = self.lstm(self.embedding(x))
            x, _ = self.attention(x, x, x)
            x = self.conv(x.transpose(1, 2)).mean(2)
            return self.out(torch.relu(self.two(x, x)))

    network = Many()
    groups = {group.name: group for group in find_groups(network, torch.randint(9, (2, 7)))}
    assert {name: group.size for name, group in groups.items()} == {
        **{"embedding": 4, "lstm": 6, "attention": 6, "attention.out_proj": 6},
        **{"conv": 8, "two": 5, "unused": 3, "out": 2},
    }
    assert all(group.fixed for group in groups.values())
    assert groups["conv"].fixed == "made by conv, a Conv1d: its channels are not followed"
    assert groups["lstm"].fixed == "made by lstm, an LSTM: its channels are not followed"
    assert groups["unused"].fixed == "not called as a module"
    assert find_weights(network).left_out == {
        "embedding.weight": "an embedding, pruned on request (embeddings)"
    }


@pytest.mark.parametrize("register", ["register_module_forward_hook", "register_module_forward_pre_hook"])
def test_hooks_of_all_modules_are_refused(register):
    network, example = network_with(convolution()), torch.randn(1, 3, 8, 8)
    groups = find_groups(network, example)
    masks = {group.name: torch.arange(group.size) > 0 for group in cuttable(groups)}
    handle = getattr(nn.modules.module, register)(lambda *given: None)
    try:
        for call in (lambda: find_groups(network, example), lambda: shrink(network, groups, masks)):
            with pytest.raises(ValueError, match=r"^global forward hooks .* remove them first$"):
                call()
    finally:
        handle.remove()
    shrink(network, groups, masks)
