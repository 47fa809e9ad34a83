"""Groups: which channels go together, where they lie, where they are seen, and what is refused by name."""

import copy
from dataclasses import replace

import pytest
import torch
from shrinking import NAMES, apart, build, masked, outputs, random_masks
from small_networks import NETWORKS, randomised
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from pruning.groups import Slice, cuttable, find_groups
from pruning.shrink import shrink
from pruning.tracing import observe

OUT = "output of the network"


def groups_of(name, **options):
    network, inputs = build(name)
    return {group.name: group for group in find_groups(network, inputs, **options)}


# ------------------------------------------------------------------------- what goes together


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mlp", [("hidden.0",), ("hidden.1",), ("out",)]),
        ("conv", [("conv1",), ("conv2",), ("fc",)]),
        ("vgg", [("convs.0",), ("convs.1",), ("convs.2",), ("hidden",), ("out",)]),
        ("resnet", [("stem", "a2"), ("a1",), ("b1",), ("b2", "short"), ("out",)]),
        ("dropnet-resnet", [("stem", "a2"), ("a1",), ("b1",), ("b2", "short"), ("out",)]),
        ("preact-resnet", [("stem", "conv2"), ("conv1",), ("out",)]),
        ("cat", [("left",), ("right",), ("conv",), ("out",)]),
        ("depthwise", [("stem", "narrow"), ("wide", "depth"), ("out",)]),
        ("twice", [("stem", "conv"), ("head",), ("out",)]),
    ],
)
def test_layers_that_share_channels_are_one_group(name, expected):
    groups = groups_of(name)
    assert [group.layers for group in groups.values()] == expected
    assert list(groups) == [layers[0] for layers in expected]
    assert [group.name for group in groups.values() if group.fixed] == [expected[-1][0]]
    assert groups[expected[-1][0]].fixed == OUT


@pytest.mark.parametrize("name", ["small", "base", "paper"])
def test_the_policy_value_network(name):
    network, inputs = build(name)
    groups = {group.name: group for group in find_groups(network, inputs)}
    blocks = range(len(network.blocks))
    inner = [f"blocks.{i}.conv1" for i in blocks]
    free = ["stem", *inner, "policy_conv", "value_conv", "value_hidden"]
    assert [group.name for group in cuttable(groups.values())] == free
    assert {group.name for group in groups.values() if group.fixed == OUT} == {"policy_out", "value_out"}
    stem = groups["stem"]
    assert stem.layers == ("stem", *(f"blocks.{i}.conv2" for i in blocks))
    norms = ["stem_bn", *(f"blocks.{i}.bn2" for i in blocks)]
    assert {entry.tensor for entry in stem.producers} == {
        f"{each}.weight" for each in (*stem.layers, *norms)
    } | {f"{each}.bias" for each in norms}
    assert {entry.tensor for entry in stem.statistics} == {
        f"{each}.{kind}" for each in norms for kind in ("running_mean", "running_var")
    }
    readers = [*inner, "policy_conv", "value_conv"]
    assert stem.consumers == tuple(Slice(f"{each}.weight", 1) for each in readers)
    width, cells = groups["value_conv"].size, 49
    pooled = (Slice("value_hidden.weight", 1, 0), Slice("value_hidden.weight", 1, width))
    spread = (Slice("value_hidden.weight", 1, 0, cells),)
    assert groups["value_conv"].consumers == (spread if name == "paper" else pooled)
    assert len(stem.taps) == 1 + len(network.blocks)


