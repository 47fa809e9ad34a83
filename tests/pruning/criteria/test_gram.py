"""Gram matrices of units' contributions, against the consumers run on one unit at a time."""

import copy
import warnings

import pytest
import torch
from greedy_networks import network_of, selectable
from torch import nn

from pruning.channels.groups import find_groups
from pruning.criteria import gram
from pruning.criteria.gram import gram_matrix

NAMES = ("small-mlp", "conv", "vgg", "resnet", "cat", "policy-value", "windows", "tokens")
with warnings.catch_warnings(action="ignore"):  # of an even kernel with padding="same"
    CASES = [
        (name, group.name)
        for name in NAMES
        for group in selectable(find_groups(network_of(name)[0], network_of(name)[1][:1]))
    ]


def found(name, group, *, rows=10**6, samples=6, seed=0):
    network, inputs = network_of(name, samples)
    (group,) = (each for each in find_groups(network, inputs[:1]) if each.name == group)
    generator = torch.Generator().manual_seed(seed)
    return gram_matrix(network, group, inputs, rows=rows, generator=generator), network, group, inputs


def contributions(network, group, inputs):
    """What each consumer makes of each unit alone, `[C, numbers]`: the module with its other columns at 0."""
    given = {}
    names = {part.tensor.removesuffix(".weight") for part in group.consumers}
    copied = copy.deepcopy(network)
    for name in names:
        module = copied.get_submodule(name)
        module.register_forward_pre_hook(lambda _, args, name=name: given.__setitem__(name, args[0].clone()))
    with torch.no_grad():
        copied(inputs)
        rows = []
        for unit in range(group.size):
            parts = []
            for name in sorted(names):
                module = copy.deepcopy(network.get_submodule(name))
                kept = torch.zeros(module.weight.shape[1], dtype=torch.double)
                for part in group.consumers:
                    if part.tensor == f"{name}.weight":
                        first = part.offset + unit * part.span
                        kept[first : first + part.span] = 1
                module.weight.mul_(kept.view(-1, *[1] * (module.weight.dim() - 2)))
                module.bias = None
                parts.append(module(given[name]).flatten())
            rows.append(torch.cat(parts))
    return torch.stack(rows)


@pytest.mark.parametrize(("name", "group"), CASES)
def test_it_is_the_inner_products_of_what_consumers_make_of_each_unit(name, group):
    matrix, network, group, inputs = found(name, group)
    alone = contributions(network, group, inputs)
    torch.testing.assert_close(matrix, alone @ alone.T / len(inputs), rtol=1e-9, atol=1e-12)
    assert matrix.dtype == torch.double
    assert matrix.diagonal().max() > 0


@pytest.mark.parametrize(("name", "group"), [("conv", "conv1"), ("conv", "conv2"), ("policy-value", "conv1")])
def test_both_ways_to_sum_agree(name, group, monkeypatch):
    ways = []
    for by_inputs in (False, True):
        monkeypatch.setattr(gram, "_by_inputs", lambda *_, chosen=by_inputs: chosen)
        monkeypatch.setattr(gram, "MOST_NUMBERS", 300)  # several parts
        ways.append(found(name, group)[0])
    torch.testing.assert_close(*ways, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "group"), [("windows", "b"), ("policy-value", "conv1"), ("tokens", "up")])
def test_some_places_stand_for_all(name, group):
    whole, *_ = found(name, group, samples=60)
    few = [found(name, group, samples=60, rows=60, seed=seed)[0] for seed in range(30)]
    assert not torch.allclose(few[0], whole)  # one place of each sample
    assert (sum(few) / len(few) - whole).norm() < 0.1 * whole.norm()
    assert (few[0] - whole).norm() < 0.6 * whole.norm()


def test_the_network_is_left_as_it_is():
    network, inputs = network_of("vgg")
    before = copy.deepcopy(network.state_dict())
    group = find_groups(network, inputs[:1])[0]
    gram_matrix(network, group, inputs, generator=torch.Generator())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(
        module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module)
        for module in network.modules()
    )
    assert not any(module.training for module in network.modules())
    copy.deepcopy(network)(inputs)


class Unseen(nn.Linear):
    channels_as_base = True

    def forward(self, x):
        return x @ self.weight.T


def test_a_consumer_that_multiplies_by_itself_is_refused():
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), Unseen(4, 2))
    group = find_groups(network, torch.ones(1, 3))[0]
    with pytest.raises(ValueError, match=r"2\.weight is never given to conv2d or linear"):
        gram_matrix(network, group, torch.ones(5, 3), generator=torch.Generator())


def test_values_that_are_not_finite_are_refused():
    network, inputs = network_of("small-mlp")
    inputs[3] = torch.nan
    group = find_groups(network, inputs[:1])[0]
    with pytest.raises(ValueError, match=r"contributions of the units of hidden\.0 are not finite"):
        gram_matrix(network, group, inputs, generator=torch.Generator())
