"""Sparse training: what is dropped, what is grown, when, and that nothing else moves."""

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.optim import SGD, Adam, AdamW, RMSprop
from two_processes import in_two_processes

from pruning.masks.held import Masks, hold_at_zero
from pruning.sparse.topologies import (
    TOPOLOGIES,
    dropped_share,
    gone_share,
    largest,
    make_topology,
    shared_out,
)
from pruning.sparse.training import SparseTraining

OPTIMIZERS = {
    "momentum": lambda weights: SGD(weights, 0.1, momentum=0.9, weight_decay=0.01),
    "nesterov, fused": lambda weights: SGD(weights, 0.1, momentum=0.9, nesterov=True, fused=True),
    "adam": lambda weights: Adam(weights, 0.01, weight_decay=0.1, foreach=False),
    "adam, foreach": lambda weights: Adam(weights, 0.01, amsgrad=True, foreach=True),
    "adam, fused": lambda weights: Adam(weights, 0.01, fused=True),
    "adamw": lambda weights: AdamW(weights, 0.01, weight_decay=0.1),
    "adamw, fused": lambda weights: AdamW(weights, 0.01, weight_decay=0.1, amsgrad=True, fused=True),
    "rmsprop": lambda weights: RMSprop(weights, 0.01, momentum=0.9),
}
LAYERS = ("0.weight", "3.weight", "6.weight")
EXCHANGING = ("set", "snfs", "rigl")


def make_network(channels_last=False):
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, 5))
    return network.to(memory_format=torch.channels_last) if channels_last else network


def part(network, names=LAYERS, density=0.4):
    """Masks that keep about this share of each layer."""
    generator = torch.Generator().manual_seed(1)
    shapes = {name: network.get_parameter(name).shape for name in names}
    return Masks({name: torch.rand(shape, generator=generator) < density for name, shape in shapes.items()})


class Run:
    """A training of `steps` steps on random images, step by step."""

    def __init__(self, topology, *, make=OPTIMIZERS["momentum"], steps=100, network=None, masks=None, seed=7):
        self.network = network or make_network()
        self.sparse = SparseTraining(self.network, masks or part(self.network), topology, seed)
        self.optimizer = make([weight for weight in self.network.parameters() if weight.requires_grad])
        self.sparse.hold(self.optimizer)
        self.lr = self.sparse.watch(lambda progress: 0.05)
        self.generator = torch.Generator().manual_seed(2)
        self.done, self.steps = 0, steps

    def loss(self):
        images = torch.randn(8, 3, 6, 6, generator=self.generator)
        return self.network(images).square().mean()

    def step(self, before=lambda: None, steps=1):
        for _ in range(steps):
            self.optimizer.param_groups[0]["lr"] = self.lr(self.done / self.steps)
            self.optimizer.zero_grad()
            self.loss().backward()
            before()
            self.optimizer.step()
            self.done += 1
        return self

    def slots(self, name):
        state = self.optimizer.state[self.network.get_parameter(name)]
        return [value for key, value in state.items() if key != "step"]


def counts(masks):
    return {name: int(mask.sum()) for name, mask in masks.items()}


def zero_where_dropped(run):
    """Whether all weights that the masks drop, and their buffers, are 0."""
    return not any(
        tensor.detach()[~mask].any()
        for name, mask in run.sparse.masks.items()
        for tensor in (run.network.get_parameter(name), *run.slots(name))
    )


class Line(nn.Module):
    """A layer of one output, whose gradient is the input."""

    def __init__(self, weights):
        super().__init__()
        self.layer = nn.Linear(len(weights), 1, bias=False)
        with torch.no_grad():
            self.layer.weight.copy_(torch.tensor([weights]))


def line_update(topology, weights, kept, gradient, *, mask_gradient=False, make=None):
    """One step without and one with an update in a `Line`; the gradient is known, also where nothing is."""
    network = Line(weights)
    mask = torch.tensor([kept], dtype=torch.bool)
    sparse = SparseTraining(network, Masks({"layer.weight": mask}), topology, 0)
    optimizer = (make or (lambda params: SGD(params, lr=0.0)))(network.parameters())
    sparse.hold(optimizer)
    lr = sparse.watch(lambda progress: 0.0)
    for progress in (0.0, 1e-9):
        lr(progress)
        optimizer.zero_grad()
        network.layer(torch.tensor([gradient])).sum().backward()
        if mask_gradient:
            network.layer.weight.grad.mul_(mask)
        optimizer.step()
    return sparse.masks["layer.weight"][0].int().tolist(), network.layer.weight.detach()[0].tolist()


