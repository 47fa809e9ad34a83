"""Retraining on chosen cells, and its measurements on each cell."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from agents.alphazero.configs import LearnerConfig, SearchConfig, SelfPlayConfig
from agents.alphazero.learning.replay import images, make_batch
from agents.alphazero.network.checkpoint import load_network
from agents.alphazero.network.evaluators import make_evaluator
from agents.alphazero.network.residual import NetworkConfig, untrained
from agents.alphazero.training.solver_errors import SolverErrors
from agents.alphazero.weights import find_network
from bttt.bricks import boards_of_size
from pruning.studies.alphazero.buffer import play_buffer
from pruning.studies.alphazero.task import legal_cells
from pruning.studies.bricks.retraining import Exact, losses_by_cell, retrained

BOARDS = boards_of_size("7x7x4", ("D4", "A1"))
SIZE = BOARDS[0].with_bricks(())


@pytest.fixture(scope="module")
def network():
    return load_network(find_network("d4"))[0]


@pytest.fixture(scope="module")
def samples(network):
    options = {"config": SelfPlayConfig(games=8), "search": SearchConfig(simulations=2, gumbel=True)}
    play = make_evaluator(network, "torch")
    return play_buffer(play, BOARDS, False, positions=150, **options, seed=0).samples


def test_losses_are_means_over_the_positions_of_a_cell(network, samples):
    found = losses_by_cell(network, samples, SIZE)
    assert np.flatnonzero(np.isfinite(found)).tolist() == [0, 24]
    own = samples[samples["playable"] == np.uint64(BOARDS[1].playable)]
    batch = make_batch(own, SIZE, images(SIZE, "none")[np.zeros(len(own), np.int64)], False)
    planes, policies, values = map(torch.from_numpy, batch)
    with torch.no_grad():
        logits, expected = network(planes)
    logits = torch.where(legal_cells(planes, False), logits, torch.tensor(-1e9))
    loss = functional.cross_entropy(logits, policies) + functional.mse_loss(expected, values)
    assert found[0] == pytest.approx(loss.item(), abs=1e-4)


def test_retraining_changes_a_copy_alone_and_lowers_its_loss(samples):
    network = untrained(NetworkConfig(stream=8, blocks=(8,), policy=8, value=8, hidden=8), 0).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    options = {"steps": 20, "learner": LearnerConfig(batch=64, lr=1e-2, averaging=0.5)}
    one, again, other = (retrained(network, BOARDS, samples, **options, seed=seed) for seed in (0, 0, 1))
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    first, second, third = (each.stem.weight for each in (one, again, other))
    assert torch.equal(first, second) and not torch.equal(first, third)
    losses = [np.nanmean(losses_by_cell(each, samples, SIZE)) for each in (network, one)]
    assert losses[1] < losses[0]


def test_value_losing_moves_are_those_of_the_suite(network):
    evaluate, errors = make_evaluator(network, "torch"), SolverErrors(BOARDS[:1], False)
    losing = errors.losing(evaluate, SearchConfig(simulations=0))
    first = errors.suite.first_of_each_board(3)
    cells = [errors.suite.boards[number].bricks[0] for number in errors.suite.board_numbers[first]]
    slow = [losing[first][np.array(cells) == cell].mean() for cell in range(49)]
    np.testing.assert_array_equal(Exact(3, False).losing(evaluate), slow)
