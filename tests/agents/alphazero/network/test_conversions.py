"""Conversions that are used again: each network has its own results, in any order of compilations."""

import numpy as np
import pytest
import torch

from agents.alphazero.network import conversions
from agents.alphazero.network.openvino_evaluator import SELFPLAY_SIZES, OpenVinoEvaluator
from agents.alphazero.network.openvino_model import openvino_is_installed
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet, channels_last

pytestmark = pytest.mark.skipif(not openvino_is_installed(), reason="needs openvino")


@pytest.fixture(autouse=True)
def no_conversions():
    conversions._conversion.cache_clear()


def network(seed, **widths):
    torch.manual_seed(seed)
    config = NetworkConfig(**{"stream": 6, "blocks": (4,), "policy": 3, "value": 5, "hidden": 7, **widths})
    return PolicyValueNet(config).eval()


def planes(number=5):
    return np.random.default_rng(0).integers(2, size=(number, 3, 4, 5)).astype(np.float32)


def fresh(made):
    """What an evaluator computes with a conversion of its own."""
    conversions._conversion.cache_clear()
    found = OpenVinoEvaluator(made, "float32")(planes())
    conversions._conversion.cache_clear()
    return found


@pytest.fixture
def conversions_made(monkeypatch):
    made, original = [], conversions.converted
    monkeypatch.setattr(conversions, "converted", lambda *given: made.append(given) or original(*given))
    return made


@pytest.mark.parametrize("seeds", [(0, 1, 2, 3), (0, 0, 1, 0)])  # training starts with twice the same
@pytest.mark.parametrize("layout", [lambda made: made, channels_last])
@pytest.mark.parametrize("known", [True, False])
def test_each_network_has_its_own_results(known, layout, seeds, conversions_made, monkeypatch):
    networks = [layout(network(seed)) for seed in seeds]
    expected = [fresh(each) for each in networks]
    conversions_made.clear()
    if not known:  # as if OpenVINO computed constants from the weights
        counting = conversions.converted

        def squared(module, *board):
            model = counting(module, *board)
            if module not in networks and len(conversions_made) in (2, 3):
                for tensor in module.state_dict().values():
                    tensor.mul_(tensor)
            return model

        monkeypatch.setattr(conversions, "converted", squared)
    evaluators = [OpenVinoEvaluator(each, "float32") for each in networks]
    for evaluate, wanted in zip(evaluators, expected, strict=True):
        assert all(map(np.array_equal, evaluate(planes()), wanted))
    assert len(conversions_made) == (3 if known else 6)  # the first one's, and two that tell
    for evaluate, wanted in zip(evaluators, expected, strict=True):
        evaluate(planes(70))  # other sizes, compiled only now
        assert all(map(np.array_equal, evaluate(planes()), wanted))


def test_other_architectures_have_conversions_of_their_own(conversions_made):
    for made in (network(0), network(0, value=4), network(0, slope=0.1)):
        expected = made(torch.from_numpy(planes()))
        found = OpenVinoEvaluator(made, "float32", sizes=SELFPLAY_SIZES)(planes())
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-5)
    assert len(conversions_made) == 3
