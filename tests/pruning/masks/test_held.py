"""Masks: a pruned weight never comes back, and a file of masks is whole or an error."""

import copy
import json
import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.func import functional_call
from torch.optim import SGD, Adadelta, Adagrad, Adam, AdamW, RMSprop

from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from pruning.channels.groups import Group, cuttable, find_groups
from pruning.channels.places import Slice
from pruning.channels.removal import shrink
from pruning.masks.files import write_tensors
from pruning.masks.held import Masks, apply, hold_at_zero, weight_masks

OPTIMIZERS = {
    "momentum": lambda weights: SGD(weights, 0.1, momentum=0.9, weight_decay=0.01, foreach=False),
    "momentum, foreach": lambda weights: SGD(weights, 0.1, momentum=0.9, weight_decay=0.01, foreach=True),
    "momentum, fused": lambda weights: SGD(weights, 0.1, momentum=0.9, weight_decay=0.01, fused=True),
    "nesterov": lambda weights: SGD(weights, 0.1, momentum=0.9, nesterov=True),
    "adam": lambda weights: Adam(weights, 0.01, foreach=False),
    "adam, foreach": lambda weights: Adam(weights, 0.01, weight_decay=0.1, foreach=True),
    "adam, fused": lambda weights: Adam(weights, 0.01, fused=True),
    "adamw": lambda weights: AdamW(weights, 0.01, weight_decay=0.1, foreach=False),
    "adamw, foreach": lambda weights: AdamW(weights, 0.01, weight_decay=0.1, amsgrad=True, foreach=True),
    "adamw, fused": lambda weights: AdamW(weights, 0.01, weight_decay=0.1, amsgrad=True, fused=True),
    "rmsprop": lambda weights: RMSprop(weights, 0.01, momentum=0.9),
}
WEIGHTS = ("0.weight", "3.weight", "6.weight")


def make_network(channels_last=False):
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, 5))
    return network.to(memory_format=torch.channels_last) if channels_last else network


