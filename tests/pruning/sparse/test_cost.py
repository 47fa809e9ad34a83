"""Costs of sparse networks: by hand, and equal to the dense count where nothing is dropped."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from pruning.masks.allocation import ALLOCATIONS, layer_counts
from pruning.masks.held import Masks
from pruning.measures.costs import macs
from pruning.models.registry import MODELS, make_model
from pruning.sparse.cost import (
    COUNTED,
    density_at_macs,
    mean_gone_share,
    sparse_macs,
    training_flops,
    weight_macs,
)
from pruning.sparse.topologies import gone_share

STRIDED = nn.Sequential(
    nn.Conv2d(1, 16, 3, stride=2, padding=1),
    nn.ReLU(),
    nn.Conv2d(16, 32, 3, stride=2, padding=1),
    nn.ReLU(),
    nn.Conv2d(32, 64, 3, stride=2, padding=1),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(64, 10),
)
IMAGE = torch.zeros(1, 1, 32, 32)


def shapes_of(network):
    return {
        f"{name}.weight": tuple(module.weight.shape)
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }


def macs_of(each, counts):
    return sum(each[name] * count for name, count in counts.items())


def whole(network, each):
    return sum(number * network.get_parameter(name).numel() for name, number in each.items())


def test_an_entry_of_a_convolution_counts_once_at_each_position():
    example = torch.zeros(2, 4, 9, 9)  # of two images the first counts
    for layer, expected in [
        (nn.Conv2d(4, 6, 3), 7 * 7),
        (nn.Conv2d(4, 6, 3, padding=1, stride=2), 5 * 5),
        (nn.Conv2d(4, 6, (1, 3), dilation=2), 9 * 5),
        (nn.Conv2d(4, 8, 3, groups=2), 7 * 7),
        (nn.Conv2d(4, 4, 3, groups=4, bias=False), 7 * 7),
        (nn.Conv2d(4, 6, 1), 9 * 9),
    ]:
        assert weight_macs(layer, example) == {"weight": expected}
        assert expected * layer.weight.numel() == macs(layer, example)


def test_an_entry_of_a_linear_layer_counts_once_for_each_token():
    assert weight_macs(nn.Linear(7, 5), torch.zeros(2, 7)) == {"weight": 1}
    assert weight_macs(nn.Linear(7, 5), torch.zeros(2, 3, 7)) == {"weight": 3}
    shared = nn.Linear(5, 5)
    twice = nn.Sequential(shared, nn.ReLU(), shared, nn.Linear(5, 2))
    assert weight_macs(twice, torch.zeros(1, 4, 5)) == {"0.weight": 8, "3.weight": 4}


LAYERS = {
    "bilinear": (nn.Bilinear(4, 4, 5), lambda net, x: net(x, x), (2, 3, 4)),
    "conv1d": (nn.Conv1d(4, 6, 3), None, (2, 4, 9)),
    "conv3d": (nn.Conv3d(2, 3, 2), None, (2, 2, 4, 4, 4)),
    "transposed": (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), None, (2, 4, 5, 5)),
    "lstm": (nn.LSTM(4, 6, 2, batch_first=True, bidirectional=True), None, (2, 7, 4)),
    "lstm with projections": (nn.LSTM(4, 6, batch_first=True, proj_size=3), None, (2, 7, 4)),
    "gru": (nn.GRU(4, 6, batch_first=True), None, (2, 7, 4)),
    "rnn cell": (nn.RNNCell(4, 6), None, (2, 4)),
}


class Called(nn.Module):
    def __init__(self, layer, call):
        super().__init__()
        self.layer, self.call = layer, call

    def forward(self, x):
        return self.call(self.layer, x) if self.call else self.layer(x)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", LAYERS)
def test_the_entries_of_every_kind_of_layer_sum_to_its_cost(name):
    network, example = Called(*LAYERS[name][:2]), torch.rand(*LAYERS[name][2])
    each = weight_macs(network, example)
    assert list(each) == [name for name, weight in network.named_parameters() if weight.dim() > 1]
    assert all(each.values())
    assert whole(network, each) == macs(network, example)


@pytest.mark.parametrize("keys", [7, 4])
def test_the_entries_of_attention_sum_to_its_projections(keys):
    attend = nn.MultiheadAttention(8, 2, batch_first=True, kdim=None if keys == 7 else 6)
    source = torch.rand(1, keys, 8 if keys == 7 else 6)

    def call(net, x):
        value = source if keys == 7 else torch.rand(1, keys, 8)
        return net(x, key=source, value=value)[0]

    network, example = Called(attend, call), torch.rand(2, 7, 8)
    products = 2 * 7 * keys * 8
    assert whole(network, weight_macs(network, example)) == macs(network, example) - products


def test_tied_layers_are_one_weight_whose_calls_add_up():
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    network[2].weight = network[0].weight
    assert weight_macs(network, torch.rand(2, 3, 4)) == {"0.weight": 6}
    masks = Masks({"0.weight": torch.eye(4) > 0})
    assert sparse_macs(network, torch.rand(2, 3, 4), masks) == 2 * 3 * 4


def test_a_layer_that_is_not_called_costs_nothing():
    class Spare(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, x):
            return self.used(x)

    assert weight_macs(Spare(), torch.zeros(1, 3)) == {"used.weight": 1, "spare.weight": 0}


@pytest.mark.parametrize("spec", sorted(set(MODELS) - {"vit"}))
def test_the_registrys_networks_sum_to_their_dense_count(spec):
    network = make_model(spec, shape=(3, 32, 32), classes=10, width=0.25, seed=0)
    example = torch.zeros(1, 3, 32, 32)
    each = weight_macs(network, example)
    assert whole(network, each) == macs(network, example)
    assert sparse_macs(network, example, Masks.ones(shapes_of(network))) == macs(network, example)


def test_a_transformer_has_the_products_of_attention_too():
    network = make_model("vit", shape=(3, 32, 32), classes=10, seed=0)
    example = torch.zeros(1, 3, 32, 32)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad(), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        network.eval()(example)
    products = {str(each): flops for each, flops in counter.get_flop_counts()["Global"].items()}["aten.bmm"]
    assert whole(network, weight_macs(network, example)) == macs(network, example) - products // 2
    nothing = Masks({name: torch.zeros(shape).bool() for name, shape in shapes_of(network).items()})
    assert sparse_macs(network, example, nothing) == products // 2


def test_the_agents_network():
    network = PolicyValueNet(NetworkConfig(stream=8, blocks=(3, 5), policy=2, value=4, hidden=6))
    example = torch.zeros(1, 3, 7, 7)
    each = weight_macs(network, example)
    assert whole(network, each) == macs(network, example)
    assert set(each.values()) == {1, 49}


def test_what_is_dropped_is_not_counted():
    each = weight_macs(STRIDED, IMAGE)
    assert each == {"0.weight": 256, "2.weight": 64, "4.weight": 16, "8.weight": 1}
    masks = Masks({name: torch.ones(shape).bool() for name, shape in shapes_of(STRIDED).items()})
    cut = {name: mask for name, mask in masks.items() if name in ("0.weight", "8.weight")}
    cut["0.weight"].view(-1)[:10] = False
    cut["8.weight"].view(-1)[:3] = False
    assert sparse_macs(STRIDED, IMAGE, Masks(cut)) == macs(STRIDED, IMAGE) - 10 * 256 - 3
    with pytest.raises(ValueError, match=r"'0.bias'"):
        sparse_macs(STRIDED, IMAGE, Masks({"0.bias": torch.ones(16).bool()}))


def test_the_network_and_its_statistics_stay_as_they_are():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    weight_macs(network, torch.ones(1, 1, 5, 5))
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert network.training
    assert network[1].training
    assert not network[0]._forward_hooks


def test_training_flops_by_hand():
    """A whole forward pass of 1000 FLOPs, a sparse one of 100."""
    assert training_flops("dense", 1000, 100) == 3000
    for method in ("static", "set", "snip", "grasp", "synflow"):
        assert training_flops(method, 1000, 100) == 300
    assert training_flops("snfs", 1000, 100) == 1200
    assert training_flops("rigl", 1000, 100) == pytest.approx((300 * 100 + 200 + 1000) / 101)
    assert training_flops("rigl", 1000, 100, every=1) == (300 + 1200) / 2
    # 0.2 of the training whole, 0.4 in which a quarter is left on average of what is to go, 0.4 at the end
    left = 0.2 * 1000 + 0.4 * (100 + 900 / 4) + 0.4 * 100
    assert training_flops("gradual", 1000, 100, begin=0.2, end=0.6) == pytest.approx(3 * left)
    assert all(training_flops(method, 1000, 1000) == 3000 for method in COUNTED)
    with pytest.raises(ValueError, match=r"method must be one of dense, static, .* got 'iterative'"):
        training_flops("iterative", 1000, 100)
    for shares in ((0.6, 0.5), (-0.1, 0.5), (0.1, 1.1)):
        with pytest.raises(ValueError, match="expected 0 <= begin <= end <= 1"):
            training_flops("gradual", 1000, 100, begin=shares[0], end=shares[1])


def test_the_mean_of_gradual_pruning_is_that_of_its_steps():
    points = (torch.arange(100_000) + 0.5) / 100_000
    mean = sum(gone_share(point, 0.1, 0.7) for point in points.tolist()) / 100_000
    assert mean_gone_share(0.1, 0.7) == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize("allocation", ALLOCATIONS)
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 1.0])
def test_the_density_at_which_the_multiply_adds_are_equal(allocation, share):
    shapes, each = shapes_of(STRIDED), weight_macs(STRIDED, IMAGE)
    target = macs_of(each, layer_counts(shapes, share, "uniform"))
    density = density_at_macs(shapes, each, allocation, target)
    found = macs_of(each, layer_counts(shapes, density, allocation))
    assert found <= target
    assert found > target - 2 * max(each.values())
    size = sum(layer_counts(shapes, 1.0, allocation).values())
    kept = round(density * size)
    assert kept == sum(layer_counts(shapes, density, allocation).values())
    if kept < size:
        assert macs_of(each, layer_counts(shapes, (kept + 1) / size, allocation)) > target
    if allocation == "uniform":
        assert density == pytest.approx(share, abs=1e-3)


def test_erk_has_fewer_parameters_at_equal_multiply_adds_on_a_strided_network():
    """Its early, small layers, which it makes denser, have the large maps."""
    shapes, each = shapes_of(STRIDED), weight_macs(STRIDED, IMAGE)
    target = macs_of(each, layer_counts(shapes, 0.1, "uniform"))
    assert density_at_macs(shapes, each, "erk", target) < 0.07
    flat = dict.fromkeys(each, 1)  # where all weights cost the same, as in an MLP, there is no difference
    kept = sum(layer_counts(shapes, 0.1, "uniform").values())
    size = sum(layer_counts(shapes, 1.0, "uniform").values())
    assert round(density_at_macs(shapes, flat, "erk", kept) * size) == kept


def test_multiply_adds_that_no_density_has_are_refused():
    shapes, each = shapes_of(STRIDED), weight_macs(STRIDED, IMAGE)
    most = macs(STRIDED, IMAGE)
    assert density_at_macs(shapes, each, "erk", most) == 1.0
    assert density_at_macs(shapes, each, "erk", 256 + 64 + 16 + 1) == 4 / sum(
        layer_counts(shapes, 1.0, "erk").values()
    )
    for target in (336, most + 1):
        with pytest.raises(ValueError, match=f"337 .* to {most}, got {target}"):
            density_at_macs(shapes, each, "erk", target)
