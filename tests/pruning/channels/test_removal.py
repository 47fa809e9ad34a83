"""Removal: the shrunk network is the masked one, its optimizer goes on, and wrong requests are refused."""

import copy
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ordered_sums import OrderedSums
from shrinking import NAMES, apart, build, masked, outputs, random_masks, zero_producers
from torch import nn

import agents.alphazero
from agents.alphazero.network.checkpoint import load_network
from pruning.channels.groups import cuttable, find_groups
from pruning.channels.removal import ParamMap, carry_optimizer_state, removable, restore, shrink
from pruning.criteria import fold
from pruning.masks import weight_masks

SMALL = [name for name in NAMES if name not in ("base", "paper")]
SHIPPED = Path(agents.alphazero.__file__).parent / "weights" / "all.safetensors"
EPSILON = 1e-3
OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9, weight_decay=1e-3),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.01, weight_decay=1e-3, eps=EPSILON),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.1, eps=EPSILON),
}
"""Adam's usual epsilon would make steps of the gradients of biases before a normalisation: rounding alone."""


def pair(name, seed=0, kept=0.5, dtype=torch.float32):
    """A network masked and shrunk, an input, and what belongs to them."""
    network, inputs = build(name, seed)
    network, inputs = network.to(dtype), inputs.to(dtype)
    groups = find_groups(network, inputs)
    masks = random_masks(groups, seed, kept)
    small, param_map = shrink(network, groups, masks)
    return masked(network, groups, masks), small, inputs, groups, masks, param_map


def drop_first(*groups):
    """Masks that leave out the first channel of some groups."""
    return {group.name: torch.arange(group.size) > 0 for group in groups}


def loss_of(network, inputs):
    given = network(inputs)
    return sum(each.square().mean() for each in (given if isinstance(given, tuple) else (given,)))


def steps(network, optimizer, inputs, number, after=lambda: None):
    """Trains for some steps on different batches; `after` runs behind each."""
    network.train()
    for step in range(number):
        optimizer.zero_grad()
        loss_of(network, inputs.roll(step, -1) * (1 + step)).backward()
        optimizer.step()
        after()


# ------------------------------------------------------------------------- masked = shrunk


@pytest.mark.parametrize(
    ("name", "seed"), [(name, seed) for name in NAMES for seed in range(3 if name in SMALL else 2)]
)
def test_masked_is_shrunk_to_the_last_bit_where_sums_have_an_order(name, seed):
    network, small, inputs, *_ = pair(name, seed, dtype=torch.float64)
    with OrderedSums():
        expected, given = outputs(network, inputs[:2]), outputs(small, inputs[:2])
    for one, other in zip(expected, given, strict=True):
        assert torch.equal(one, other)
    assert apart(network, small, inputs) < 1e-12


