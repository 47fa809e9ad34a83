"""Conversions that are used again: each network has its own results, in any order of compilations."""

import copy

import numpy as np
import pytest
import torch

from agents.alphazero.network import conversions
from agents.alphazero.network.openvino_evaluator import SELFPLAY_SIZES, OpenVinoEvaluator
from agents.alphazero.network.openvino_model import openvino_is_installed
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet

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


@pytest.mark.parametrize("follows", [True, False])
def test_each_network_has_its_own_results(follows, conversions_made, monkeypatch):
    networks = [network(seed) for seed in range(4)]
    expected = [fresh(each) for each in networks]
    conversions_made.clear()
    if not follows:  # as if OpenVINO copied the weights
        counting, copies = conversions.converted, []

        def copying(module, *board):
            copies.append(copy.deepcopy(module))
            return counting(copies[-1], *board)

        monkeypatch.setattr(conversions, "converted", copying)
    evaluators = [OpenVinoEvaluator(each, "float32") for each in networks]
    for evaluate, wanted in zip(evaluators, expected, strict=True):
        assert all(map(np.array_equal, evaluate(planes()), wanted))
    assert len(conversions_made) == (2 if follows else 4)  # the second one tells
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