def half(network, seed=1):
    """Masks that keep about half of each weight tensor."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {name: network.get_parameter(name).shape for name in WEIGHTS}
    return Masks({name: torch.rand(shape, generator=generator) < 0.5 for name, shape in shapes.items()})


def train(network, optimizer, steps, before_step=lambda: None):
    generator = torch.Generator().manual_seed(2)
    for _ in range(steps):
        optimizer.zero_grad()
        network(torch.randn(8, 3, 6, 6, generator=generator)).square().mean().backward()
        before_step()
        optimizer.step()


def largest_dropped(network, masks):
    """The largest weight that should be 0."""
    return max(float(network.get_parameter(name).detach()[~mask].abs().max()) for name, mask in masks.items())


def buffers(optimizer, parameter):
    return [value for value in optimizer.state[parameter].values() if value.shape == parameter.shape]


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_pruned_weight_never_comes_back(make, channels_last):
    naive, held = make_network(channels_last), make_network(channels_last)
    masks = half(held)

    def mask_gradients():
        for name, mask in masks.items():
            naive.get_parameter(name).grad.mul_(mask)

    # pruned in the middle of training, as every cycle but the first is: the buffers are full
    optimizer = make(naive.parameters())
    train(naive, optimizer, 3)
    apply(naive, masks)
    train(naive, optimizer, 3, mask_gradients)
    assert largest_dropped(naive, masks) > 0, "masking gradients alone would do, so this test shows nothing"

    optimizer = make(held.parameters())
    train(held, optimizer, 3)
    hold_at_zero(held, optimizer, masks)
    for _ in range(4):
        assert largest_dropped(held, masks) == 0
        for name, mask in masks.items():
            weight = held.get_parameter(name)
            assert not weight.detach()[~mask].signbit().any()  # as a product with the mask would leave
            assert weight.detach()[mask].all()
            found = buffers(optimizer, weight)
            assert found
            assert all(not buffer[~mask].any() for buffer in found)
            assert all(buffer[mask].any() for buffer in found)
        train(held, optimizer, 2)
    assert held[0].weight.is_contiguous(memory_format=torch.channels_last) == channels_last


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_training_held_is_training_the_masked_function(make):
    """With buffers that start empty: to the last bit what training weight * mask gives the kept weights."""
    held, free = make_network(), make_network()
    masks = half(held)
    optimizer = make(held.parameters())
    hold_at_zero(held, optimizer, masks)
    train(held, optimizer, 5)

    def masked(inputs):
        weights = {name: free.get_parameter(name) * mask for name, mask in masks.items()}
        return functional_call(free, weights, inputs)

    train(masked, make(free.parameters()), 5)
    for name, found in held.state_dict().items():
        wanted = free.state_dict()[name]
        assert torch.equal(found, wanted * masks[name] if name in masks else wanted), name


@pytest.mark.parametrize(
    "make", [lambda w: Adagrad(w, 0.1), lambda w: Adadelta(w)], ids=["adagrad", "adadelta"]
)
def test_other_optimizers_are_held_too(make):
    network = make_network()
    masks, optimizer = half(network), make(network.parameters())
    hold_at_zero(network, optimizer, masks)
    train(network, optimizer, 5)
    assert largest_dropped(network, masks) == 0
    for name, mask in masks.items():
        assert all(not each[~mask].any() for each in buffers(optimizer, network.get_parameter(name)))


def test_several_parameter_groups_and_a_learning_rate_schedule():
    network = make_network()
    masks = half(network)
    rest = [weight for name, weight in network.named_parameters() if name not in WEIGHTS]
    groups = [
        {"params": [network.get_parameter(name)], "lr": 0.1 / place} for place, name in enumerate(WEIGHTS, 1)
    ]
    optimizer = SGD([*groups, {"params": rest, "weight_decay": 0.0}], 0.1, momentum=0.9, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    train(network, optimizer, 2)
    hold_at_zero(network, optimizer, masks)
    train(network, optimizer, 3, schedule.step)
    assert largest_dropped(network, masks) == 0


def test_two_optimizers_of_one_network_each_hold_their_own():
    network = make_network()
    masks = half(network)
    first = SGD(network[0].parameters(), 0.1, momentum=0.9)
    second = Adam([*network[3].parameters(), *network[6].parameters()], 0.01)
    for _ in range(2):
        train(network, first, 1, second.step)
    for optimizer in (first, second):
        hold_at_zero(network, optimizer, masks)
    train(network, first, 3, second.step)
    assert largest_dropped(network, masks) == 0
    # and neither has heard of the other's parameters, which it could not save
    assert [len(optimizer.state_dict()["state"]) for optimizer in (first, second)] == [2, 4]


def test_loaded_optimizer_state_is_held_from_the_next_step():
    network = make_network()
    masks, optimizer = half(network), Adam(network.parameters(), 0.01)
    train(network, optimizer, 3)
    unmasked = copy.deepcopy(optimizer.state_dict())
    hold_at_zero(network, optimizer, masks)
    optimizer.load_state_dict(unmasked)
    assert any(buffer[~masks["0.weight"]].any() for buffer in buffers(optimizer, network[0].weight))
    train(network, optimizer, 1)
    assert largest_dropped(network, masks) == 0
    assert not any(buffer[~masks["0.weight"]].any() for buffer in buffers(optimizer, network[0].weight))


def test_the_step_count_is_no_weight():
    """A lone parameter has the shape of Adam's step count, which must go on."""
    network = nn.Module()
    network.scale = nn.Parameter(torch.tensor(3.0))
    optimizer = Adam(network.parameters())
    hold_at_zero(network, optimizer, Masks({"scale": torch.tensor(False)}))
    for _ in range(3):
        network.scale.grad = torch.tensor(1.0)
        optimizer.step()
    assert optimizer.state[network.scale]["step"] == 3
    assert network.scale == 0


def test_a_removed_hold_lets_weights_move():
    network = make_network()
    masks, optimizer = half(network), SGD(network.parameters(), 0.1)
    handle = hold_at_zero(network, optimizer, masks)
    train(network, optimizer, 1)
    assert largest_dropped(network, masks) == 0
    handle.remove()
    train(network, optimizer, 1)
    assert largest_dropped(network, masks) > 0


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_a_held_network_can_be_copied_and_the_copy_is_free(copied):
    network = make_network()
    masks, optimizer = half(network), SGD(network.parameters(), 0.1, momentum=0.9)
    hold_at_zero(network, optimizer, masks)
    train(network, optimizer, 2)
    copies = copied(network), copied(optimizer)
    for name, tensor in copies[0].state_dict().items():
        assert torch.equal(tensor, network.state_dict()[name])
    assert set(copies[0].state_dict()) == set(make_network().state_dict())
    own = SGD(copies[0].parameters(), 0.1)
    train(copies[0], own, 1)
    assert largest_dropped(copies[0], masks) > 0
    assert largest_dropped(network, masks) == 0


