"""Forward selection, and the folding of its weights into a smaller network."""

import copy

import pytest
import torch
from greedy_networks import evidence_of, network_of, selectable, trained_on_digits
from shrinking import outputs
from torch import nn

from pruning.channels.groups import find_groups
from pruning.channels.removal import shrink
from pruning.criteria.greedy import draw, endless, equal, fold, forward_selection, layer_by_layer, scales
from pruning.criteria.imitation import global_imitation, local_imitation
from pruning.masks.held import apply, weight_masks

KINDS = ("small-mlp", "conv", "vgg", "resnet", "policy-value")
METHODS = {
    "forward": lambda evidence, keep: forward_selection(evidence, keep, batch=20, candidates=4),
    "local": local_imitation,
    "global": lambda evidence, keep: global_imitation(evidence, keep, batch=20, tried=2, corrections=1),
}


def evidence(name, samples=40, **options):
    network, inputs = network_of(name, samples)
    logits = outputs(network, inputs)[0]
    return evidence_of(network, [inputs, logits.argmax(1)], **options)


def random_weights(groups, seed=0):
    """Weights of about half of the units of each group."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for group in selectable(groups):
        weights = torch.rand(group.size, dtype=torch.double, generator=generator)
        weights[torch.rand(group.size, generator=generator) < 0.5] = 0
        weights[0] = 0.3
        found[group.name] = weights / weights.sum()
    return found


def hooked(network, groups, scales):
    """What a network gives if what reads a group's units gets them scaled, worked out at its inputs."""
    modules = {}
    for group in groups:
        for part in group.consumers if group.name in scales else ():
            modules.setdefault(part.tensor.removesuffix(".weight"), []).append((part, scales[group.name]))
    copied = copy.deepcopy(network)

    def scaled(parts):
        def hook(module, args):
            (values,) = args
            values = values.clone()
            for part, scale in parts:
                entries = scale.repeat_interleave(part.span)
                places = (-1, *[1] * (values.dim() - 2))
                values[:, part.offset : part.offset + len(entries)] *= entries.view(places)
            return (values,)

        return hook

    for name, parts in modules.items():
        copied.get_submodule(name).register_forward_pre_hook(scaled(parts))
    return copied


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("dtype", "close"), [(torch.double, 1e-10), (torch.float, 1e-5)])
def test_gated_folded_and_shrunk_are_the_same_network(name, dtype, close):
    network, inputs = network_of(name)
    network, inputs = network.to(dtype), inputs.to(dtype)
    groups = find_groups(network, inputs[:1])
    weights = random_weights(groups)
    alive = {group.name: torch.ones(group.size, dtype=torch.bool) for group in groups}
    factors = scales(weights, alive)
    gated = hooked(network, groups, {name: scale.to(dtype) for name, scale in factors.items()})
    kept = {name: each > 0 for name, each in weights.items()}
    folded = copy.deepcopy(network)
    fold(folded, groups, factors)
    masked = copy.deepcopy(folded)
    apply(masked, weight_masks(groups, kept, masked))
    small, _ = shrink(folded, groups, kept)
    assert sum(map(torch.numel, small.parameters())) < sum(map(torch.numel, network.parameters()))
    wanted = outputs(gated, inputs)
    for each in (folded, masked, small):
        for one, other in zip(wanted, outputs(each, inputs), strict=True):
            torch.testing.assert_close(one, other, rtol=close, atol=close * float(one.abs().max()))
    plain = copy.deepcopy(network)
    apply(plain, weight_masks(groups, kept, plain))
    assert not torch.allclose(outputs(plain, inputs)[0], wanted[0], rtol=1e-2)  # 0 and 1 are not the weights


def test_fold_refuses_what_does_not_fit():
    network, inputs = network_of("small-mlp")
    groups = find_groups(network, inputs[:1])
    with pytest.raises(ValueError, match=r"no group 'conv'; the groups are hidden\.0, hidden\.1, out"):
        fold(network, groups, {"conv": torch.ones(9)})
    with pytest.raises(ValueError, match=r"scales of hidden\.0 must be \[9\], got \[7\]"):
        fold(network, groups, {"hidden.0": torch.ones(7)})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", KINDS)
