"""Heads on a frozen trunk: they can represent the network's own heads, and fits end at the minimum."""

import numpy as np
import pytest
import torch
from fake_networks import hashed
from scipy.optimize import minimize

from agents.alphazero.configs import SearchConfig, SelfPlayConfig
from agents.alphazero.learning.replay import images, make_batch
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from bttt.board import Board
from pruning.bilevel.problem import Counter
from pruning.studies.alphazero.buffer import play_buffer
from pruning.studies.bricks.heads import Trunk, fit, fitting_losses, losses, no_heads, policy_losses

BOARD = Board.parse("4x4x3:B2")
SMALL = NetworkConfig(stream=6, blocks=(5,), policy=4, value=3, hidden=5)


@pytest.fixture(scope="module")
def samples():
    config, search = SelfPlayConfig(games=8, opening_plies=2), SearchConfig(simulations=4, gumbel=True)
    return play_buffer(hashed, [BOARD], False, positions=150, config=config, search=search, seed=0).samples


@pytest.fixture(scope="module")
def trunk(samples):
    torch.manual_seed(0)
    return Trunk(PolicyValueNet(SMALL), samples, BOARD.with_bricks(()))


def own_heads(trunk):
    """The heads whose outputs equal the network's own."""
    network = trunk.network
    policy = torch.cat([torch.zeros(SMALL.stream), network.policy_out.weight.flatten()])
    value = torch.cat(
        [torch.zeros(2 * SMALL.stream), network.value_out.weight.flatten(), network.value_out.bias]
    )
    own = zip(trunk._whitening, (policy, value), strict=True)
    policy, value = (torch.linalg.solve(white.double(), head.double()).float() for white, head in own)
    return {"policy": policy.detach(), "value": value.detach()}


def test_heads_can_say_what_the_network_says(trunk, samples):
    turns = images(BOARD, "none")[np.zeros(len(samples), np.int64)]
    planes = make_batch(samples, BOARD, turns, False).planes
    with torch.no_grad():
        logits, values = (each.numpy() for each in trunk.network(torch.from_numpy(planes)))
    found = trunk.evaluator(own_heads(trunk))(planes)
    np.testing.assert_allclose(found[0], logits, atol=1e-3)
    np.testing.assert_allclose(found[1], values, atol=1e-3)


def test_dense_heads_of_a_network_have_features_too(samples):
    torch.manual_seed(1)
    config = NetworkConfig(stream=4, blocks=(3,), policy=2, value=1, hidden=3, heads="dense", rows=4, cols=4)
    found = Trunk(PolicyValueNet(config), samples, BOARD.with_bricks(())).features(samples[:7])
    assert found.cells.shape == (7, 16, 6) and found.whole.shape == (7, 2 * 4 + 3 + 1)


def test_features_are_uncorrelated_and_leave_no_hook(trunk, samples):
    found = trunk.features(samples)
    moments = found.whole.T @ found.whole / len(samples)
    off = moments - torch.diag(moments.diagonal())
    assert off.abs().max() < 1e-3 and 0.99 < moments.diagonal().max() < 1.01
    assert all(not module._forward_pre_hooks for module in trunk.network.modules())


def test_losses_are_those_of_each_position(trunk, samples):
    found = trunk.features(samples)
    heads = own_heads(trunk)
    logits, policy = (found.cells @ heads["policy"]).double().numpy(), found.policies.double().numpy()
    expected = torch.tanh(found.whole @ heads["value"]).double().numpy()
    values = found.values.double().numpy()
    slow, fitted = [], []
    for i, sample in enumerate(samples):
        taken = int(sample["mine"]) | int(sample["theirs"])
        free = [cell for cell in range(16) if int(sample["playable"]) & ~taken & BOARD.bit(cell)]
        chances = np.exp(logits[i, free]) / np.exp(logits[i, free]).sum()
        entropy = -(policy[i, free] * np.log(chances)).sum()
        won, chance = (1 + values[i]) / 2, (1 + expected[i]) / 2
        slow.append(entropy + (expected[i] - values[i]) ** 2)
        fitted.append(entropy - won * np.log(chance) - (1 - won) * np.log(1 - chance))
    np.testing.assert_allclose(losses(heads, found).numpy(), slow, atol=1e-4)
    np.testing.assert_allclose(fitting_losses(heads, found).numpy(), fitted, atol=1e-4)


def test_cells_that_are_not_free_do_not_count():
    logits, free = torch.tensor([[1.0, 2.0, 900.0]]), torch.tensor([[True, True, False]])
    found = policy_losses(logits, free, torch.tensor([[1.0, 0.0, 0.0]]))
    assert found.item() == pytest.approx(np.log(1 + np.e), abs=1e-6)


def test_a_fit_ends_at_the_minimum(trunk, samples):
    found = trunk.features(samples)
    found = found._replace(**{name: getattr(found, name).double() for name in ("cells", "whole", "policies")})

    def loss(heads):
        norm = sum(each.square().sum() for each in heads.values())
        return fitting_losses(heads, found).mean() + 0.01 / 2 * norm

    counter = Counter()
    heads = fit(loss, no_heads(found), counter)
    size = len(heads["policy"])

    def flat(y):
        y = torch.tensor(y, requires_grad=True)
        value = loss({"policy": y[:size], "value": y[size:]})
        (slope,) = torch.autograd.grad(value, y)
        return value.item(), slope.numpy()

    start = np.zeros(size + len(heads["value"]))
    best = minimize(flat, start, jac=True, method="BFGS", options={"gtol": 1e-8})
    assert loss(heads).item() == pytest.approx(best.fun, abs=1e-6)
    np.testing.assert_allclose(torch.cat(list(heads.values())).numpy(), best.x, atol=0.01)
    assert 1 < counter.gradients < 200