def test_an_optimizer_of_another_network_is_refused():
    """Training goes on without effect where an optimizer was made before the network was copied or shrunk."""
    network = make_network()
    orphaned = SGD(copy.deepcopy(network).parameters(), 0.1)
    with pytest.raises(ValueError, match="none of the masked parameters"):
        hold_at_zero(network, orphaned, half(network))


def test_apply_zeroes_once_whatever_stood_there():
    network = make_network()
    masks = half(network)
    with torch.no_grad():
        dropped = ~masks["0.weight"]
        network[0].weight[dropped] = torch.tensor([float("nan"), float("inf"), -1.0]).repeat(99)[
            : dropped.sum()
        ]
    kept = network[0].weight.detach()[masks["0.weight"]].clone()
    apply(network, masks)
    zeros = network[0].weight.detach()[dropped]
    assert (zeros == 0).all()
    assert not zeros.signbit().any()
    assert torch.equal(network[0].weight.detach()[masks["0.weight"]], kept)
    assert all(network.get_parameter(name).requires_grad for name in WEIGHTS)


@pytest.mark.parametrize(
    ("masks", "named"),
    [
        ({"7.weight": torch.ones(2, dtype=torch.bool)}, "'7.weight'"),
        ({"1.running_mean": torch.ones(6, dtype=torch.bool)}, "'1.running_mean'"),
        ({"6.weight": torch.ones(16, 5, dtype=torch.bool)}, r"\(5, 16\).*\(16, 5\)"),
        ({"6.weight": torch.ones(5, 16)}, "float32"),
    ],
)
def test_masks_that_do_not_fit_are_refused_and_nothing_is_changed(masks, named):
    network = make_network()
    optimizer = SGD(network.parameters(), 0.1)
    masks = {"0.weight": torch.zeros(6, 3, 3, 3, dtype=torch.bool)} | masks
    for call in (lambda: apply(network, masks), lambda: hold_at_zero(network, optimizer, masks)):
        with pytest.raises(ValueError, match=named):
            call()
    assert network[0].weight.any()


def test_counts_and_densities_by_hand():
    masks = Masks({"wide": torch.arange(90).reshape(9, 10) < 9, "narrow": torch.ones(10, dtype=torch.bool)})
    assert (masks.kept, masks.size) == (19, 100)
    assert masks.density() == 0.19  # by size; the mean of the layers' densities would be 0.55
    assert masks.densities() == {"wide": 0.1, "narrow": 1.0}
    assert masks.shapes == {"wide": (9, 10), "narrow": (10,)}
    assert Masks.ones(masks.shapes).density() == 1.0
    assert Masks({}).density() == 1.0


def test_masks_are_frozen():
    source = {"a": torch.tensor([True, False])}
    masks = Masks(source)
    digest = masks.digest()
    source["a"][1] = True
    masks["a"][0] = False
    next(iter(masks.values())).fill_(True)
    assert masks.digest() == digest
    assert masks["a"].tolist() == [True, False]
    with pytest.raises(TypeError):
        masks["a"] = source["a"]


def test_equality_and_digest_agree():
    one = Masks({"a": torch.tensor([True, False]), "b": torch.tensor([[True]])})
    same = Masks({"b": torch.tensor([[True]]), "a": torch.tensor([True, False])})
    others = [
        Masks({"a": torch.tensor([True, True]), "b": torch.tensor([[True]])}),
        Masks({"a": torch.tensor([True, False]), "b": torch.tensor([True])}),
        Masks({"a": torch.tensor([True, False]), "c": torch.tensor([[True]])}),
        Masks({"a": torch.tensor([True, False])}),
        Masks({"a": torch.tensor([True, False, False]), "b": torch.tensor([[True]])}),
    ]
    assert one == same == pickle.loads(pickle.dumps(one)) == copy.deepcopy(one)
    assert one.digest() == same.digest()
    assert all(one != other for other in others)
    assert len({masks.digest() for masks in (one, *others)}) == 1 + len(others)


