"""The AlphaZero network as a task: measurements, training, in-loop self-play, and widths after pruning."""

import copy

import numpy as np
import pytest
import torch
from fake_networks import hashed
from shrinking import ALPHAZERO, build, random_masks

from agents.alphazero.configs import LearnerConfig, SearchConfig, SelfPlayConfig
from agents.alphazero.learning.replay import images, make_batch, sample_type
from agents.alphazero.network.checkpoint import load_network, save_network
from agents.alphazero.network.evaluators import make_evaluator
from agents.alphazero.network.residual import PRESETS, NetworkConfig, PolicyValueNet
from agents.alphazero.training.config import TrainConfig
from agents.alphazero.training.loop import new_network
from bttt.board import Board
from bttt.position import Position
from pruning.channels.groups import find_groups
from pruning.channels.removal import shrink
from pruning.loop.cycles import run
from pruning.loop.identity import difference, fingerprint
from pruning.loop.plan import Plan
from pruning.masks.held import apply, hold_at_zero
from pruning.studies.alphazero.buffer import play_buffer
from pruning.studies.alphazero.task import AlphaZeroTask, Retraining, legal_cells, shrunk_config

BOARD = Board.parse("4x4x3:B2")
SMALL = NetworkConfig(stream=4, blocks=(5,), policy=3, value=3, hidden=4)
LEARNER = LearnerConfig(batch=16, averaging=0.5)
SEARCH = SearchConfig(simulations=4, gumbel=True)


@pytest.fixture(scope="module")
def samples():
    games = SelfPlayConfig(games=8, opening_plies=2)
    return play_buffer(hashed, [BOARD], False, positions=200, config=games, search=SEARCH, seed=0).split()


def make_task(samples, config=SMALL, **retraining):
    torch.manual_seed(0)
    network = PolicyValueNet(config)
    options = {"steps": 3, "learner": LEARNER, "search": SEARCH, "selfplay": SelfPlayConfig(games=4)}
    return AlphaZeroTask(network, [BOARD], *samples, seed=3, retraining=Retraining(**options | retraining))


@pytest.mark.parametrize("bricks_plane", [False, True])
def test_legal_cells_are_the_rules(bricks_plane):
    board = Board.parse("4x5x3:B2,D5")
    position = Position.start(board)
    for cell in (0, 7, 13, 4):
        position = position.play(cell)
    samples = np.zeros(1, sample_type(board.cells))
    samples["playable"] = board.playable
    samples["mine"], samples["theirs"] = position.mine, position.theirs
    planes, *_ = make_batch(samples, board, images(board, "none")[:1], bricks_plane)
    found = legal_cells(torch.from_numpy(planes), bricks_plane)
    assert found.nonzero()[:, 1].tolist() == sorted(position.legal_cells())


@pytest.mark.parametrize("encoding", ["playable", "bricks"])
def test_agreement_is_over_legal_cells_and_signs_over_decided_positions(samples, encoding):
    many = samples[0]
    task = make_task((many, many), NetworkConfig(**{**SMALL.to_json(), "encoding": encoding}))
    turns = images(task.size, "none")[np.zeros(len(many), np.int64)]
    planes, policies, values = make_batch(many, task.size, turns, encoding == "bricks")
    network = task.dense().eval()
    with torch.no_grad():
        logits, expected = (each.numpy() for each in network(torch.from_numpy(planes)))
    agree, signs, illegal = [], [], 0
    for sample, own, policy, value, guess in zip(many, logits, policies, values, expected, strict=True):
        free = int(sample["playable"]) & ~int(sample["mine"]) & ~int(sample["theirs"])
        legal = [cell for cell in range(BOARD.cells) if free & BOARD.bit(cell)]
        illegal += own.argmax() not in legal
        agree.append(legal[np.argmax(own[legal])] == policy.argmax())
        if value and guess:
            signs.append((value > 0) == (guess > 0))
    measured = task.evaluate(network)
    assert measured["agreement"] == pytest.approx(np.mean(agree))
    assert measured["signs"] == pytest.approx(np.mean(signs))
    assert measured["validation value error"] == pytest.approx(np.mean((expected - values) ** 2), rel=1e-5)
    assert 0 < np.mean(agree) < 1 and illegal
    with torch.no_grad():
        total = sum(float(task.loss(network, batch)) * len(batch[0]) for batch in task.batches())
    wanted = measured["validation policy loss"] + measured["validation value error"]
    assert total / len(many) == pytest.approx(wanted, rel=1e-5)


def test_scores_are_taken_on_the_first_training_samples(samples):
    batches = list(make_task(samples, scored=70).batches())
    assert sum(len(batch[0]) for batch in batches) == 70
    assert batches[0][1][0].numpy() == pytest.approx(samples[0][0]["policy"].astype(np.float32))