def test_a_flattened_map_has_a_span_and_a_concatenated_one_an_offset():
    assert groups_of("conv")["conv2"].consumers == (Slice("fc.weight", 1, 0, 4),)
    cat = groups_of("cat")
    assert cat["left"].consumers == (Slice("conv.weight", 1, 0),)
    assert cat["right"].consumers == (Slice("conv.weight", 1, 4), Slice("out.weight", 1, 5, 16))
    assert cat["right"].producers[2:] == (Slice("norm.weight", 0, 4), Slice("norm.bias", 0, 4))
    assert cat["conv"].consumers == (Slice("out.weight", 1, 0),)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_of_a_layer_is_in_a_group_from_end_to_end(name):
    network, inputs = build(name)
    state, rows = network.state_dict(), {}
    for group in find_groups(network, inputs):
        for entry in group.producers + group.statistics:
            rows.setdefault(entry.tensor, []).extend(
                range(entry.offset, entry.offset + entry.span * group.size)
            )
    expected = {tensor for tensor in state if not tensor.endswith("num_batches_tracked")}
    assert set(rows) == expected
    for tensor, found in rows.items():
        assert sorted(found) == list(range(len(state[tensor])))


def test_without_coupling_each_layer_has_its_own_channels():
    groups = groups_of("resnet", coupled=False)
    assert list(groups) == ["stem", "a1", "a2", "b1", "b2", "short", "out"]
    assert all(group.layers == (group.name,) for group in groups.values())
    assert {name: group.tied for name, group in groups.items() if group.tied} == {
        "stem": "shares its channels with a2",
        "a2": "shares its channels with stem",
        "b2": "shares its channels with short",
        "short": "shares its channels with b2",
    }
    assert [group.name for group in cuttable(groups.values())] == ["stem", "a1", "a2", "b1", "b2", "short"]
    assert {entry.tensor for entry in groups["a2"].producers} == {
        "a2.weight",
        "a2_norm.weight",
        "a2_norm.bias",
    }
    assert groups["a2"].consumers == ()
    assert groups["stem"].consumers == (Slice("a1.weight", 1),)


@pytest.mark.parametrize("name", ["resnet", "dropnet-resnet", "small"])
def test_without_coupling_a_masked_layer_adds_nothing(name):
    network, inputs = build(name)
    groups = find_groups(network, inputs, coupled=False)
    for group in cuttable(groups):
        mask = torch.arange(group.size) % 2 == 0
        zeroed = masked(network, groups, {group.name: mask})
        for values in observe(zeroed, group.taps, inputs).values():
            assert not values[:, ~mask].any()
            assert values[:, mask].any()


def test_without_coupling_the_rest_is_the_same():
    free, alone = groups_of("vgg"), groups_of("vgg", coupled=False)
    assert free == alone


# ------------------------------------------------------------------------- where they are seen


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
    assert {group.name: len(group.taps) for group in groups_of(name).values()} == expected


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


# ------------------------------------------------------------------------- observing


def test_observing_gives_the_outputs_too_and_gradients_to_the_taps():
    network, inputs = build("resnet")
    groups = find_groups(network, inputs)
    seen = observe(network, [*groups[0].taps, "output"], inputs)
    assert torch.equal(seen["output"], network(inputs))
    gradients = torch.autograd.grad(seen["output"].sum(), [seen[tap] for tap in groups[0].taps])
    for tap, gradient in zip(groups[0].taps, gradients, strict=True):
        assert gradient.shape == seen[tap].shape
        assert gradient.any()


def test_an_addition_in_place_does_not_change_what_was_observed():
    network, inputs = build("resnet")
    taps = {group.name: group.taps for group in find_groups(network, inputs, coupled=False)}
    seen = observe(network, taps["a2"], inputs)
    stem = torch.relu(network.stem_norm(network.stem(inputs)))
    expected = network.a2_norm(network.a2(torch.relu(network.a1_norm(network.a1(stem)))))
    assert torch.equal(seen[taps["a2"][0]], expected)


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
        ValueError, match="no node 'relu3'; those of ConvNet are input, conv1, relu1"
    ) as error:
        observe(network, ["relu3"], inputs)
    assert "\n" not in str(error.value)