def test_nesting():
    small, large = (
        Masks({"a": torch.tensor([True, False, False])}),
        Masks({"a": torch.tensor([True, True, False])}),
    )
    assert small.within(large)
    assert small.within(small)
    assert not large.within(small)
    with pytest.raises(ValueError, match="'b' is missing"):
        small.within(Masks({"a": small["a"], "b": small["a"]}))


def test_only_bool_tensors_are_masks():
    for wrong in (torch.ones(2), torch.ones(2, dtype=torch.uint8), [True, False]):
        with pytest.raises(ValueError, match="'a' must be a bool tensor"):
            Masks({"a": wrong})


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "masks.safetensors"
    half(make_network()).save(path)
    return path


def refused(path):
    with pytest.raises(ValueError) as caught:
        Masks.load(path)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert str(path) in text
    return text


def test_files_give_back_the_same_masks_in_the_same_order(tmp_path):
    masks = Masks(
        {"z": torch.rand(5, 7) < 0.5, "a": torch.tensor(True), "m": torch.ones(0, 3, dtype=torch.bool)}
    )
    masks.save(tmp_path / "masks")
    loaded = Masks.load(tmp_path / "masks")
    assert loaded == masks
    assert list(loaded) == ["z", "a", "m"]
    assert loaded.digest() == masks.digest()
    assert [path.name for path in tmp_path.iterdir()] == ["masks"]


def test_a_file_is_corrupt_wherever_it_is_cut(stored):
    content = stored.read_bytes()
    for length in (0, 7, 100, len(content) // 2, len(content) - 1):
        stored.write_bytes(content[:length])
        assert "corrupt" in refused(stored)


def test_one_wrong_bit_is_noticed(stored):
    content = bytearray(stored.read_bytes())
    content[-1] ^= 1
    stored.write_bytes(content)
    assert "digest" in refused(stored)


def test_other_files_are_refused(tmp_path):
    assert "not a file" in refused(tmp_path / "none")
    save_file({"a": torch.ones(1)}, tmp_path / "other")
    assert "has the format None, expected" in refused(tmp_path / "other")
    write_tensors(tmp_path / "names", {"a": torch.ones(1)}, "pruning masks", {"names": ["b"]})
    assert "different masks" in refused(tmp_path / "names")
    write_tensors(tmp_path / "floats", {"a": torch.ones(1)}, "pruning masks", {"names": ["a"]})
    assert "bool" in refused(tmp_path / "floats")
    metadata = {"format": "pruning masks", "version": "9", "header": json.dumps({})}
    save_file({"a": torch.ones(1)}, tmp_path / "newer", metadata)
    assert "version 9" in refused(tmp_path / "newer")


def group(name, size, producers, consumers=(), fixed=""):
    return Group(name, size, (name,), tuple(producers), (), tuple(consumers), (), fixed=fixed)


class Joined(nn.Module):
    """Two convolutions, laid side by side, flattened and read by a linear layer over 2x2 places."""

    def __init__(self):
        super().__init__()
        self.left = nn.Conv2d(1, 3, 3)
        self.right, self.bn = nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2)
        self.head = nn.Linear((3 + 2) * 4, 6)


JOINED = (
    group("left", 3, [Slice("left.weight", 0), Slice("left.bias", 0)], [Slice("head.weight", 1, 0, 4)]),
    group(
        "right",
        2,
        [Slice("right.weight", 0), Slice("bn.weight", 0), Slice("bn.bias", 0)],
        [Slice("head.weight", 1, 12, 4)],
    ),
    group("head", 6, [Slice("head.weight", 0), Slice("head.bias", 0)]),
)


def test_unit_masks_cut_rows_and_columns():
    units = {
        "left": torch.tensor([True, False, True]),
        "right": torch.tensor([False, True]),
        "head": torch.tensor([True, True, False, True, True, True]),
    }
    found = weight_masks(JOINED, units, Joined())
    head = torch.ones(6, 20, dtype=torch.bool)
    head[:, 4:8] = head[:, 12:16] = head[2, :] = False
    assert torch.equal(found["head.weight"], head)
    assert torch.equal(found["head.bias"], units["head"])
    assert torch.equal(found["left.weight"], units["left"][:, None, None, None].expand(3, 1, 3, 3))
    assert torch.equal(found["right.weight"], units["right"][:, None, None, None].expand(2, 1, 3, 3))
    assert all(torch.equal(found[name], units["left"]) for name in ("left.bias",))
    assert all(torch.equal(found[name], units["right"]) for name in ("bn.weight", "bn.bias"))


