"""The learner: it fits samples, averages its weights, and resumes from its state bit for bit."""

import numpy as np
import pytest
import torch

from agents.alphazero.configs import LearnerConfig
from agents.alphazero.learning.learner import Learner
from agents.alphazero.learning.replay import sample_type
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from bttt.board import Board

SIZE = Board(4, 4, 3)
NETWORK = NetworkConfig(stream=8, blocks=(8,), policy=8, value=8, hidden=8)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def samples(count=24, seed=0):
    """Random positions, each with a policy of one cell and a value of 1 or -1."""
    rng = np.random.default_rng(seed)
    found = np.zeros(count, sample_type(16))
    for sample in found:
        cells = rng.permutation(16)
        sample["playable"] = SIZE.playable
        sample["mine"] = sum(SIZE.bit(int(cell)) for cell in cells[:3])
        sample["theirs"] = sum(SIZE.bit(int(cell)) for cell in cells[3:6])
        sample["policy"][cells[6]] = 1
        sample["value"] = rng.choice([-1, 1])
    return found


def learner(network=NETWORK, **options):
    torch.manual_seed(0)
    return Learner(PolicyValueNet(network), LearnerConfig(**{"batch": 16, **options}), SIZE)


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("optimizer", "encoding"), [("adamw", "playable"), ("sgd", "bricks")])
def test_it_learns_few_samples_by_heart(optimizer, encoding):
    network = NetworkConfig(stream=16, blocks=(16,), policy=16, value=16, hidden=16, encoding=encoding)
    lr = {"adamw": 1e-2, "sgd": 1e-2}[optimizer]
    taught = learner(network, optimizer=optimizer, lr=lr, schedule="constant", augmentation="none")
    data, rng = samples(8), np.random.default_rng(0)
    before = taught.learn(data, 5, 0.5, rng)
    taught.learn(data, 110, 0.5, rng)
    after = taught.learn(data, 5, 0.5, rng)
    assert before.steps == after.steps == 5
    assert after.policy < 0.2 * before.policy
    assert after.value < 0.2 * before.value


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_it_goes_on_from_its_state_bit_for_bit(optimizer):
    one, other = learner(optimizer=optimizer), learner(optimizer=optimizer)
    one.learn(samples(), 4, 0.1, np.random.default_rng(1))
    # files hold tensors in the default memory layout, which differs from the learner's
    other.restore({name: tensor.clone().contiguous() for name, tensor in one.state().items()})
    assert same(one.state(), other.state())
    losses = [each.learn(samples(), 4, 0.6, np.random.default_rng(2)) for each in (one, other)]
    assert losses[0] == losses[1]
    assert same(one.state(), other.state())


def test_the_average_is_what_it_says():
    taught = learner(averaging=0.75)
    before = {name: tensor.clone() for name, tensor in taught.average.state_dict().items()}
    taught.learn(samples(), 1, 0.5, np.random.default_rng(0))
    weights = taught.network.state_dict()
    for name, mean in taught.average.state_dict().items():
        if mean.is_floating_point():
            assert torch.allclose(mean, 0.75 * before[name] + 0.25 * weights[name], atol=1e-6)
        else:
            assert torch.equal(mean, weights[name])
    assert not torch.equal(weights["stem.weight"], before["stem.weight"])


def test_learning_rates():
    constant = LearnerConfig(lr=0.5, schedule="constant")
    assert [constant.lr_at(progress) for progress in (0.01, 0.5, 1.0)] == [0.5] * 3
    assert 0 < constant.lr_at(0) < 0.1
    cosine = LearnerConfig(lr=0.5, schedule="cosine")
    assert cosine.lr_at(0.5) == pytest.approx(0.5 * 0.51)
    assert cosine.lr_at(1.0) == pytest.approx(0.01)
    rates = [cosine.lr_at(progress) for progress in np.linspace(0.01, 1, 50)]
    assert rates == sorted(rates, reverse=True)


def test_a_learning_rate_of_its_own_is_taken_for_that_of_the_progress():
    by_progress, by_rate = learner(lr=0.5), learner(lr=7.0)
    by_progress.learn(samples(), 3, 0.4, np.random.default_rng(0))
    by_rate.learn_at(samples(), 3, LearnerConfig(lr=0.5).lr_at(0.4), np.random.default_rng(0))
    assert same(by_progress.state(), by_rate.state())


def test_no_steps_change_nothing():
    taught = learner()
    before = {name: tensor.clone() for name, tensor in taught.state().items()}
    losses = taught.learn(samples(), 0, 0.5, np.random.default_rng(0))
    assert (losses.policy, losses.value, losses.steps) == (0, 0, 0)
    assert same(before, taught.state())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "batch must be 1 to"),
        ({"lr": -1e-3}, "lr must be above 0 and finite, got -0.001"),
        ({"passes": float("inf")}, "passes must be above 0 and finite"),
        ({"weight_decay": -1}, "weight_decay must be at least 0"),
        ({"averaging": 1}, "averaging must be at least 0 and below 1, got 1"),
    ],
)
def test_what_learning_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        LearnerConfig(**options)