def test_training_is_the_seeds_and_the_learning_rates(samples):
    task = make_task(samples)

    def trained(seed, lr):
        network = task.dense()
        told = task.train(network, lambda optimizer: None, lambda progress: lr, seed)
        assert told.metrics["steps"] == 3 and not network.training
        return network.state_dict()

    one, same, other, still = trained(1, 0.01), trained(1, 0.01), trained(2, 0.01), trained(1, 0.0)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)
    assert all(torch.equal(still[name], weight) for name, weight in task.network.named_parameters())
    assert any(not torch.equal(one[name], weight) for name, weight in task.network.named_parameters())


def test_weights_before_the_end_are_those_of_a_shorter_training(samples):
    """An epoch has 2 steps here: one epoch before the end, 3 of 5 steps are done."""
    few = samples[0][:47], samples[1]
    task, seen = make_task(few, steps=5), {}
    told = task.train(task.dense(), lambda optimizer: None, lambda progress: 0.01, 0)
    network = task.dense()
    task.train(network, lambda optimizer: None, lambda progress: 0.01, 0, share=0.6)
    seen = dict(network.named_parameters())
    assert told.before.keys() == seen.keys()
    assert all(torch.equal(told.before[name], weight) for name, weight in seen.items())


def test_the_average_is_zero_where_weights_are_held(samples):
    task = make_task(samples)
    network = task.dense()
    masks = {"stem.weight": torch.rand(network.stem.weight.shape) < 0.5}
    apply(network, masks)
    task.train(network, lambda optimizer: hold_at_zero(network, optimizer, masks), lambda progress: 0.01, 0)
    assert torch.equal(network.stem.weight != 0, masks["stem.weight"])


def test_a_network_that_has_diverged_measures_nan(samples):
    task = make_task(samples)
    with torch.no_grad():
        task.network.stem.weight.fill_(torch.inf)
    ((name, value),) = task.evaluate(task.network.eval()).items()
    assert name == task.measure and np.isnan(value)


def test_initial_weights_are_those_of_the_training(samples):
    task = make_task(samples, PRESETS["small"])
    wanted = new_network(TrainConfig(seed=3), BOARD).state_dict()
    state = torch.get_rng_state()
    assert all(torch.equal(wanted[name], tensor) for name, tensor in task.build(None).state_dict().items())
    assert not torch.equal(task.build(4).stem.weight, wanted["stem.weight"])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("criterion", ["dropnet", "magnitude"])
def test_a_pruned_network_can_be_retrained_by_playing(samples, tmp_path, criterion):
    task = make_task(samples, iterations=2, plies=4)
    plan = Plan.from_settings(criterion=criterion, cycles=2, schedule_options={"lr": 0.003})
    one, same = (run(task, plan, tmp_path / name) for name in "ab")
    assert one[2].density < one[1].density < 1
    assert one[2].training["steps"] == 3
    assert [each.measures for each in one] == [each.measures for each in same]
    buffered = run(make_task(samples), plan, tmp_path / "buffer")
    assert one[1].training != buffered[1].training


@pytest.mark.parametrize("name", ALPHAZERO)
def test_the_configuration_of_a_shrunk_network_is_its_shapes(name, tmp_path):
    network, inputs = build(name)
    groups = find_groups(network, inputs)
    masks = random_masks(groups, seed=4)
    small, _ = shrink(network, groups, masks)
    small.config = shrunk_config(network.config, masks)
    wanted = PolicyValueNet(small.config).state_dict()
    assert {each: tensor.shape for each, tensor in small.state_dict().items()} == {
        each: tensor.shape for each, tensor in wanted.items()
    }
    save_network(tmp_path / "network.safetensors", small, {"boards": []})
    loaded, _ = load_network(tmp_path / "network.safetensors")
    planes = inputs.round().clamp(0, 1).numpy()
    one, other = (make_evaluator(each, "torch")(planes) for each in (small, loaded))
    assert all(np.array_equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


def test_layers_that_are_not_cut_keep_their_widths():
    masks = {"blocks.1.conv1": torch.arange(7) < 2}
    network, _ = build("odd")
    config = shrunk_config(network.config, masks)
    assert config.blocks == (3, 2)
    assert config.to_json() | {"blocks": (3, 7)} == copy.deepcopy(network.config.to_json())


def test_the_task_knows_its_network_its_samples_and_its_retraining(samples):
    one = fingerprint(make_task(samples))
    assert one == fingerprint(make_task(samples))
    assert difference(one, fingerprint(make_task(samples, steps=5))) == (
        "retraining.steps is 3 there, 5 here"
    )
    fewer = (samples[0][1:], samples[1])
    assert difference(one, fingerprint(make_task(fewer))).startswith("samples is ")
    task = make_task(samples)
    with torch.no_grad():
        next(task.network.parameters()).add_(1)
    assert difference(one, fingerprint(task)).startswith("network is ")
