"""Scores against values worked out by hand, and against the loss of networks without a unit."""

import copy

import pytest
import torch
from shrinking import build, masked, random_masks
from torch import nn

from pruning.channels.groups import cuttable, find_groups
from pruning.criteria.evidence import Evidence, batches_of
from pruning.criteria.scores import CRITERIA
from pruning.masks.held import Masks, apply, weight_masks
from pruning.masks.select import drop_lowest

IMAGES = torch.tensor([[1.0, -2.0], [3.0, 0.5], [-1.0, -2.0]], dtype=torch.double)[:, None, None]
"""Three samples of one channel, one row and two columns."""


class Hand(nn.Module):
    """A convolution of two channels, pooled, and a linear layer of two units, with simple weights.

    On IMAGES the channels are [2 0] [6 1] [0 0] and [0 3] [0 .5] [2 3], pooled 1 3.5 0 and 1.5 .25 2.5, and
    the units are 0 3.25 0 and 1 6 0.
    """

    def __init__(self):
        super().__init__()
        self.conv, self.fc, self.out = nn.Conv2d(1, 2, 1), nn.Linear(2, 2), nn.Linear(2, 1)
        values = {
            "conv.weight": [[[[2.0]]], [[[-1.0]]]],
            "conv.bias": [0.0, 1.0],
            "fc.weight": [[1.0, -1.0], [2.0, 0.0]],
            "fc.bias": [0.0, -1.0],
            "out.weight": [[1.0, -0.5]],
            "out.bias": [0.25],
        }
        self.load_state_dict({name: torch.tensor(value) for name, value in values.items()})

    def forward(self, x):
        return self.out(torch.relu(self.fc(torch.relu(self.conv(x)).mean((2, 3)))))