@pytest.mark.parametrize("name", SMALL)
def test_the_reference_of_ordered_sums_is_the_library_but_for_rounding(name):
    network, inputs = build(name)
    network, inputs = network.double(), inputs.double()
    with OrderedSums():
        ordered = outputs(network, inputs)
    for one, other in zip(ordered, outputs(network, inputs), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("name", NAMES)
def test_masked_is_shrunk_in_single_precision(name, kept):
    network, inputs = build(name, seed=4, batch=8)
    groups = find_groups(network, inputs)
    masks = random_masks(groups, 4, kept)
    small, _ = shrink(network, groups, masks)
    assert apart(masked(network, groups, masks), small, inputs, of=network) < 1e-6


@pytest.mark.parametrize("kept", [0.2, 0.8])
def test_masked_is_shrunk_on_a_shipped_network(kept):
    network, _ = load_network(SHIPPED)
    inputs = (torch.rand(64, 3, 7, 7) < 0.3).float()
    groups = find_groups(network, inputs)
    masks = random_masks(groups, 1, kept)
    small, _ = shrink(network, groups, masks)
    zeroed = masked(network, groups, masks)
    assert apart(zeroed, small, inputs, of=network) < 1e-6
    with OrderedSums():
        given = [outputs(each.double(), inputs[:4].double()) for each in (zeroed, small)]
    assert all(torch.equal(one, other) for one, other in zip(*given, strict=True))


@pytest.mark.parametrize("name", SMALL)
def test_each_group_can_be_cut_alone(name):
    network, inputs = build(name)
    network, inputs = network.double(), inputs.double()
    groups = find_groups(network, inputs)
    for group, masks in ((group, random_masks((group,), 2)) for group in cuttable(groups)):
        small, _ = shrink(network, groups, masks)
        assert apart(masked(network, groups, masks), small, inputs) < 1e-12, group.name


@pytest.mark.parametrize("name", NAMES)
def test_a_shrunk_network_has_the_sizes_of_one_built_small(name):
    _, small, inputs, groups, masks, _ = pair(name)
    found = {group.name: group for group in find_groups(small, inputs)}
    for group in groups:
        after = found[group.name]
        assert after.size == (int(masks[group.name].sum()) if group.name in masks else group.size)
        assert (after.layers, after.taps, after.fixed) == (group.layers, group.taps, group.fixed)
    for module in small.modules():
        if isinstance(module, nn.Conv2d):
            assert module.weight.shape[:2] == (module.out_channels, module.in_channels // module.groups)
        elif isinstance(module, nn.Linear):
            assert module.weight.shape == (module.out_features, module.in_features)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert len(module.weight) == len(module.running_var) == module.num_features


def test_the_network_itself_stays_as_it_was():
    network, inputs = build("resnet")
    network.train()
    before = copy.deepcopy(network.state_dict())
    groups = find_groups(network, inputs)
    shrink(network, groups, random_masks(groups, 0))
    assert network.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_shrinking_twice_is_shrinking_once():
    network, inputs = build("small")
    groups = find_groups(network, inputs)
    masks = random_masks(groups, 0)
    half, _ = shrink(network, groups, {name: masks[name] for name in list(masks)[:3]})
    twice, _ = shrink(half, find_groups(half, inputs), {name: masks[name] for name in list(masks)[3:]})
    once, _ = shrink(network, groups, masks)
    for (name, one), other in zip(once.state_dict().items(), twice.state_dict().values(), strict=True):
        assert torch.equal(one, other), name


def test_nothing_cut_is_the_same_network():
    network, inputs = build("cat")
    groups = find_groups(network, inputs)
    small, param_map = shrink(network, groups, {"left": torch.ones(4, dtype=torch.bool)})
    assert param_map.kept == {}
    assert all(
        torch.equal(one, other) for one, other in zip(network.parameters(), small.parameters(), strict=True)
    )


# ------------------------------------------------------------------------- what a naive version gets wrong


def test_cutting_one_layer_of_a_stream_alone_breaks_the_network():
    network, inputs = build("resnet")
    apart_groups = find_groups(network, inputs, coupled=False)
    masks = {"a2": torch.tensor([True] * 5 + [False])}
    with pytest.raises(ValueError, match="a2 cannot be removed: shares its channels with stem"):
        shrink(network, apart_groups, masks)
    naive, _ = shrink(network, [replace(group, tied="") for group in apart_groups], masks)
    with pytest.raises(RuntimeError, match="must match"):
        naive(inputs)


@pytest.mark.parametrize("name", ["resnet", "small", "vgg"])
def test_a_normalisations_bias_that_is_left_behind_still_speaks(name):
    network, inputs = build(name)
    groups = find_groups(network, inputs)
    masks = random_masks(groups, 0)
    small, _ = shrink(network, groups, masks)
    made = {f"{layer}.weight" for group in groups for layer in group.layers}
    layers_only = [
        replace(group, producers=tuple(entry for entry in group.producers if entry.tensor in made))
        for group in groups
    ]
    assert apart(masked(network, layers_only, masks), small, inputs) > 1e-3
    assert apart(masked(network, groups, masks), small, inputs) < 1e-6


@pytest.mark.parametrize(("name", "layer"), [("conv", "fc"), ("dense", "policy_out"), ("cat", "out")])
def test_a_flattened_channel_is_as_many_columns_as_it_has_places(name, layer):
    network, inputs = build(name)
    groups = find_groups(network, inputs)
    masks = drop_first(*(group for group in cuttable(groups) if any(e.span > 1 for e in group.consumers)))
    small, _ = shrink(network, groups, masks)
    spanless = [
        replace(group, consumers=tuple(entry._replace(span=1) for entry in group.consumers))
        for group in groups
    ]
    naive, _ = shrink(network, spanless, masks)
    shape = small.get_submodule(layer).weight.shape
    assert naive.get_submodule(layer).weight.shape != shape
    with pytest.raises(RuntimeError):
        naive(inputs)


def test_an_offset_that_is_left_out_reads_the_wrong_half_of_cat():
    network, inputs = build("small")
    groups = find_groups(network, inputs)
    masks = random_masks(groups, 0)
    small, _ = shrink(network, groups, masks)
    moved = [
        replace(group, consumers=tuple(entry._replace(offset=0) for entry in group.consumers))
        for group in groups
    ]
    naive, _ = shrink(network, moved, masks)
    with pytest.raises(RuntimeError):
        naive(inputs)
    small(inputs)


# ------------------------------------------------------------------------- training goes on


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("name", SMALL)
def test_training_the_masked_network_is_training_the_shrunk_one(name, kind):
    network, inputs = build(name, seed=1, batch=6)
    network, inputs = network.double(), inputs.double()
    optimizer = OPTIMIZERS[kind](network.parameters())
    steps(network, optimizer, inputs, 2)
    groups = find_groups(network, inputs)
    masks = random_masks(groups, 1)
    small, param_map = shrink(network, groups, masks)
    other = OPTIMIZERS[kind](small.parameters())
    carry_optimizer_state(optimizer, other, network, small, param_map)

    def hold():
        zero_producers(network.state_dict(), groups, masks)
        for key in ("momentum_buffer", "exp_avg", "exp_avg_sq"):
            if key in optimizer.state[next(network.parameters())]:
                buffers = {each: optimizer.state[value][key] for each, value in network.named_parameters()}
                zero_producers(buffers, groups, masks)

    hold()
    before = copy.deepcopy(small.state_dict())
    steps(network, optimizer, inputs, 3, hold)
    steps(small, other, inputs, 3)
    for tensor, value in small.state_dict().items():
        kept = param_map.gather(tensor, network.state_dict()[tensor])
        torch.testing.assert_close(value, kept, rtol=1e-12, atol=1e-12)
    assert all(not torch.equal(value, before[tensor]) for tensor, value in small.named_parameters())


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_carried_state_is_the_kept_part_of_the_old_one(kind):
    network, inputs = build("small")
    optimizer = OPTIMIZERS[kind](network.parameters())
    steps(network, optimizer, inputs, 2)
    groups = find_groups(network, inputs)
    masks = random_masks(groups, 0)
    small, param_map = shrink(network, groups, masks)
    other = OPTIMIZERS[kind](small.parameters())
    carry_optimizer_state(optimizer, other, network, small, param_map)
    old = optimizer.state[network.blocks[1].conv1.weight]
    new = other.state[small.blocks[1].conv1.weight]
    assert set(old) == set(new) and len(old) > 0
    rows, columns = masks["blocks.1.conv1"], masks["stem"]
    for key, value in old.items():
        expected = value[rows][:, columns] if value.dim() else value
        assert torch.equal(new[key], expected)
        assert new[key] is not value


def test_an_optimizer_of_the_old_network_is_refused():
    network, inputs = build("mlp")
    optimizer = torch.optim.Adam(network.parameters())
    groups = find_groups(network, inputs)
    small, param_map = shrink(network, groups, random_masks(groups, 0))
    with pytest.raises(ValueError, match=r"only one of the two optimizers trains hidden\.0\.weight"):
        carry_optimizer_state(optimizer, torch.optim.Adam(network.parameters()), network, small, param_map)
    with pytest.raises(ValueError, match="state of Adam cannot be carried to SGD"):
        carry_optimizer_state(optimizer, torch.optim.SGD(small.parameters()), network, small, param_map)


# ------------------------------------------------------------------------- copies, files, the way back


@pytest.mark.parametrize("name", SMALL)
def test_copies_and_pickles_of_a_shrunk_network_are_the_same_network(name):
    _, small, inputs, *_ = pair(name)
    for copied in (copy.deepcopy(small), pickle.loads(pickle.dumps(small))):
        assert type(copied) is type(small)
        assert apart(small, copied, inputs) == 0


@pytest.mark.parametrize("name", NAMES)
def test_restoring_and_gathering_again_changes_nothing(name):
    network, small, inputs, groups, masks, param_map = pair(name, dtype=torch.float64)
    big, _ = build(name, seed=9)
    big = big.double()
    restore(small, big, param_map)
    assert apart(network, big, inputs) < 1e-12
    state = big.state_dict()
    for tensor, value in small.state_dict().items():
        assert torch.equal(param_map.gather(tensor, state[tensor]), value)
    again, _ = shrink(big, groups, masks)
    assert apart(small, again, inputs) == 0
    for group in groups:
        for entry in group.producers + group.statistics + group.consumers:
            cut = (~masks[group.name]).nonzero().flatten().tolist() if group.name in masks else []
            for channel in cut:
                first = entry.offset + channel * entry.span
                assert not state[entry.tensor].narrow(entry.dim, first, entry.span).any(), entry


def test_scatter_writes_only_the_kept_places():
    param_map = ParamMap({"w": {0: torch.tensor([0, 2]), 1: torch.tensor([1])}})
    big = torch.full((3, 2), 7.0)
    param_map.scatter_("w", torch.tensor([[1.0], [2.0]]), big)
    assert big.tolist() == [[7, 1], [7, 7], [7, 2]]
    assert param_map.gather("w", big).tolist() == [[1], [2]]
    assert param_map.gather("other", big).tolist() == big.tolist()
    assert param_map.gather("other", big) is not big


def test_channels_last_and_frozen_parameters_stay_so():
    network, inputs = build("small")
    network = network.to(memory_format=torch.channels_last)
    network.stem.weight.requires_grad_(False)
    loss_of(network, inputs).backward()
    groups = find_groups(network, inputs)
    small, _ = shrink(network, groups, random_masks(groups[:2], 0))
    last = {"memory_format": torch.channels_last}
    assert small.blocks[0].conv1.weight.is_contiguous(**last)
    assert not small.blocks[0].conv1.weight.is_contiguous()
    assert not small.stem.weight.requires_grad
    assert all(parameter.grad is None for parameter in small.parameters())
    assert all(parameter.is_leaf for parameter in small.parameters())


# ------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (
            {"stem": torch.zeros(32)},
            r"the mask of stem must be bool of shape \[32\], got torch.float32 \[32\]",
        ),
        ({"stem": torch.zeros(31, dtype=torch.bool)}, r"the mask of stem must be bool of shape \[32\], got"),
        (
            {"stem": torch.zeros(32, dtype=torch.bool)},
            "the mask of stem must keep at least one of its 32 channels",
        ),
        (
            {"blocks.0.conv2": torch.ones(32, dtype=torch.bool)},
            r"no group 'blocks.0.conv2' \(did you mean 'blocks.0.conv1'\?\); the groups are stem,",
        ),
        (
            {"value_out": torch.zeros(1, dtype=torch.bool)},
            "value_out cannot be removed: output of the network",
        ),
    ],
)
def test_wrong_masks_are_refused_in_one_line(masks, message):
    network, inputs = build("small")
    with pytest.raises(ValueError, match=message) as error:
        shrink(network, find_groups(network, inputs), masks)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("coupled", [True, False])