WEIGHTS = [5.0, 4.0, 0.5, 3.0, 0.0, 0.0, 0.0, 0.0]
KEPT = [1, 1, 1, 1, 0, 0, 0, 0]
GRADIENT = [9.0, 0.1, 0.2, 0.15, 0.3, -0.8, 0.7, 0.1]


def test_rigl_drops_the_smallest_weight_and_grows_the_largest_gradient():
    found, weights = line_update(make_topology("rigl", alpha=0.3, every=1), WEIGHTS, KEPT, GRADIENT)
    assert found == [1, 1, 0, 1, 0, 1, 0, 0]  # 0.3 of 4 kept is one; 0.3 of all 8 would be two
    assert weights == [5.0, 4.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0]


def test_a_masked_gradient_would_not_do():
    """It is 0 wherever a weight could grow: this is the known answer of the test above, missed."""
    topology = make_topology("rigl", alpha=0.3, every=1)
    found, _ = line_update(topology, WEIGHTS, KEPT, GRADIENT, mask_gradient=True)
    assert found != [1, 1, 0, 1, 0, 1, 0, 0]
    assert sum(found) == 4


def test_a_weight_just_dropped_may_grow_again_and_then_never_went():
    gradient = [9.0, 0.1, 4.0, 0.15, 0.3, -0.8, 0.7, 0.1]
    found, weights = line_update(make_topology("rigl", alpha=0.3, every=1), WEIGHTS, KEPT, gradient)
    assert found == KEPT
    assert weights == WEIGHTS


def test_snfs_grows_by_the_average_of_gradients():
    """The last gradient is largest at the last place, the average is not."""
    network = Line(WEIGHTS)
    sparse = SparseTraining(
        network, Masks({"layer.weight": torch.tensor([KEPT]) > 0}), make_topology("snfs", every=3), 0
    )
    optimizer = SGD(network.parameters(), lr=0.0)
    sparse.hold(optimizer)
    lr = sparse.watch(lambda progress: 0.0)
    averages = torch.zeros(8)
    for step, gradient in enumerate([GRADIENT] * 3 + [[0.0] * 7 + [1.0]]):
        lr(step / 1e9)
        optimizer.zero_grad()
        network.layer(torch.tensor([gradient])).sum().backward()
        optimizer.step()
        averages = 0.9 * averages + 0.1 * torch.tensor(gradient)
    assert averages[4:].abs().argmax() == 1
    assert sparse.masks["layer.weight"][0].int().tolist() == [1, 1, 0, 1, 0, 1, 0, 0]


def test_all_places_are_as_likely_to_grow_in_set():
    topology, network = make_topology("set", alpha=0.3, every=1), Line([1.0] * 4 + [0.0] * 6)
    masks = Masks({"layer.weight": torch.arange(10)[None] < 4})
    grown = torch.zeros(10)
    for seed in range(700):
        sparse = SparseTraining(copy.deepcopy(network), masks, topology, seed)
        optimizer = SGD(sparse._network.parameters(), lr=0.0)
        sparse.hold(optimizer)
        lr = sparse.watch(lambda progress: 0.0)
        for progress in (0.0, 1e-9):
            lr(progress)
            optimizer.step()
        after = sparse.masks["layer.weight"][0]
        assert after.sum() == 4
        grown += after
    # weight 3 goes, the latest of the equals, and comes back as often as the others come
    assert grown[:3].tolist() == [700] * 3
    assert ((grown[3:] - 100).abs() < 4 * math.sqrt(700 / 7 * 6 / 7)).all()


def test_ties_at_zero_neither_lose_nor_add_weights():
    """Kept weights of 0 beside dropped ones, and no gradient anywhere: the counts stay, kept weights go."""
    weights = [0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    kept = [1, 1, 1, 1, 0, 0, 0, 1]
    for name in EXCHANGING:
        topology = make_topology(name, alpha=0.5, every=1)
        found, _ = line_update(topology, weights, kept, [0.0] * 8)
        assert sum(found) == 5
        assert (found[1], found[7]) == (1, 1)
    # the later of equal weights are dropped, the earlier of equal places grow: those just dropped, here
    assert line_update(make_topology("rigl", alpha=0.5, every=1), weights, kept, [0.0] * 8)[0] == kept


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, math.inf, math.nan]), min_size=1, max_size=20), st.data())
def test_the_largest_are_exactly_so_many(values, data):
    among = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    count = data.draw(st.integers(0, sum(among)))
    found = largest(torch.tensor(values), torch.tensor(among), count).tolist()
    ranked = sorted(
        (place for place, free in enumerate(among) if free),
        key=lambda place: (-(0.0 if math.isnan(values[place]) else values[place]), place),
    )
    assert [place for place, chosen in enumerate(found) if chosen] == sorted(ranked[:count])


