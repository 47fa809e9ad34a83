"""Tracing: where the channels' values are seen, and what observing them leaves as it was."""

import copy

import pytest
import torch
from shrinking import NAMES, build, masked, random_masks
from torch import nn
from torch.nn import functional

from pruning.channels.groups import cuttable, find_groups
from pruning.channels.tracing import observe, observer


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mlp", {"hidden.0": 1, "hidden.1": 1, "out": 1}),
        ("resnet", {"stem": 2, "a1": 1, "b1": 1, "b2": 1, "out": 1}),
        ("dropnet-resnet", {"stem": 2, "a1": 1, "b1": 1, "b2": 2, "out": 1}),
        ("preact-resnet", {"stem": 2, "conv1": 1, "out": 1}),
        ("depthwise", {"stem": 2, "wide": 2, "out": 1}),
        ("twice", {"stem": 3, "head": 1, "out": 1}),
    ],
)
def test_number_of_taps(name, expected):
    assert {group.name: len(group.taps) for group in find_groups(*build(name))} == expected


@pytest.mark.parametrize("name", NAMES)
def test_taps_show_one_value_for_each_channel_and_nothing_of_masked_ones(name):
    network, inputs = build(name)
    groups = find_groups(network, inputs)
    masks = random_masks(groups, 0)
    zeroed = masked(network, groups, masks)
    for group in cuttable(groups):
        assert group.taps
        for values in observe(zeroed, group.taps, inputs).values():
            assert values.shape[:2] == (len(inputs), group.size)
            assert not values[:, ~masks[group.name]].any()


def test_taps_by_hand_after_the_normalisation_behind_an_activation():
    network, inputs = build("vgg")
    groups = find_groups(network, inputs)
    seen = observe(network, [tap for group in groups for tap in group.taps], inputs)
    first = network.norms[0](functional.relu(network.convs[0](inputs)))
    assert torch.equal(seen[groups[0].taps[0]], first)
    assert torch.equal(seen[groups[-1].taps[0]], network(inputs))


def test_taps_by_hand_of_the_policy_value_network():
    network, inputs = build("small")
    stream = network.activation(network.stem_bn(network.stem(inputs)))
    expected = [stream]
    for block in network.blocks:
        stream = block(stream, network.activation)
        expected.append(stream)
    stem = find_groups(network, inputs)[0]
    seen = observe(network, stem.taps, inputs)
    assert all(torch.equal(seen[tap], values) for tap, values in zip(stem.taps, expected, strict=True))


def test_what_is_activated_again_behind_an_addition_is_seen_there_alone():
    class Twice(nn.Sequential):
        def forward(self, x):
            x = torch.relu(self[0](x))
            return self[3](torch.relu(torch.relu(self[2](torch.relu(self[1](x)))) + x))

    network, inputs = Twice(*(nn.Linear(4, 4) for _ in range(4))), torch.randn(2, 4)
    names = [group.taps for group in find_groups(network, inputs)]
    assert names == [("relu", "relu_3"), ("relu_1",), ("_3",)]
    alone = [group.taps for group in find_groups(network, inputs, coupled=False)]
    assert alone == [("relu",), ("relu_1",), ("relu_2",), ("_3",)]


def test_taps_by_hand_where_nothing_follows_the_addition():
    network, inputs = build("dropnet-resnet")
    relu = functional.relu
    stem = relu(network.stem(inputs))
    pooled = functional.max_pool2d(stem, 2)
    branch = relu(network.a2(relu(network.a1(pooled))))
    together = find_groups(network, inputs)[0]
    seen = observe(network, together.taps, inputs)
    assert all(
        torch.equal(seen[tap], values) for tap, values in zip(together.taps, (stem, branch), strict=True)
    )
    alone = {group.name: group.taps for group in find_groups(network, inputs, coupled=False)}
    assert (*alone["stem"], *alone["a2"]) == together.taps


def test_observing_gives_the_outputs_too_and_gradients_to_the_taps():
    network, inputs = build("resnet")
    groups = find_groups(network, inputs)
    seen = observe(network, [*groups[0].taps, "output"], inputs)
    assert torch.equal(seen["output"], network(inputs))
    gradients = torch.autograd.grad(seen["output"].sum(), [seen[tap] for tap in groups[0].taps])
    for tap, gradient in zip(groups[0].taps, gradients, strict=True):
        assert gradient.shape == seen[tap].shape
        assert gradient.any()


def test_an_observer_sees_parameters_that_changed():
    network, inputs = build("small")
    taps = find_groups(network, inputs)[0].taps
    look = observer(network, taps)
    before = look(inputs)
    with torch.no_grad():
        network.stem.weight.mul_(2)
    after, again = look(inputs), observe(network, taps, inputs)
    assert all(
        torch.equal(after[tap], again[tap]) and not torch.equal(after[tap], before[tap]) for tap in taps
    )


def test_an_operation_in_place_does_not_change_what_was_observed():
    class Doubled(nn.Sequential):
        def forward(self, x):
            seen = torch.relu(self[0](x))
            seen.mul_(2.0)
            return self[1](seen)

    network, inputs = Doubled(nn.Linear(3, 5), nn.Linear(5, 2)), torch.randn(4, 3)
    (tap,) = find_groups(network, inputs)[0].taps
    seen = observe(network, [tap, "output"], inputs)
    assert torch.equal(seen[tap], torch.relu(network[0](inputs)))
    assert torch.equal(seen["output"], network(inputs))


def test_observing_leaves_nothing_on_the_network_and_goes_no_further_than_the_last_tap():
    network, inputs = build("conv")
    tap = find_groups(network, inputs)[0].taps
    before = copy.deepcopy(network.state_dict())
    network.fc = nn.Linear(1, 1)  # a forward pass to the end would fail here
    observe(network, tap, inputs)
    assert not any(module._forward_hooks for module in network.modules())
    assert all(
        torch.equal(before[name], each) for name, each in network.state_dict().items() if "fc" not in name
    )


def test_an_unknown_tap_is_refused_in_one_line():
    network, inputs = build("conv")
    with pytest.raises(
        ValueError, match="no node 'relu3'; the nodes of ConvNet are input_1, conv1, relu1"
    ) as error:
        observe(network, ["relu3"], inputs)
    assert "\n" not in str(error.value)