def test_what_can_be_removed_is_what_shrink_takes(coupled):
    network, inputs = build("resnet")
    groups = find_groups(network, inputs, coupled=coupled)
    whole = {group.name: torch.ones(group.size, dtype=torch.bool) for group in groups}
    assert removable(groups, whole) and removable(groups, {})
    shrink(network, groups, whole)
    for group in groups:
        one, none = (whole | {group.name: torch.arange(group.size) < kept} for kept in (1, 0))
        assert not removable(groups, none)
        assert removable(groups, one) == (not group.fixed and not group.tied)
        if removable(groups, one):
            shrink(network, groups, one)
        for masks in (none,) if removable(groups, one) else (one, none):
            with pytest.raises(ValueError, match=group.name):
                shrink(network, groups, masks)


def test_groups_of_another_network_are_refused():
    network, other = (
        nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)),
        nn.Sequential(nn.Linear(3, 4)),
    )
    (group,) = cuttable(find_groups(network, torch.zeros(1, 3)))
    keep = {group.name: torch.arange(4) < 2}
    for refuse in (
        lambda: shrink(other, [group], keep),
        lambda: weight_masks([group], keep, other),
        lambda: fold(other, [group], {group.name: torch.ones(4)}),
    ):
        with pytest.raises(ValueError, match=r"group '0' belongs to another network: this has no 2\.weight"):
            refuse()