def test_groups_that_are_not_named_are_kept_whole():
    found = weight_masks(JOINED, {"right": torch.tensor([True, False])}, Joined())
    assert set(found) == {"right.weight", "bn.weight", "bn.bias", "head.weight"}
    assert found["head.weight"].sum() == 6 * 16
    assert found == weight_masks(
        JOINED, {"right": torch.tensor([True, False])}, Joined().to(memory_format=torch.channels_last)
    )


def test_unit_masks_that_do_not_fit_are_refused():
    for units, named in [
        ({"middle": torch.ones(3, dtype=torch.bool)}, "'middle'; the groups are left, right, head"),
        ({"left": torch.ones(2, dtype=torch.bool)}, r"'left' must have shape \(3,\), got \(2,\)"),
        ({"left": torch.ones(3)}, "'left' must be a bool tensor"),
    ]:
        with pytest.raises(ValueError, match=named):
            weight_masks(JOINED, units, Joined())
    outputs = [group("head", 6, [Slice("head.weight", 0)], fixed="output of the network")]
    with pytest.raises(ValueError, match="'head' cannot be pruned: output of the network"):
        weight_masks(outputs, {"head": torch.arange(6) > 0}, Joined())
    assert weight_masks(outputs, {"head": torch.ones(6, dtype=torch.bool)}, Joined()).density() == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda weights: SGD(weights, 0.05, momentum=0.9, weight_decay=1e-3),
        lambda weights: AdamW(weights, 0.001, weight_decay=0.1),
    ],
    ids=["momentum", "adamw"],
)
def test_training_held_is_training_what_is_left(make):
    """Channels of a real network, held at zero in training, against the network that never had them."""
    torch.manual_seed(0)
    network = PolicyValueNet(NetworkConfig(stream=6, blocks=(5, 4), policy=4, value=4, hidden=6)).double()
    groups = find_groups(network, torch.zeros(1, 3, 5, 5).double())
    units = {group.name: torch.arange(group.size) % 2 == 0 for group in cuttable(groups)}
    masks = weight_masks(groups, units, network)
    small, param_map = shrink(network, groups, units)

    def train_both_heads(trained, optimizer):
        generator = torch.Generator().manual_seed(3)
        for _ in range(4):
            logits, values = trained(torch.randn(8, 3, 5, 5, generator=generator).double())
            optimizer.zero_grad()
            (logits.square().mean() + values.sum()).backward()
            optimizer.step()

    optimizer = make(network.parameters())
    hold_at_zero(network, optimizer, masks)
    train_both_heads(network, optimizer)
    train_both_heads(small, make(small.parameters()))
    assert largest_dropped(network, masks) == 0
    for name, tensor in small.state_dict().items():
        kept = param_map.gather(name, network.state_dict()[name])
        torch.testing.assert_close(kept, tensor, rtol=0, atol=1e-12)


def replaced_by_assignment(network):
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.load_state_dict(state, assign=True)


REPLACED = {
    "assigned": replaced_by_assignment,
    "a parameter": lambda net: setattr(net[0], "weight", nn.Parameter(net[0].weight.detach().clone())),
    "a layer": lambda net: net.__setitem__(0, nn.Linear(3, 4)),
    "no layer": lambda net: net.__delitem__(0),
    "parametrized": lambda net: nn.utils.parametrizations.weight_norm(net[0]),
}


@pytest.mark.parametrize("name", REPLACED)
def test_a_replaced_parameter_is_noticed_at_the_next_step(name):
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    held = hold_at_zero(network, optimizer, {"0.weight": torch.eye(4)[:, :3] > 0})
    network.load_state_dict({n: each.clone() for n, each in network.state_dict().items()})  # in place
    optimizer.step()
    REPLACED[name](network)
    with pytest.raises(ValueError, match=r"the network's parameter '0\.weight' was replaced"):
        optimizer.step()
    held.remove()
    optimizer.step()
