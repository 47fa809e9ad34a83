"""Costs: multiply-adds counted by hand, and a masked network that costs what the whole one costs."""

import time
from dataclasses import asdict

import pytest
import torch
from torch import nn
from torch.nn import functional

from agents.alphazero.network.residual import PRESETS, NetworkConfig, PolicyValueNet, parameters
from pruning.masks.held import Masks, apply
from pruning.measures.costs import cost, latencies_ms, macs


def test_convolutions_by_hand():
    example = torch.zeros(1, 4, 9, 9)
    for layer, expected in [
        (nn.Conv2d(4, 6, 3), 7 * 7 * 6 * 4 * 3 * 3),
        (nn.Conv2d(4, 6, 3, bias=False), 7 * 7 * 6 * 4 * 3 * 3),
        (nn.Conv2d(4, 6, 3, padding=1, stride=2), 5 * 5 * 6 * 4 * 3 * 3),
        (nn.Conv2d(4, 6, (1, 3), dilation=2), 9 * 5 * 6 * 4 * 1 * 3),
        (nn.Conv2d(4, 8, 3, groups=2), 7 * 7 * 8 * 2 * 3 * 3),
        (nn.Conv2d(4, 4, 3, groups=4), 7 * 7 * 4 * 1 * 3 * 3),
        (nn.Conv2d(4, 6, 1), 9 * 9 * 6 * 4),
    ]:
        assert macs(layer, example) == expected


def test_linear_layers_by_hand():
    assert macs(nn.Linear(7, 5), torch.zeros(1, 7)) == 35
    assert macs(nn.Linear(7, 5, bias=False), torch.zeros(1, 7)) == 35
    assert macs(nn.Linear(7, 5), torch.zeros(1, 3, 7)) == 3 * 35  # once at each place


def test_the_rest_is_not_counted():
    skipped = nn.Sequential(
        nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    assert macs(skipped, torch.zeros(2, 4, 6, 6)) == 0


def test_layers_without_modules_are_counted():
    class Direct(nn.Module):
        def __init__(self):
            super().__init__()
            self.kernel, self.head = nn.Parameter(torch.ones(6, 4, 3, 3)), nn.Parameter(torch.ones(5, 6))

        def forward(self, x):
            return functional.linear(functional.conv2d(x, self.kernel).mean((2, 3)), self.head)

    assert macs(Direct(), torch.zeros(1, 4, 9, 9)) == 7 * 7 * 6 * 4 * 9 + 30


def small_by_hand(stream, blocks, policy, value, hidden, cells=49):
    stem = 3 * stream * 9 * cells
    inner = sum(2 * stream * width * 9 * cells for width in blocks)
    heads = stream * policy * cells + policy * cells + stream * value * cells + 2 * value * hidden + hidden
    return stem + inner + heads


def test_the_agents_networks_by_hand():
    example = torch.zeros(1, 3, 7, 7)
    assert (
        macs(PolicyValueNet(PRESETS["small"]), example) == small_by_hand(32, [32] * 3, 32, 32, 32) == 2855840
    )
    uneven = NetworkConfig(stream=8, blocks=(3, 5), policy=2, value=4, hidden=6)
    assert macs(PolicyValueNet(uneven), example) == small_by_hand(8, [3, 5], 2, 4, 6)
    body = 3 * 75 * 16 * 49 + 10 * 75 * 75 * 16 * 49
    heads = 75 * 2 * 49 + 2 * 49 * 49 + 75 * 1 * 49 + 49 * 20 + 20
    assert macs(PolicyValueNet(PRESETS["paper"]), example) == body + heads


def test_one_input_counts_whatever_the_batch_is():
    network = PolicyValueNet(PRESETS["small"])
    assert macs(network, torch.zeros(5, 3, 7, 7)) == macs(network, torch.zeros(1, 3, 7, 7))
    assert macs(network, torch.zeros(1, 3, 14, 7)) > macs(network, torch.zeros(1, 3, 7, 7))


def test_counting_leaves_the_network_as_it_was():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.BatchNorm2d(4))
    network[3].eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.manual_seed(0)
    drawn = torch.get_rng_state()
    macs(network, torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(1)))
    assert torch.equal(torch.get_rng_state(), drawn)
    assert [module.training for module in network.modules()] == [True, True, True, True, False]
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())

    class Failing(nn.Linear):
        def forward(self, x):
            raise KeyError("x")

    failing = Failing(2, 2)
    with pytest.raises(ValueError, match="does not fit Failing: 'x'"):
        macs(failing, torch.zeros(1, 2))
    assert failing.training