def test_the_share_dropped_follows_the_cosine():
    assert dropped_share(0.0, 0.3, 0.75) == 0.3
    assert dropped_share(0.375, 0.3, 0.75) == pytest.approx(0.15)
    assert dropped_share(0.25, 0.3, 0.75) == pytest.approx(0.225)
    assert dropped_share(0.75, 0.3, 0.75) == dropped_share(0.9, 0.3, 0.75) == 0.0


@pytest.mark.parametrize("name", EXCHANGING)
@pytest.mark.parametrize("steps", [40, 400])
def test_the_end_scales_with_the_training(name, steps):
    """Updates come at multiples of `every` steps, not at step 0, and none from `end` on."""
    run = Run(make_topology(name, alpha=0.5, every=5, end=0.5), steps=steps)
    changed, before = [], 0
    for step in range(int(0.6 * steps) if steps > 100 else steps):
        run.step()
        if run.sparse.metrics["mask updates"] > before:
            changed.append(step)
        before = run.sparse.metrics["mask updates"]
    assert changed == list(range(5, steps // 2, 5))


@pytest.mark.parametrize("name", EXCHANGING)
def test_each_layer_keeps_its_number_over_a_hundred_updates(name):
    run = Run(make_topology(name, alpha=0.5, every=1, end=1.0), steps=102)
    wanted = counts(run.sparse.masks)
    first = run.sparse.masks
    for _ in range(101):
        run.step()
        assert counts(run.sparse.masks) == wanted
        assert zero_where_dropped(run)
    assert run.sparse.metrics["mask updates"] == 100
    assert run.sparse.metrics["weights grown"] == run.sparse.metrics["weights dropped"] > 0
    assert run.sparse.masks != first


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_nothing_moves_in_the_step_that_rigl_replaces(make, channels_last):
    """Neither by weight decay nor by momentum; not the layers without a mask, not the step counts."""
    run = Run(make_topology("rigl", every=3), make=make, network=make_network(channels_last)).step(steps=3)
    masks, before = run.sparse.masks, {n: w.detach().clone() for n, w in run.network.named_parameters()}
    state = copy.deepcopy(run.optimizer.state_dict()["state"])
    run.step()
    after = run.sparse.masks
    assert run.sparse.metrics["mask updates"] == 1
    assert run.sparse.metrics["weights grown"] > 0
    for name, weight in run.network.named_parameters():
        kept = (masks[name] & after[name]) if name in masks else torch.ones_like(weight, dtype=torch.bool)
        assert torch.equal(weight[kept], before[name][kept]), name
        assert not weight.detach()[~kept].any()
    for own, (name, _) in enumerate(run.network.named_parameters()):
        for key, old in state[own].items():
            new = run.optimizer.state_dict()["state"][own][key]
            if name in masks and key != "step":
                kept = masks[name] & after[name]
                assert torch.equal(new[kept], old[kept])
                assert not new[~kept].any()
            elif old is not None:
                assert torch.equal(new, old), (name, key)
    run.step()
    assert not torch.equal(run.network[6].bias, before["6.bias"])


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_grown_weights_start_at_zero_with_clean_buffers(make):
    """After their first step the buffers are those of an optimizer that has never stepped before."""
    run = Run(make_topology("rigl", alpha=0.5, every=5), make=make).step(steps=5)
    before = run.sparse.masks
    run.step()
    grown = {name: mask & ~before[name] for name, mask in run.sparse.masks.items()}
    weights = {name: run.network.get_parameter(name) for name in grown}
    new = {name: nn.Parameter(weight.detach().clone()) for name, weight in weights.items()}
    for name, mask in grown.items():
        assert mask.any()
        assert not new[name].detach()[mask].any()
        assert all(not slot[mask].any() for slot in run.slots(name))
    run.step()
    fresh = make(new.values())
    for name, weight in weights.items():
        new[name].grad = weight.grad.clone()
    fresh.step()
    for name, mask in grown.items():
        moved = weights[name].grad != 0
        assert weights[name].detach()[mask & moved].all()
        wanted = [value for key, value in fresh.state[new[name]].items() if key != "step"]
        assert all(torch.equal(a[mask], b[mask]) for a, b in zip(run.slots(name), wanted, strict=True))
        kept = before[name] & run.sparse.masks[name]
        assert not any(torch.equal(a[kept], b[kept]) for a, b in zip(run.slots(name), wanted, strict=True))


@pytest.mark.parametrize("name", ["set", "snfs"])
def test_set_and_snfs_step_and_then_update(name):
    """Kept weights are those of a static training; what is grown is 0."""
    moving, static = Run(make_topology(name, every=3)), Run(make_topology("static"))
    for run in (moving, static):
        run.step(steps=4)
    before, after = static.sparse.masks, moving.sparse.masks
    assert before != after
    for name, weight in moving.network.named_parameters():
        wanted = static.network.get_parameter(name)
        assert torch.equal(weight, wanted * (before[name] & after[name]) if name in before else wanted)
    assert zero_where_dropped(moving)


def test_the_static_topology_is_the_static_hold():
    run, other = Run(make_topology("static")).step(steps=6), make_network()
    optimizer = OPTIMIZERS["momentum"](other.parameters())
    hold_at_zero(other, optimizer, part(other))
    twin = copy.copy(run)
    twin.network, twin.optimizer, twin.done = other, optimizer, 0
    twin.generator = torch.Generator().manual_seed(2)
    twin.step(steps=6)
    for name, tensor in run.network.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])
    assert run.sparse.masks == part(other)
    assert run.sparse.metrics["mask updates"] == 0