# ------------------------------------------------------------------------- never silently wrong


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
    "permuted": (lambda net, x: x.permute(0, 1, 3, 2), "read by permute, which is not understood"),
    "gated": (lambda net, x: x * torch.sigmoid(x), "read by sigmoid, which makes something of 0"),
    "product": (lambda net, x: x * x, "read by mul, by something else than a number"),
    "shifted": (lambda net, x: x + 1.0, "read by add, which makes something of 0"),
    "by its width": (lambda net, x: x / x.shape[1], "read by truediv, by something else than a number"),
    "fixed view": (lambda net, x: x.view(-1, 6, 16).view(-1, 6, 4, 4), "read by view, to a fixed size"),
    "mixing view": (lambda net, x: x.reshape(x.size(0), -1, 2, 2)[:, :6], "read by getitem, which is not"),
    "squeezed": (lambda net, x: x.squeeze(), "read by squeeze, without a dimension"),
    "over channels": (lambda net, x: x - x.mean(1, True), "read by mean, over more than the places"),
    "rows": (lambda net, x: torch.cat([x, x], 2), "read by cat, along another dimension"),
    "halves": (lambda net, x: torch.cat(x.chunk(2, 1), 1), "read by chunk, which is not understood"),
    "rolled": (lambda net, x: x + torch.cat([x[:, 1:], x[:, :1]], 1), "read by getitem, which is not"),
    "floor": (lambda net, x: x.clamp(0.5, 1.0), "read by clamp, which makes something of 0"),
    "softmax": (lambda net, x: x.softmax(1), "read by softmax, which is not understood"),
    "own weight": (
        lambda net, x: functional.conv2d(x, net.second.weight),
        "read by conv2d, which is not understood",
    ),
}
MODULES = {
    "layer norm": (nn.GroupNorm(2, 6), "read by GroupNorm, which is not understood"),
    "no beta": (nn.BatchNorm2d(6, affine=False), "read by middle, which has no weight and bias to set to 0"),
    "grouped": (nn.Conv2d(6, 6, 1, groups=2), "read by middle, a grouped convolution"),
    "transposed": (nn.ConvTranspose2d(6, 6, 1), "read by ConvTranspose2d, which is not understood"),
    "slopes": (nn.PReLU(6), "read by PReLU, with a parameter for each channel"),
    "threshold": (nn.Hardtanh(0.1, 1.0), "read by Hardtanh, which makes something of 0"),
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
    with pytest.raises(ValueError, match="second cannot be cut: "):
        shrink(network, groups, {"second": torch.arange(6) > 2})
    masks = random_masks(groups, 0)
    small, _ = shrink(network, groups, masks)
    assert apart(masked(network, groups, masks), small, inputs) < 1e-6


def test_an_addition_of_the_input_fixes_a_stream():
    network = Between(lambda net, x: x)
    network.forward = lambda x: network.last(torch.relu(network.second(x) + x))
    groups = find_groups(network, torch.randn(2, 6, 4, 4))
    assert {group.name: group.fixed for group in groups} == {"second": "input of the network", "last": OUT}


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


def test_finding_groups_leaves_the_network_as_it_was():
    network, inputs = build("small")
    network.train()
    before = copy.deepcopy(network.state_dict())
    find_groups(network, inputs)
    assert network.training
    assert all(torch.equal(before[name], each) for name, each in network.state_dict().items())


@pytest.mark.parametrize("name", ["resnet", "cat", "paper"])
def test_groups_depend_on_no_batch_size(name):
    network, inputs = build(name)
    assert find_groups(network, inputs) == find_groups(network, inputs[:1])


@pytest.mark.parametrize("name", NETWORKS)
def test_groups_of_a_copy_in_double_precision_are_the_same(name):
    network, inputs = build(name)
    doubled = copy.deepcopy(network).double()
    assert find_groups(doubled, inputs.double()) == find_groups(network, inputs)
    assert outputs(doubled, inputs.double())[0].dtype == torch.float64


def test_a_group_is_frozen():
    group = groups_of("mlp")["out"]
    assert replace(group, size=3) != group
    with pytest.raises(AttributeError):
        group.size = 3