def test_a_masked_network_costs_what_the_whole_one_costs(tmp_path):
    network, example = PolicyValueNet(PRESETS["small"]), torch.zeros(1, 3, 7, 7)
    file = tmp_path / "network"
    file.write_bytes(bytes(1234))
    whole = cost(network, example, file=file)
    assert whole.parameters == parameters(network) == 60929
    assert (whole.density, whole.bytes) == (1.0, 1234)
    weight = network.blocks[0].conv1.weight
    masks = Masks({"blocks.0.conv1.weight": torch.arange(weight.numel()).reshape(weight.shape) % 10 == 0})
    apply(network, masks)
    masked = cost(network, example, density=masks.density(), file=file)
    assert asdict(masked) == asdict(whole) | {"density": masks.density()}
    assert masked.density == pytest.approx(0.1, abs=1e-3)


def test_a_smaller_network_costs_less():
    example = torch.zeros(1, 3, 7, 7)
    whole = cost(PolicyValueNet(PRESETS["small"]), example)
    shrunk = cost(PolicyValueNet(NetworkConfig(stream=32, blocks=(8, 8, 8))), example)
    assert shrunk.macs < whole.macs
    assert shrunk.parameters < whole.parameters


def test_a_file_that_is_not_there_yet_has_no_bytes():
    assert cost(nn.Linear(2, 2), torch.zeros(1, 2)).bytes is None


def test_runs_take_turns():
    calls = []
    latencies_ms({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3)
    assert calls == ["a", "b"] * 4  # the first round does not count


def test_latency_is_a_median_in_milliseconds():
    pauses = iter([0.0, 0.6, 0.01, 0.01])
    found = latencies_ms({"slow": lambda: time.sleep(next(pauses)), "fast": lambda: None}, rounds=3)
    assert 10 <= found["slow"] < 200  # sleep is never shorter; a mean would be above 206
    assert found["fast"] < found["slow"]


def test_wrong_input_is_refused(tmp_path):
    network, example = nn.Linear(2, 2), torch.zeros(1, 2)
    for density in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=f"density .* got {density}"):
            cost(network, example, density=density)
    with pytest.raises(ValueError, match="is not a file"):
        cost(network, example, file=tmp_path / "none")
    with pytest.raises(ValueError, match="rounds must be at least 1, got 0"):
        latencies_ms({}, rounds=0)


class Of(nn.Module):
    """A function of an input as a network."""

    def __init__(self, function, *shapes):
        super().__init__()
        self.function = function
        self.weights = nn.ParameterList(nn.Parameter(torch.rand(*shape)) for shape in shapes)

    def forward(self, x):
        return self.function(x, *self.weights)


