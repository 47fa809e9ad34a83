"""Groups: which channels go together, and where they lie in the parameters."""

import copy
from dataclasses import replace

import pytest
import torch
from shrinking import NAMES, build, masked, outputs
from small_networks import NETWORKS

from pruning.channels.groups import cuttable, find_groups
from pruning.channels.places import Slice
from pruning.channels.tracing import observe

OUT = "output of the network"


def groups_of(name, **options):
    network, inputs = build(name)
    return {group.name: group for group in find_groups(network, inputs, **options)}


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
    columns = (Slice("out.weight", 1, 5, 16), Slice("out.weight", 1, 5 + 7 * 16))
    assert cat["right"].consumers == (Slice("conv.weight", 1, 4), *columns)
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