def test_each_method_keeps_exactly_what_is_asked(method, name):
    found = evidence(name)
    keep = {group.name: 1 + position for position, group in enumerate(selectable(found.groups))}
    before = copy.deepcopy(found.network.state_dict())
    weights = METHODS[method](found, keep)
    assert list(weights) == list(keep)
    for group, each in weights.items():
        assert each.dtype == torch.double
        assert each.shape == (found.alive[group].numel(),)
        assert int((each > 0).sum()) == keep[group]
        assert each.min() >= 0
        assert each.sum() == pytest.approx(1, abs=1e-9)
    # and the network stays what it is: weights, statistics, modes, no hooks
    assert all(torch.equal(tensor, before[name]) for name, tensor in found.network.state_dict().items())
    assert all(parameter.requires_grad for parameter in found.network.parameters())
    assert not any(each.training or each._forward_hooks for each in found.network.modules())


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_weights_in_training_mode_too(method):
    keep = {"convs.1": 3, "hidden": 5}
    first = METHODS[method](evidence("vgg", seed=1), keep)
    found = evidence("vgg", seed=1)
    found.network.train()
    statistics = copy.deepcopy(dict(found.network.named_buffers()))
    assert all(torch.equal(first[name], each) for name, each in METHODS[method](found, keep).items())
    for name, buffer in found.network.named_buffers():
        assert torch.equal(buffer, statistics[name])


@pytest.mark.parametrize("method", METHODS)
def test_units_pruned_before_stay_out_and_do_not_count(method):
    network, inputs = network_of("small-mlp")
    alive = {"hidden.0": torch.arange(9) % 3 > 0}
    apply(network, weight_masks(find_groups(network, inputs[:1]), alive, network))
    labels = outputs(network, inputs)[0].argmax(1)
    found = evidence_of(network, [inputs, labels], alive=alive)
    weights = METHODS[method](found, {"hidden.0": 3})["hidden.0"]
    assert not weights[~alive["hidden.0"]].any()
    whole = METHODS[method](found, {"hidden.0": 6})["hidden.0"]
    assert whole.tolist() == pytest.approx((alive["hidden.0"] / 6).tolist())
    assert scales({"hidden.0": whole}, found.alive)["hidden.0"].tolist() == pytest.approx(
        alive["hidden.0"].double().tolist()
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ({"nowhere": 2}, "no group 'nowhere' to select from; the groups are stem, a1, b1, b2"),
        ({"stem": 2}, "stem shares its channels"),
        ({"a1": 0}, "a1 must keep 1 to 5 units, got 0"),
        ({"a1": 6}, "a1 must keep 1 to 5 units, got 6"),
        ({"out": 2}, "no group 'out'"),
    ],
)
def test_what_cannot_be_selected_is_refused(method, keep, message):
    with pytest.raises(ValueError, match=message):
        METHODS[method](evidence("resnet"), keep)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        (forward_selection, {"candidates": 0}, "candidates must be a whole number, at least 1, got 0"),
        (forward_selection, {"tolerance": 1.5}, r"tolerance must be 0 to 1, got 1\.5"),
        (local_imitation, {"step": "long"}, "step must be line or uniform, got 'long'"),
        (local_imitation, {"samples": 0}, "samples must be a whole number, at least 1, got 0"),
        (global_imitation, {"corrections": -1}, "corrections must be a whole number, at least 0, got -1"),
        (global_imitation, {"tried": 0.5}, r"tried must be a whole number, at least 1, got 0\.5"),
    ],
)
def test_options_out_of_range_are_refused(method, options, message):
    with pytest.raises(ValueError, match=message):
        method(evidence("small-mlp"), {"hidden.0": 2}, **options)


# --------------------------------------------------------------------- forward selection


def test_forward_selection_adds_the_unit_of_least_loss_with_equal_weights():
    """By hand: all units tried, all samples in each batch, the network gated at its consumers' inputs."""
    found = evidence("small-mlp", samples=30)
    (batch,) = ([torch.cat(tensors) for tensors in zip(*found.batches(), strict=True)],)
    chosen = []
    for count in range(1, 5):
        losses = {}
        for unit in set(range(9)) - set(chosen):
            scale = torch.zeros(9, dtype=torch.double)
            scale[[*chosen, unit]] = 9 / count
            gated = hooked(found.network, found.groups, {"hidden.0": scale})
            losses[unit] = found.loss(gated, batch).item()
        chosen.append(min(losses, key=losses.get))
    weights = forward_selection(found, {"hidden.0": 4}, batch=30)["hidden.0"]
    assert weights.nonzero().flatten().tolist() == sorted(chosen)
    assert weights[chosen].tolist() == [0.25] * 4


