"""The network: sizes, encodings, and what folding and symmetry must not change."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.alphazero.configs import SearchConfig
from agents.alphazero.learning.replay import images, make_batch, sample_type
from agents.alphazero.network.residual import (
    PRESETS,
    NetworkConfig,
    PolicyValueNet,
    folded,
    parameters,
    widened,
)
from agents.alphazero.search.batched import Search, roots_of
from bttt.board import Board
from bttt.position import Position
from bttt.symmetry import symmetries

ODD = NetworkConfig(stream=5, blocks=(3, 7), kernel=5, policy=2, value=3, hidden=11, slope=0.1)


def random_network(config, seed=0):
    """A network with normalisation statistics from data, so that normalisations are not the identity."""
    torch.manual_seed(seed)
    network = PolicyValueNet(config)
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(16, 3, config.rows or 7, config.cols or 7))
    return network.eval()


def test_the_paper_preset_has_the_papers_number_of_parameters():
    assert parameters(PolicyValueNet(PRESETS["paper"]), statistics=True) == 912_939


@pytest.mark.parametrize("name", ["small", "base"])
def test_parameters_by_hand(name):
    config = PRESETS[name]
    width, kernel, blocks = config.stream, config.kernel**2, len(config.blocks)
    convolutions = (3 + 2 * blocks * width) * width * kernel + width * (config.policy + config.value)
    norms = 2 * (width * (1 + 2 * blocks) + config.policy + config.value)
    heads = config.policy + (2 * config.value + 1) * config.hidden + config.hidden + 1
    assert parameters(PolicyValueNet(config)) == convolutions + norms + heads


@pytest.mark.parametrize("config", [PRESETS["small"], ODD])
@pytest.mark.parametrize("size", [(7, 7), (3, 3), (8, 7), (1, 5)])
def test_convolutional_heads_judge_any_size(config, size):
    logits, values = random_network(config)(torch.rand(4, 3, *size))
    assert logits.shape == (4, size[0] * size[1])
    assert values.shape == (4,)
    assert (values.abs() <= 1).all()
    assert config.fits(*size)


def test_dense_heads_are_for_one_size():
    config = replace(ODD, heads="dense", rows=4, cols=6)
    logits, values = random_network(config)(torch.rand(2, 3, 4, 6))
    assert (logits.shape, values.shape) == ((2, 24), (2,))
    assert config.fits(4, 6)
    assert not config.fits(6, 4)


@pytest.mark.parametrize(
    "config", [PRESETS["small"], ODD, replace(ODD, kernel=4, heads="dense", rows=7, cols=7)]
)
def test_folding_changes_nothing_but_rounding(config):
    network = random_network(config)
    planes = (torch.rand(32, 3, 7, 7) > 0.5).float()
    with torch.no_grad():
        expected = network(planes)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for found, wanted in zip(folded(network)(planes), expected, strict=True):
        assert not found.requires_grad
        assert torch.allclose(found, wanted, atol=1e-5)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert any(isinstance(module, torch.nn.Identity) for module in folded(network).modules())


@pytest.mark.parametrize("config", [ODD, replace(ODD, kernel=4, heads="dense", rows=7, cols=7)])
def test_widening_adds_channels_and_changes_nothing_but_rounding(config):
    network = random_network(config)
    planes = (torch.rand(32, 3, 7, 7) > 0.5).float()
    wide = widened(network, 16)
    assert (wide.config.stream, wide.config.blocks) == (16, (16, 16))
    assert (wide.config.policy, wide.config.value, wide.config.hidden) == (2, 16, 11)
    assert widened(network, 4).config.blocks == (4, 8)
    with torch.no_grad():
        for found, wanted in zip(wide(planes), network(planes), strict=True):
            assert torch.allclose(found, wanted, atol=1e-5)
    assert widened(wide, 16) is wide


def test_the_third_plane_shows_playable_cells_or_bricks():
    position = Position.start(Board(3, 4, 3, ("A1", "C3"))).play("B2").play("C4")
    seen = {}
    for bricks_plane in (False, True):

        def evaluate(planes, key=bricks_plane):
            seen[key] = planes[0].copy()
            return np.zeros((1, 12), np.float32), np.zeros(1, np.float32)

        Search(evaluate, SearchConfig(simulations=0), bricks_plane).run(roots_of([position]))
    bricks = np.isin(np.arange(12), position.board.bricks).reshape(3, 4)
    assert (seen[True][2] == bricks).all()
    assert (seen[False][2] == ~bricks).all()
    for planes in seen.values():
        assert np.flatnonzero(planes[0]).tolist() == [5]  # the first player is to move
        assert np.flatnonzero(planes[1]).tolist() == [11]


@pytest.mark.parametrize("rows, cols", [(4, 4), (3, 5)])
@pytest.mark.parametrize("bricks_plane", [False, True])
def test_turned_samples_are_samples_of_turned_positions(rows, cols, bricks_plane):
    rng = np.random.default_rng(0)
    position = Position.start(Board(rows, cols, 3, (1,))).play(0).play(5).play(6)
    policy = rng.random(rows * cols).astype(np.float16)
    for symmetry, turn in zip(symmetries(rows, cols), images(position.board, "all"), strict=True):
        batches = []
        turned = symmetry.position(position)
        kept = np.arange(rows * cols)
        for each, shown, to in ((position, policy, turn), (turned, symmetry.policy(policy), kept)):
            sample = np.zeros(1, sample_type(rows * cols))
            sample["playable"], sample["mine"], sample["theirs"] = each.board.playable, each.mine, each.theirs
            sample["policy"], sample["value"] = shown, 0.5
            batches.append(make_batch(sample, each.board.with_bricks(()), to[None], bricks_plane))
        for found, wanted in zip(*batches, strict=True):
            assert (found == wanted).all()


def test_symmetries_of_the_samples():
    square, oblong = Board(5, 5, 3), Board(4, 5, 3)
    assert [len(images(square, name)) for name in ("none", "flips", "all")] == [1, 4, 8]
    assert [len(images(oblong, name)) for name in ("none", "flips", "all")] == [1, 4, 4]
    assert images(square, "none")[0].tolist() == list(range(25))


def test_a_configuration_survives_json():
    for config in (*PRESETS.values(), ODD):
        assert NetworkConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stream": 0}, "stream must be a whole number from 1 to"),
        ({"blocks": (4, 99_999)}, r"blocks\[1\] must be"),
        ({"hidden": 2.5}, "hidden must be a whole number"),
        ({"heads": "round"}, "heads must be conv or dense, got 'round'"),
        ({"heads": "dense"}, "rows must be 1 to 64 with heads=dense, got 0"),
        ({"heads": "dense", "rows": 7, "cols": 10**9}, "cols must be 1 to 64 with heads=dense"),
        ({"rows": "7"}, "rows must be 0 to 64 with heads=conv, got '7'"),
        ({"blocks": 3}, "blocks must be a list of widths, got 3"),
        ({"encoding": "smoke"}, "encoding must be one of playable, bricks, got 'smoke'"),
        ({"slope": "steep"}, "slope must be at least 0 and finite, got 'steep'"),
        ({"slope": float("nan")}, "slope must be at least 0 and finite, got nan"),
    ],
)
def test_what_a_network_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        NetworkConfig.from_json(ODD.to_json() | changes)


def test_a_configuration_has_just_its_own_entries():
    for values in ({}, {"stream": 5}, ODD.to_json() | {"colour": 1}):
        with pytest.raises(ValueError, match="architecture must have the entries"):
            NetworkConfig.from_json(values)