@pytest.mark.parametrize("name", EXCHANGING)
def test_the_seed_is_all_that_is_random(name):
    one, same, other = (Run(make_topology(name, every=2), seed=seed).step(steps=9) for seed in (1, 1, 2))
    assert one.sparse.masks == same.sparse.masks
    assert (one.sparse.masks == other.sparse.masks) == (name != "set")


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_the_layout_of_weights_does_not_matter(name):
    options = {} if name == "static" else {"every": 2, "end": 0.5}
    plain, last = (
        Run(make_topology(name, **options), network=make_network(channels_last).double(), steps=12)
        for channels_last in (False, True)
    )
    for run in (plain, last):
        run.loss = lambda run=run: (
            run.network(torch.randn(8, 3, 6, 6, generator=run.generator).double()).square().mean()
        )
        run.step(steps=12)
    assert last.network[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert plain.sparse.masks == last.sparse.masks
    assert zero_where_dropped(last)


@pytest.mark.parametrize("name", EXCHANGING)
def test_autocast_to_bfloat16(name):
    run = Run(make_topology(name, alpha=0.5, every=2))
    wanted, loss = counts(run.sparse.masks), run.loss

    def cast():
        with torch.autocast("cpu", torch.bfloat16):
            return loss()

    run.loss = cast
    run.step(steps=9)
    assert counts(run.sparse.masks) == wanted
    assert run.sparse.metrics["weights grown"] > 0
    assert zero_where_dropped(run)


@pytest.mark.parametrize("name", EXCHANGING)
def test_a_training_that_diverges_keeps_its_counts(name):
    run = Run(make_topology(name, every=2))
    wanted, loss = counts(run.sparse.masks), run.loss
    run.loss = lambda: loss() * math.nan
    run.step(steps=5)
    assert counts(run.sparse.masks) == wanted


@pytest.mark.parametrize("name", EXCHANGING)
def test_layers_without_a_mask_stay_dense(name):
    network = make_network()
    run = Run(make_topology(name, every=2), network=network, masks=part(network, ("3.weight",)))
    run.step(steps=7)
    assert set(run.sparse.masks) == {"3.weight"}
    assert network[0].weight.all()
    assert network[6].weight.all()


@pytest.mark.parametrize("name", EXCHANGING)
@pytest.mark.parametrize("density", [0.0, 1.0])
def test_layers_that_are_empty_or_full_stay_so(name, density):
    network = make_network()
    masks = Masks({**part(network, ("0.weight",)), **part(network, ("3.weight",), density)})
    run = Run(make_topology(name, every=2), network=network, masks=masks).step(steps=7)
    assert run.sparse.masks["3.weight"].float().mean() == density


def test_a_frozen_layer_is_named():
    network = make_network()
    network[3].requires_grad_(False)
    for name in EXCHANGING:
        with pytest.raises(ValueError, match=r"'3.weight' is not trained"):
            Run(make_topology(name), network=network)
        Run(make_topology(name), network=network, masks=part(network, ("0.weight", "6.weight")))
    for name in ("static", "gradual"):  # what is not to grow needs no training
        run = Run(make_topology(name), network=network).step(steps=2)
        assert run.sparse.held


@pytest.mark.parametrize("name", ["rigl", "snfs"])
def test_a_layer_that_has_no_part_in_the_loss_is_named(name):
    run = Run(make_topology(name, every=2))
    run.loss = lambda: run.network[:3](torch.ones(2, 3, 6, 6)).sum()
    with pytest.raises(ValueError, match=r"no gradient of '3.weight'"):
        run.step(steps=3)


def test_a_training_that_ignores_the_watched_learning_rate_is_told():
    run = Run(make_topology("rigl"))
    with pytest.raises(ValueError, match=r"learning-rate function that watch\(lr\) returns"):
        run.optimizer.step()


def test_hold_is_called_once_and_with_the_networks_optimizer():
    network = make_network()
    sparse = SparseTraining(network, part(network), make_topology("rigl"), 0)
    assert not sparse.held
    with pytest.raises(ValueError, match="not trained"):
        sparse.hold(SGD(make_network().parameters(), 0.1))
    sparse.hold(SGD(network.parameters(), 0.1))
    assert sparse.held
    with pytest.raises(ValueError, match="called twice"):
        sparse.hold(SGD(network.parameters(), 0.1))
    wrong = SparseTraining(network, Masks({"9.weight": torch.tensor([True])}), make_topology("rigl"), 0)
    with pytest.raises(ValueError, match=r"'9.weight' has no parameter"):
        wrong.hold(SGD(network.parameters(), 0.1))


def test_the_learning_rate_is_passed_on():
    sparse = SparseTraining(make_network(), part(make_network()), make_topology("rigl"), 0)
    assert [sparse.watch(lambda progress: 1 - progress)(at) for at in (0.0, 0.25)] == [1.0, 0.75]


def test_shares_of_what_all_have_dropped():
    assert shared_out({"a": 10, "b": 10}, {"a": 3.0, "b": 1.0}, {"a": 100, "b": 100}) == {"a": 15, "b": 5}
    dropped, worth = {"a": 100, "b": 50, "c": 50}, {"a": 149.0, "b": 31.0, "c": 20.0}
    # at most 99 of a's 100 places: the other 50 go evenly to b and c
    assert shared_out(dropped, worth, {"a": 100, "b": 900, "c": 900}) == {"a": 99, "b": 56, "c": 45}
    # and where b has only 9, those that it cannot take go on to c
    assert shared_out(dropped, worth, {"a": 100, "b": 10, "c": 900}) == {"a": 99, "b": 9, "c": 92}
    assert shared_out(dropped, worth, {"a": 100, "b": 50, "c": 90}) == {"a": 99, "b": 49, "c": 52}
    # without a signal each gets back what it gave; where 99% is too little, all places are used
    assert shared_out({"a": 3, "b": 1}, {"a": 0.0, "b": 0.0}, {"a": 9, "b": 9}) == {"a": 3, "b": 1}
    assert shared_out({"a": 3, "b": 1}, {"a": 1.0, "b": 0.0}, {"a": 3, "b": 1}) == {"a": 3, "b": 1}


@given(
    st.lists(st.tuples(st.integers(0, 50), st.floats(0, 1e3), st.integers(0, 200)), min_size=1, max_size=6)
)
def test_what_is_shared_out_is_what_was_dropped_and_fits(layers):
    dropped = {place: layer[0] for place, layer in enumerate(layers)}
    free = {place: layer[0] + layer[2] for place, layer in enumerate(layers)}
    found = shared_out(dropped, {place: layer[1] for place, layer in enumerate(layers)}, free)
    assert sum(found.values()) == sum(dropped.values())
    assert all(0 <= found[place] <= free[place] for place in free)
    if sum(math.floor(0.99 * places) for places in free.values()) >= sum(dropped.values()):
        assert all(found[place] <= 0.99 * free[place] for place in free)


@pytest.mark.parametrize("name", ["rigl", "snfs"])
@pytest.mark.parametrize("by", ["gradient", "momentum"])
def test_redistribution_moves_weights_between_layers_and_keeps_their_number(name, by):
    run = Run(make_topology(name, alpha=0.5, every=1, end=1.0, redistribute=by), steps=31)
    first = run.sparse.masks
    for _ in range(30):
        run.step()
        assert run.sparse.masks.kept == first.kept
        assert zero_where_dropped(run)
    assert counts(run.sparse.masks) != counts(first)
    assert min(counts(run.sparse.masks).values()) > 0


def test_redistribution_goes_by_the_mean_over_the_weights_that_are_left():
    """By hand: layer a drops 2 of 8 and has a mean |gradient| of 3 left, b drops 2 of 8 and has one of 1."""
    network = nn.ModuleDict({name: Line([9.0] * 6 + [0.1] * 2 + [0.0] * 12) for name in "ab"})
    masks = Masks({f"{name}.layer.weight": torch.arange(20)[None] < 8 for name in "ab"})
    topology = make_topology("rigl", alpha=0.25, every=1, redistribute="gradient")
    sparse = SparseTraining(network, masks, topology, 0)
    optimizer = SGD(network.parameters(), lr=0.0)
    sparse.hold(optimizer)
    lr = sparse.watch(lambda progress: 0.0)
    for progress in (0.0, 1e-9):
        lr(progress)
        optimizer.zero_grad()
        for name, size in {"a": 3.0, "b": 1.0}.items():
            gradient = torch.cat([torch.full((6,), size), torch.full((14,), 50.0)])
            network[name].layer(gradient[None]).sum().backward()
        optimizer.step()
    assert counts(sparse.masks) == {"a.layer.weight": 9, "b.layer.weight": 7}


def test_redistribution_by_momentum_needs_some():
    make = {"none": lambda weights: SGD(weights, 0.1), "rmsprop": lambda weights: RMSprop(weights, 0.1)}
    for each in make.values():
        run = Run(make_topology("rigl", every=1, redistribute="momentum"), make=each)
        with pytest.raises(ValueError, match=r"no momentum of '0.weight'"):
            run.step(steps=2)
    Run(make_topology("rigl", every=1, redistribute="momentum"), make=OPTIMIZERS["adam"]).step(steps=2)
    Run(make_topology("snfs", every=1, redistribute="momentum"), make=make["none"]).step(steps=2)


def test_the_cubic_of_gradual_pruning():
    assert [gone_share(at, 0.2, 0.6) for at in (0.0, 0.2, 0.6, 1.0)] == [0, 0, 1, 1]
    assert gone_share(0.4, 0.2, 0.6) == pytest.approx(0.875)
    assert gone_share(0.3, 0.2, 0.6) == pytest.approx(1 - 0.75**3)


@pytest.mark.parametrize("scope", ["layer", "global"])
def test_gradual_pruning_starts_whole_and_ends_with_the_asked_number(scope):
    topology = make_topology("gradual", begin=0.2, end=0.6, every=7, scope=scope)
    run = Run(topology)
    wanted, masks, seen = part(run.network), run.sparse.masks, []
    assert masks.density() == 1.0
    assert all(run.network.get_parameter(name).all() for name in LAYERS)
    for step in range(100):
        run.step()
        if run.sparse.masks != masks:
            seen.append(step)
        assert run.sparse.masks.within(masks)
        assert zero_where_dropped(run)
        masks = run.sparse.masks
        gone = gone_share(step // 7 * 7 / 100 if step < 60 else 1, 0.2, 0.6)
        assert masks.size - masks.kept == pytest.approx(gone * (wanted.size - wanted.kept), abs=3)
    assert seen == [21, 28, 35, 42, 49, 56, 60]
    assert masks.kept == wanted.kept
    assert (counts(masks) == counts(wanted)) == (scope == "layer")


@pytest.mark.parametrize("steps", [2, 30])
def test_gradual_pruning_ends_with_the_asked_number_in_a_short_training_too(steps):
    run = Run(make_topology("gradual", end=0.5), steps=steps).step(steps=steps)
    assert counts(run.sparse.masks) == counts(part(run.network))
    assert run.sparse.metrics["mask updates"] == 1


def test_gradual_pruning_drops_the_smallest():
    run = Run(make_topology("gradual", end=0.5, scope="global"), make=lambda w: SGD(w, 0.0), steps=4)
    run.lr = run.sparse.watch(lambda progress: 0.0)
    sizes = torch.cat([run.network.get_parameter(name).detach().abs().flatten() for name in LAYERS])
    run.step(steps=4)
    kept = torch.cat([mask.flatten() for mask in run.sparse.masks.values()])
    assert sizes[kept].min() > sizes[~kept].max()


def test_unknown_topologies_and_options_are_refused():
    for name, options, named in [
        ("rigle", {}, r"unknown topology 'rigle' \(did you mean 'rigl'\?\); topologies are static, set"),
        ("rigl", {"aplha": 0.3}, r"'rigl' has no option 'aplha' \(did you mean 'alpha'\?\)"),
        ("static", {"every": 1}, "options are none"),
        ("rigl", {"alpha": 0.0}, "topology 'rigl': alpha must be between 0 and 1.* got 0.0"),
        ("set", {"every": 0}, "every must be a whole number of at least 1, got 0"),
        ("set", {"end": 1.5}, "end must be 0 to 1, got 1.5"),
        ("set", {"end": 0}, "end must be above 0"),
        ("snfs", {"momentum": 1.0}, "momentum .* got 1.0"),
        ("rigl", {"redistribute": "size"}, "redistribute must be one of '', 'gradient', 'momentum'"),
        ("gradual", {"begin": 0.75}, "begin must be before end, 0.75, got 0.75"),
        ("gradual", {"end": 1.0}, "end must be between 0 and 1"),
        ("gradual", {"scope": "unit"}, "scope must be layer or global, got 'unit'"),
    ]:
        with pytest.raises(ValueError, match=named):
            make_topology(name, **options)


def test_rigl_finds_the_inputs_that_matter():
    """Of 60 inputs 6 carry the answer: sparse layers that start elsewhere grow to them, but static ones."""
    torch.manual_seed(0)
    inputs = torch.randn(400, 60)
    labels = inputs[:, -6:].sum(1, keepdim=True)
    masks = Masks({"0.weight": torch.arange(60).repeat(10, 1) < 6})
    losses = {}
    for name in ("static", "set", "rigl"):
        torch.manual_seed(1)
        network = nn.Sequential(nn.Linear(60, 10), nn.ReLU(), nn.Linear(10, 1))
        topology = make_topology(name) if name == "static" else make_topology(name, every=10)
        sparse = SparseTraining(network, masks, topology, 0)
        optimizer = Adam(network.parameters(), lr=0.02)
        sparse.hold(optimizer)
        lr = sparse.watch(lambda progress: 0.02)
        for step in range(400):
            lr(step / 400)
            optimizer.zero_grad()
            loss = functional.mse_loss(network(inputs), labels)
            loss.backward()
            optimizer.step()
        losses[name] = loss.item()
    assert losses["rigl"] < 0.2 < 3 < losses["static"]
    assert losses["rigl"] < losses["set"] < losses["static"]


WORKER = """
import json, sys
from pathlib import Path
import torch
from torch import distributed, nn
from pruning.masks.held import Masks
from pruning.sparse import SparseTraining, make_topology

rank, folder = int(sys.argv[1]), Path(sys.argv[2])
torch.set_num_threads(1)
meeting = f"file://{folder / 'meeting'}"
distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
found = {}
for name in ("set", "snfs", "rigl", "rigl by momentum"):
    torch.manual_seed(0)
    network = nn.Linear(30, 10)
    masks = Masks({"weight": torch.rand(10, 30) < 0.3})
    by = {"redistribute": "momentum"} if "by" in name else {}
    sparse = SparseTraining(network, masks, make_topology(name.split()[0], every=1, **by), 0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0, momentum=0.9)
    sparse.hold(optimizer)
    lr, generator = sparse.watch(lambda progress: 0.0), torch.Generator().manual_seed(rank)
    for step in range(4):
        lr(step / 10)
        optimizer.zero_grad()
        network(torch.randn(8, 30, generator=generator)).square().mean().backward()
        optimizer.step()
    found[name] = sparse.masks.digest()
(folder / f"{rank}.json").write_text(json.dumps(found))
distributed.destroy_process_group()
"""


def test_processes_with_other_data_have_the_same_masks(tmp_path):
    one, other = in_two_processes(WORKER, tmp_path)
    assert one == other
    assert len(set(one.values())) == 3 + (one["rigl"] != one["rigl by momentum"])
