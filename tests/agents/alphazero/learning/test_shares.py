"""Gradient steps shared among processes: as one process would take them with the parts of each batch."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from agents.alphazero.configs import LearnerConfig
from agents.alphazero.learning.learner import Learner
from agents.alphazero.learning.replay import sample_type
from agents.alphazero.learning.shares import as_vector, set_weights, shares
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from bttt.board import Board

SIZE = Board(4, 4, 3)
BATCH = 192


def learner(**options):
    torch.manual_seed(0)
    network = PolicyValueNet(NetworkConfig(stream=4, blocks=(4,), policy=4, value=4, hidden=4))
    return Learner(network, LearnerConfig(**{"batch": BATCH, **options}), SIZE)


def samples(count=300):
    rng = np.random.default_rng(0)
    found = np.zeros(count, sample_type(16))
    found["playable"] = SIZE.playable
    found["mine"] = rng.integers(2**14, size=count) & SIZE.playable
    found["theirs"] = ~found["mine"] & rng.integers(2**14, size=count).astype(np.uint64) & SIZE.playable
    found["policy"] = rng.dirichlet(np.ones(16), size=count)
    found["value"] = rng.uniform(-1, 1, size=count)
    return found


class Near:
    """A helper in this process, which answers when it is asked."""

    def __init__(self, **options):
        self.learner, self.batches, self.answers = learner(**options), None, []

    def start(self, samples, turns):
        self.batches = list(zip(samples, turns, strict=True))

    def ask(self, weights):
        chosen, turned = self.batches.pop(0)
        self.learner.help(chosen[None], turned[None], lambda: weights, self.answers.append)

    def answer(self):
        return self.answers.pop(0)


def test_parts_of_a_batch_are_as_equal_as_they_can_be():
    sizes = [[part.stop - part.start for part in shares(batch, 3)] for batch in (512, 192, 191, 63)]
    assert sizes == [[170, 171, 171], [64, 64, 64], [95, 96], [63]]
    assert shares(200, 2) == [slice(0, 100), slice(100, 200)]


def test_a_shared_step_has_the_mean_of_the_parts_gradients():
    """With plain SGD a step is the gradient: the mean of those that each part would have alone."""
    options = {"optimizer": "sgd", "weight_decay": 0, "lr": 0.1, "schedule": "constant"}
    data = samples()
    shared, helper = learner(**options), Near(**options)
    before = as_vector(shared.network.parameters())
    losses = shared.learn_at(data, 1, 0.1, np.random.default_rng(1), [helper])
    after = as_vector(shared.network.parameters())

    rng = np.random.default_rng(1)  # the same draws
    chosen, turns = rng.integers(len(data), size=(1, BATCH)), rng.integers(8, size=(1, BATCH))
    alone, gradients, parts = learner(**options), [], []
    for part in (slice(0, 96), slice(96, 192)):
        parts.append(alone.compute(data[chosen[0, part]], turns[0, part]))
        gradients.append(as_vector(each.grad for each in alone.network.parameters()))
    wanted = before - 0.1 * (gradients[0] + gradients[1]) / 2
    assert torch.allclose(after, wanted, atol=1e-6)
    assert not torch.allclose(after, before, atol=1e-4)
    assert [losses.policy, losses.value] == pytest.approx(((parts[0] + parts[1]) / 2).tolist(), rel=1e-5)


def test_steps_are_shared_without_dependence_on_anything_else():
    found = []
    for _ in range(2):
        one = learner()
        one.learn(samples(), 3, 0.5, np.random.default_rng(2), [Near(), Near()])
        found.append(one.state())
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_a_small_batch_is_not_shared():
    alone, together = learner(batch=100), learner(batch=100)
    nobody = SimpleNamespace()  # would fail if it were asked
    for one, helpers in ((alone, []), (together, [nobody])):
        one.learn(samples(), 2, 0.5, np.random.default_rng(3), helpers)
    assert all(torch.equal(alone.state()[name], tensor) for name, tensor in together.state().items())


def test_weights_are_set_from_their_vector():
    one, other = learner(), learner()
    one.learn(samples(), 1, 0.5, np.random.default_rng(0))
    set_weights(list(other.network.parameters()), as_vector(one.network.parameters()).numpy())
    for left, right in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(left, right)