def test_with_a_tolerance_it_takes_what_it_needs():
    network, train, _ = trained_on_digits()
    options = {"candidates": 10, "samples": 1400}
    kept = {}
    for tolerance in (1.0, 0.1):
        found = evidence_of(network, train)
        weights = forward_selection(found, {"hidden.0": 2}, tolerance=tolerance, gate=tolerance, **options)
        weights = weights["hidden.0"]
        kept[tolerance] = int((weights > 0).sum())
        pruned = copy.deepcopy(network)
        fold(pruned, found.groups, scales({"hidden.0": weights}, found.alive))
        accuracy = (outputs(pruned, train[0])[0].argmax(1) == train[1]).double().mean()
        assert float(accuracy) >= 0.95 * (1 - tolerance)
    assert kept[1.0] == 1 < 5 < kept[0.1] < 80
    distributions = nn.functional.one_hot(train[1], 10).float()  # of which the largest counts
    again = evidence_of(network, [train[0], distributions])
    again = forward_selection(again, {"hidden.0": 2}, tolerance=tolerance, gate=tolerance, **options)
    assert again["hidden.0"].equal(weights)


def test_a_layer_that_never_meets_the_tolerance_stays_whole():
    network = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
    with torch.no_grad():
        network[0].weight.copy_(torch.eye(4))
        network[2].weight.copy_(torch.eye(4))
    inputs = torch.eye(4).repeat(10, 1) + 0.1  # each unit tells one class from the others
    found = evidence_of(network.eval(), [inputs, inputs.argmax(1)])
    weights = forward_selection(found, {"0": 1}, tolerance=0.0, gate=0.0)["0"]
    assert weights.tolist() == [0.25] * 4
    shuffled = evidence_of(network, [inputs, (inputs.argmax(1) + 1) % 4])  # nothing to lose: any unit will do
    assert int((forward_selection(shuffled, {"0": 1}, tolerance=0.0)["0"] > 0).sum()) == 1


def test_later_layers_see_the_network_as_it_is_pruned_so_far():
    found = evidence("small-mlp")
    seen = {}

    def select(layer):
        seen[layer.group.name] = copy.deepcopy(layer.network)
        weights = torch.zeros(layer.group.size, dtype=torch.double)
        weights[:2] = torch.tensor([0.25, 0.75])
        return weights

    weights = layer_by_layer(found, {"hidden.1": 2, "hidden.0": 2}, select)
    assert list(seen) == list(weights) == ["hidden.0", "hidden.1"]
    torch.testing.assert_close(seen["hidden.0"].state_dict(), found.network.state_dict())
    scale = torch.zeros(9, dtype=torch.double)
    scale[:2] = torch.tensor([0.25 * 9, 0.75 * 9])
    torch.testing.assert_close(
        seen["hidden.1"].hidden[1].weight, found.network.hidden[1].weight * scale, check_stride=False
    )


# ---------------------------------------------------------------------------------- samples


def test_samples_are_drawn_from_all_of_the_split():
    numbers = torch.arange(1000.0)[:, None]
    network = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 2)).eval()
    found = evidence_of(network, [numbers, numbers.flatten().long()])
    inputs, labels = draw(found, 200)
    assert inputs.shape == (200, 1)
    assert torch.equal(inputs.flatten().long(), labels)
    assert len(set(labels.tolist())) == 200
    assert 400 < inputs.mean() < 600
    assert 350 < inputs[:100].mean() < 650  # in random order
    assert len(draw(found, 5000)[0]) == 1000


def test_mini_batches_go_through_all_samples_again_and_again():
    batches = endless([torch.arange(10), torch.arange(10) * 2], 4, torch.Generator().manual_seed(0))
    taken = [next(batches) for _ in range(6)]
    for numbers, doubles in taken:
        assert len(numbers) == 4
        assert torch.equal(doubles, 2 * numbers)
    assert len({int(each) for batch in taken[:2] for each in batch[0]}) == 8
    (whole,) = next(endless([torch.arange(3)], 5, torch.Generator()))
    assert sorted(whole.tolist()) == [0, 1, 2]
    assert equal(torch.tensor([True, False, True])).tolist() == [0.5, 0, 0.5]
