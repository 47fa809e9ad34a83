"""A network that learned the same is the same, whenever and wherever it was trained."""

import numpy as np
import pytest
import torch

from agents import make_agent
from agents.alphazero.network import PolicyValueNet, digests_of, save_network
from agents.alphazero.network.checkpoint import FORMAT, VERSION, read_network_file, write_network_file
from agents.alphazero.network.residual import NetworkConfig
from agents.alphazero.weights import find_network, shipped
from bttt import Board, Position

RECORD = {
    "boards": ["7x7x4:D4"],
    "seed": 3,
    "config": {"search": {"discount": 0.9}, "out": "runs/a"},
    "date": "2026-01-01T00:00:00+00:00",
    "command": ["bttt", "train"],
    "training": {"seconds": 12.5, "iteration": 4},
}


def written(path, record=RECORD, *, seed=0, **changes):
    torch.manual_seed(seed)
    config = NetworkConfig(**{"stream": 6, "blocks": (4,), "policy": 3, "value": 3, "hidden": 5} | changes)
    save_network(path, PolicyValueNet(config), record)
    return digests_of(path)


def test_dates_seconds_and_places_do_not_count(tmp_path):
    one = written(tmp_path / "one.safetensors")
    later = {"date": "2027", "command": ["other"], "training": {"seconds": 99}, "packages": {}}
    other = written(tmp_path / "other.safetensors", RECORD | later)
    assert one.learned == other.learned == one.stored == other.stored
    assert one.file != other.file


@pytest.mark.parametrize(
    "changes",
    [
        {"pruning": {"agent": "alphazero:x", "cycle": 0}},
        {"boards": ["7x7x4:E5"]},
        {"seed": 4},
        {"config": {"search": {"discount": 0.8}}},
    ],
)
def test_what_changes_play_or_pruning_counts(tmp_path, changes):
    path = tmp_path / "network.safetensors"
    assert written(path).learned != written(path, RECORD | changes).learned


def test_weights_and_architecture_count(tmp_path):
    path = tmp_path / "network.safetensors"
    found = [written(path), written(path, seed=1), written(path, slope=0.3), written(path, encoding="bricks")]
    assert len({each.learned for each in found}) == 4


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.float16, torch.float64])
def test_weights_of_every_size_have_digests_and_are_played(tmp_path, dtype):
    """NumPy has no bfloat16 and no float8, so a digest does not go through its types."""
    path = tmp_path / "network.safetensors"
    full = written(path)
    tensors, header = read_network_file(path, FORMAT, VERSION)
    assert digests_of(path) == full
    write_network_file(
        path, {name: each.to(dtype) for name, each in tensors.items()}, FORMAT, VERSION, header
    )
    agent = make_agent(f"alphazero:{path},simulations=0")
    (decision,) = agent.decide([Position.start(Board.parse("7x7x4:D4"))], [np.random.default_rng(0)])
    assert 0 <= decision.cell < 49
    assert digests_of(path).learned != full.learned


def test_a_bundled_network_keeps_the_name_that_runs_have_stored():
    found = {name: digests_of(find_network(name)).stored for name in shipped()}
    assert found == {
        "all": "1d6e4a25fecfe077",
        "d4": "8be665119ae09f0d",
        "r2": "de1988effa1c8521",
        "r3": "8c54814ccb2b718f",
    }