class Normalised(nn.Module):
    """One channel, normalised after its ReLU: on the first two IMAGES it is [2 -2] and [10 0]."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.out = nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1, eps=0.0), nn.Linear(1, 1)
        with torch.no_grad():
            for tensor, value in (
                (self.conv.weight, 2.0),
                (self.conv.bias, 0.0),
                (self.norm.weight, 2.0),
                (self.norm.running_mean, 1.0),
            ):
                tensor.fill_(value)

    def forward(self, x):
        return self.out(self.norm(torch.relu(self.conv(x))).mean((2, 3)))


SCORED = [name for name, row in CRITERIA.items() if row.score]  # the others choose units one after the other


def loss(network, batch):
    """The mean of squares of all outputs, each about another value."""
    outputs = network(batch[0])
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return sum((output - 0.3 * number - 0.1).square().mean() for number, output in enumerate(outputs))


def evidence(network, inputs, *, of="units", alive=None, batch=2, before=None, seed=0, coupled=True):
    network = network.eval()
    groups = find_groups(network, inputs[:1], coupled=coupled)
    if alive is None and of == "units":
        alive = {group.name: torch.ones(group.size, dtype=torch.bool) for group in cuttable(groups)}
    elif alive is None:
        layers = (nn.Conv2d, nn.Linear)
        modules = ((name, module) for name, module in network.named_modules() if isinstance(module, layers))
        alive = {f"{name}.weight": torch.ones_like(module.weight).bool() for name, module in modules}
    return Evidence(
        network=network,
        alive=Masks(alive),
        groups=groups,
        batches=lambda: batches_of([inputs], batch),
        loss=loss,
        before=before or {},
        generator=torch.Generator().manual_seed(seed),
        sample=lambda: [[inputs]],
        example=inputs[:1],
    )


def score(criterion, *arguments, **options):
    row = CRITERIA[criterion]
    return row.score(evidence(*arguments, of=row.of, **options))


def by_hand(criterion, network, inputs=IMAGES, **options):
    found = score(criterion, network.double(), inputs, **options)
    return {name: values.tolist() for name, values in found.items()}


def test_dropnet_is_the_mean_absolute_activation():
    assert by_hand("dropnet", Hand()) == {
        "conv": pytest.approx([9 / 6, 8.5 / 6]),
        "fc": pytest.approx([3.25 / 3, 7 / 3]),
    }


def test_maximum_is_its_opposite():
    kept = by_hand("dropnet", Hand())
    assert by_hand("maximum", Hand()) == {name: [-each for each in values] for name, values in kept.items()}


def test_the_codes_variant_takes_the_mean_over_positions_before_the_absolute_value():
    two = IMAGES[:2]
    assert by_hand("dropnet", Normalised(), two) == {"conv": pytest.approx([(2 + 2 + 10 + 0) / 4])}
    assert by_hand("dropnet-code", Normalised(), two) == {"conv": pytest.approx([(0 + 5) / 2])}
    assert by_hand("dropnet-code", Hand()) == by_hand("dropnet", Hand())


def test_apoz_counts_zeros_position_by_position():
    assert by_hand("apoz", Hand()) == {
        "conv": pytest.approx([-3 / 6, -2 / 6]),
        "fc": pytest.approx([-2 / 3, -1 / 3]),
    }


def test_the_codes_apoz_counts_maps_that_are_zero():
    assert by_hand("apoz-code", Hand()) == {
        "conv": pytest.approx([-1 / 3, 0]),
        "fc": pytest.approx([-2 / 3, -1 / 3]),
    }


def test_norms_are_of_filters_without_biases():
    assert by_hand("l1", Hand()) == {"conv": pytest.approx([2, 1]), "fc": pytest.approx([2, 2])}
    assert by_hand("l2", Hand()) == {"conv": pytest.approx([2, 1]), "fc": pytest.approx([2**0.5, 2])}


def test_norms_of_a_stream_are_over_all_layers_that_make_it():
    network, inputs = build("resnet")
    for criterion, power in (("l1", 1), ("l2", 2)):
        (found,) = score(criterion, network, inputs, alive={"stem": torch.ones(6, dtype=torch.bool)}).values()
        filters = torch.cat([network.stem.weight.flatten(1), network.a2.weight.flatten(1)], 1)
        torch.testing.assert_close(found.float(), filters.norm(power, dim=1).detach())


def test_a_streams_activation_is_the_mean_over_the_places_where_it_is_read():
    network, inputs = build("resnet")
    with torch.no_grad():
        first = network.stem_norm(network.stem(inputs)).relu()
        inner = network.a2_norm(network.a2(network.a1_norm(network.a1(first)).relu()))
        second = (inner + first).relu()
    wanted = (first.abs().mean((0, 2, 3)) + second.abs().mean((0, 2, 3))) / 2
    torch.testing.assert_close(score("dropnet", network, inputs)["stem"].float(), wanted)


def test_weights_are_scored_by_size_and_by_change():
    network = Hand()
    before = {name: tensor.detach() - 0.5 for name, tensor in network.named_parameters()}
    before["fc.weight"] = torch.tensor([[1.0, 1.0], [5.0, 0.0]])
    names = {"conv.weight", "fc.weight", "out.weight"}
    found = {
        name: by_hand(name, network, before=before)
        for name in ("magnitude", "gradient", "gradient-magnitude")
    }
    assert all(scores.keys() == names for scores in found.values())
    assert found["magnitude"]["fc.weight"] == [[1, 1], [2, 0]]
    assert found["gradient"]["fc.weight"] == [[0, 2], [3, 0]]
    assert found["gradient-magnitude"]["fc.weight"] == [[0, 2], [6, 0]]
    assert found["gradient"]["conv.weight"] == [[[[0.5]]], [[[0.5]]]]
    assert found["gradient-magnitude"]["conv.weight"] == [[[[1.0]]], [[[0.5]]]]


def gate_readers(network, group, unit, gate):
    """Multiplies what the network's layers read of a unit."""

    def gated(part):
        def hook(module, arguments):
            first = part.offset + unit * part.span
            x = arguments[0].clone()
            x[:, first : first + part.span] *= gate
            return (x,)

        return hook

    for part in group.consumers:
        network.get_submodule(part.tensor.rpartition(".")[0]).register_forward_pre_hook(gated(part))


def gate_layer(network, name, unit, gate):
    """Multiplies an output channel of a module."""

    def hook(module, arguments, output):
        factors = torch.ones(output.shape[1], dtype=output.dtype)
        factors[unit] = gate
        return output * factors[:, None, None]

    network.get_submodule(name).register_forward_hook(hook)


def slope(network, gate, batch, h=1e-6):
    """The derivative of the loss of a batch where a gate of 1 is closed a little."""
    values = []
    for size in (1 - h, 1 + h):
        copied = copy.deepcopy(network)
        gate(copied, size)
        with torch.no_grad():
            values.append(float(loss(copied, [batch])))
    return (values[1] - values[0]) / (2 * h)