T, E = 10, 16
SELF_ATTENTION = T * 4 * E * E + 2 * T * T * E
ENCODER = SELF_ATTENTION + T * 2 * E * 32
BY_HAND = {
    "bilinear": (Of(lambda x, w: functional.bilinear(x, x, w), (5, 7, 7)), (2, 7), 5 * 7 * 7),
    "conv1d": (nn.Conv1d(4, 6, 3), (2, 4, 9), 7 * 6 * 4 * 3),
    "conv3d": (nn.Conv3d(2, 3, 2), (2, 2, 4, 4, 4), 27 * 3 * 2 * 8),
    "transposed": (nn.ConvTranspose2d(4, 6, 3, stride=2), (2, 4, 5, 5), 25 * 4 * 6 * 9),
    "transposed, grouped": (nn.ConvTranspose1d(4, 6, 3, groups=2), (2, 4, 5), 5 * 4 * 3 * 3),
    "lstm": (nn.LSTM(4, 6, batch_first=True), (2, T, 4), T * 4 * 6 * (4 + 6)),
    "lstm, both ways": (
        nn.LSTM(4, 6, 2, batch_first=True, bidirectional=True),
        (2, T, 4),
        T * 2 * 4 * 6 * (4 + 6) + T * 2 * 4 * 6 * (12 + 6),
    ),
    "gru": (nn.GRU(4, 6, batch_first=True), (2, T, 4), T * 3 * 6 * (4 + 6)),
    "lstm cell": (nn.LSTMCell(4, 6), (2, 4), 4 * 6 * (4 + 6)),
    "attention": (
        Of(lambda x: nn.MultiheadAttention(E, 4, batch_first=True).eval()(x, x, x)[0]),
        (2, T, E),
        SELF_ATTENTION,
    ),
    "encoder layer": (nn.TransformerEncoderLayer(E, 4, 32, batch_first=True), (2, T, E), ENCODER),
    "encoder": (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(E, 4, 32, batch_first=True), 2),
        (2, T, E),
        2 * ENCODER,
    ),
    "einsum": (Of(lambda x, w: torch.einsum("bti,ij->btj", x, w), (4, 6)), (2, T, 4), T * 4 * 6),
    "matmul": (Of(lambda x: x @ x.mT), (2, T, 4), T * T * 4),
    "bmm": (Of(lambda x: torch.bmm(x, x.mT)), (2, T, 4), T * T * 4),
    "baddbmm": (Of(lambda x: torch.baddbmm(torch.zeros(1), x, x.mT)), (2, T, 4), T * T * 4),
    "addbmm": (Of(lambda x: torch.addbmm(torch.zeros(T, T), x, x.mT)), (2, T, 4), T * T * 4),
    "mv": (Of(lambda x, w: w.mv(x[0]), (6, 4)), (2, 4), 6 * 4),
    "addmv": (Of(lambda x, w: torch.addmv(torch.zeros(6), w, x[0]), (6, 4)), (2, 4), 6 * 4),
    "cdist": (Of(lambda x, w: torch.cdist(x, w), (7, 4)), (2, T, 4), T * 7 * 4),
    "cdist by a product": (Of(lambda x, w: torch.cdist(x, w), (30, 4)), (2, T, 4), T * 30 * 4),
    "cdist, sum of sizes": (Of(lambda x, w: torch.cdist(x, w, p=1), (7, 4)), (2, T, 4), T * 7 * 4),
    "pdist": (Of(lambda x: torch.pdist(x[0])), (2, T, 4), T * (T - 1) // 2 * 4),
    "dot": (Of(lambda x, w: w.dot(x[0]), (4,)), (2, 4), 4),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_every_kind_of_layer_by_hand(name):
    network, shape, expected = BY_HAND[name]
    before = torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled
    assert macs(network.eval(), torch.rand(*shape)) == expected
    assert (torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled) == before


def test_a_look_up_costs_nothing():
    network = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 3))
    assert macs(network, torch.randint(9, (2, 5))) == 5 * 4 * 3


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_compiled_network_costs_as_much_as_the_network():
    assert macs(torch.compile(nn.Linear(3, 4)), torch.zeros(1, 3)) == 12


@pytest.mark.parametrize(
    ("example", "reason"), [(torch.zeros(1, 5), "mat1 and mat2"), ((1, 2), "one tensor")]
)
def test_an_example_that_does_not_fit_is_refused(example, reason):
    with pytest.raises(ValueError, match=reason) as error:
        macs(nn.Linear(4, 2), example)
    assert "\n" not in str(error.value)