@pytest.mark.parametrize(
    "name", ["mlp", "conv", "vgg", "resnet", "dropnet-resnet", "cat", "depthwise", "odd"]
)
def test_taylor_is_the_squared_slope_of_a_gate_on_the_unit(name):
    network, inputs = build(name)
    network, inputs = network.double(), inputs.double()
    found = score("taylor", network, inputs)
    for group in cuttable(find_groups(network, inputs)):
        for unit in (0, group.size - 1):
            slopes = [
                slope(network, lambda copied, gate: gate_readers(copied, group, unit, gate), batch)  # noqa: B023
                for batch in inputs.split(2)
            ]
            wanted = sum(each**2 for each in slopes) / len(slopes)
            assert float(found[group.name][unit]) == pytest.approx(wanted, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "layer", "gated"), [("resnet", "a2", "a2_norm"), ("dropnet-resnet", "short", "short")]
)
def test_taylor_of_a_layer_before_an_addition_is_that_of_its_own_output(name, layer, gated):
    network, inputs = build(name)
    network, inputs = network.double(), inputs.double()
    found = score("taylor", network, inputs, coupled=False)[layer]
    for unit in range(2):
        slopes = [
            slope(network, lambda copied, gate: gate_layer(copied, gated, unit, gate), batch)  # noqa: B023
            for batch in inputs.split(2)
        ]
        assert float(found[unit]) == pytest.approx(sum(each**2 for each in slopes) / len(slopes), rel=1e-4)


@pytest.mark.parametrize("name", ["conv", "resnet", "odd"])
def test_the_oracle_is_the_loss_without_each_unit(name):
    network, inputs = build(name)
    network, inputs = network.double(), inputs.double()
    groups = cuttable(find_groups(network, inputs))
    alive = random_masks(groups, seed=1, kept=0.7)
    cut = masked(network, groups, alive)
    found = score("oracle", cut, inputs, alive=alive)
    for group in groups:
        for unit in alive[group.name].nonzero().flatten().tolist():
            without = torch.ones(group.size, dtype=torch.bool)
            without[unit] = False
            with torch.no_grad():
                wanted = loss(masked(cut, groups, {group.name: without}), [inputs])
            assert float(found[group.name][unit]) == pytest.approx(float(wanted), rel=1e-10)


@pytest.mark.parametrize("criterion", ["random", "random-weights"])
def test_random_scores_are_the_generators(criterion):
    one, same, other = (by_hand(criterion, Hand(), seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    flat = torch.tensor(next(iter(one.values()))).flatten()
    assert (flat >= 0).all() and (flat < 1).all() and len(set(flat.tolist())) == len(flat)


@pytest.mark.parametrize("criterion", SCORED)
@pytest.mark.parametrize("name", ["small", "odd", "dense"])
def test_every_criterion_scores_the_alphazero_network_and_leaves_it_as_it_is(criterion, name):
    network, inputs = build(name, batch=2)
    state = copy.deepcopy(network.state_dict())
    before = {each: tensor.detach() + 1 for each, tensor in network.named_parameters()}
    alive = None
    if criterion == "oracle":  # a pass for each unit: some are enough
        alive = {"value_hidden": torch.ones(network.config.hidden, dtype=torch.bool)}
    found = evidence(network, inputs, of=CRITERIA[criterion].of, alive=alive, before=before)
    if criterion == "apoz" and network.config.slope:
        with pytest.raises(ValueError, match="this network has none"):
            CRITERIA[criterion].score(found)
        return
    scores = CRITERIA[criterion].score(found)
    assert {each: tuple(values.shape) for each, values in scores.items()} == found.alive.shapes
    assert all(values.isfinite().all() for values in scores.values())
    assert all(torch.equal(state[each], tensor) for each, tensor in network.state_dict().items())
    assert not any(module.training for module in network.modules())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("criterion", [name for name in SCORED if CRITERIA[name].of == "units"])
@pytest.mark.parametrize("coupled", [True, False])
def test_units_of_a_pruned_network_score_as_if_all_were_alive(criterion, coupled):
    """The scores may be taken on a smaller network, and what is dropped is never dropped again."""
    network, inputs = build("resnet")
    network, inputs = network.double(), inputs.double()
    groups = find_groups(network, inputs, coupled=coupled)
    alive = random_masks(groups, seed=2)
    apply(network, weight_masks(groups, alive, network))
    some = score(criterion, network, inputs, alive=alive, coupled=coupled)
    everything = score(criterion, network, inputs, coupled=coupled)
    for name, mask in alive.items():
        torch.testing.assert_close(some[name][mask], everything[name][mask], rtol=1e-10, atol=1e-12)
    masks = Masks(alive)
    selection = drop_lowest(some, masks, count=3)
    assert (selection.got, masks.kept - selection.masks.kept) == (3, 3)
    assert selection.masks.within(masks)


def test_a_network_with_an_emptied_layer_is_scored_whole():
    network, inputs = build("resnet")
    network, inputs = network.double(), inputs.double()
    groups = find_groups(network, inputs)
    alive = {group.name: torch.ones(group.size, dtype=torch.bool) for group in cuttable(groups)}
    alive["a1"][:] = False
    apply(network, weight_masks(groups, alive, network))
    some, everything = (score("dropnet", network, inputs, alive=each) for each in (alive, None))
    assert all(torch.equal(some[name], everything[name]) for name in alive)
    assert not some["a1"].any()
