"""User-defined networks and encodings: equal results from all evaluators; stored and named again."""

import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from agents.alphazero.network.checkpoint import load_checkpoint, load_network, save_network
from agents.alphazero.network.evaluators import make_evaluator
from agents.alphazero.network.own import OwnNet, own_network

NET = "python:user_plugins:Net"
BORDER = "python:user_plugins:border"
RECORD = {"boards": ["4x5x3 A1"]}


def planes(number=5, rows=4, cols=5):
    return np.random.default_rng(0).integers(0, 2, (number, 3, rows, cols)).astype(np.float32)


@pytest.mark.parametrize("preset", [f"{NET},width=3", "small"])
@pytest.mark.parametrize("encoding", [None, BORDER])
def test_evaluators_answer_as_the_network_does(preset, encoding):
    network = own_network(preset, encoding, 4, 5, seed=1).eval()
    with torch.no_grad():
        logits, values = network(torch.from_numpy(planes()))
    for name in ("torch", "openvino-float32"):
        found = make_evaluator(network, name)(planes())
        np.testing.assert_allclose(found[0], logits.numpy(), atol=1e-5)
        np.testing.assert_allclose(found[1], values.numpy(), atol=1e-5)


def test_the_encoding_changes_what_the_network_sees():
    plain, marked = (own_network(f"{NET},width=3", each, 4, 5, seed=1) for each in (None, BORDER))
    assert plain.body.trunk[0].in_channels == 3
    assert marked.body.trunk[0].in_channels == 4


def test_the_seed_decides_the_weights_and_the_caller_s_random_numbers_stay():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (own_network(NET, None, 4, 5, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.body.policy.weight, again.body.policy.weight)
    assert not torch.equal(first.body.policy.weight, other.body.policy.weight)


@pytest.fixture
def stored(tmp_path):
    network = own_network(f"{NET},width=3", BORDER, 4, 5, seed=1)
    path = tmp_path / "network.safetensors"
    save_network(path, network, RECORD)
    return path, network


def test_a_checkpoint_is_loaded_by_naming_its_plug_ins_again(stored):
    path, network = stored
    loaded, record = load_checkpoint(path, architecture=NET, encoding=BORDER)
    assert isinstance(loaded, OwnNet) and record == RECORD
    assert loaded.body.trunk[0].out_channels == 3  # the option is stored
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


@pytest.mark.parametrize(
    ("names", "part"),
    [
        ({}, "it holds a network of class 'python:user_plugins:Net,width=3': name the class again"),
        ({"architecture": NET}, "it needs the encoding 'python:user_plugins:border': name it again"),
        (
            {"architecture": f"{NET},width=4", "encoding": BORDER},
            "does not fit python:user_plugins:Net,width=4",
        ),
        ({"architecture": "python:user_plugins:Nat", "encoding": BORDER}, "did you mean 'Net'?"),
    ],
)
def test_a_checkpoint_whose_plug_ins_are_not_named_is_refused(stored, names, part):
    with pytest.raises(ValueError, match=re.escape(part)):
        load_checkpoint(stored[0], **names)


def test_no_module_that_a_checkpoint_names_is_imported(stored):
    code = (
        "import sys; from pathlib import Path; from agents.alphazero.network import load_checkpoint\n"
        f"try: load_checkpoint(Path({str(stored[0])!r}))\n"
        "except ValueError: print('user_plugins' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_needs_a_network_of_the_package_says_so(stored):
    path, _ = stored
    with pytest.raises(ValueError, match="name the class again"):
        load_network(path)


@pytest.mark.parametrize(
    ("preset", "encoding", "part"),
    [
        ("python:user_plugins:WrongShape", None, r"must return logits \(2, 20\) and values \(2,\) for 2"),
        (NET, "python:user_plugins:flat", r"fails: it returns planes \(2, 60\) for \(2, 3, 4, 5\)"),
        (f"{NET},width=wide", None, "option width='wide' must be a whole number"),
        (f"{NET},depth=2", None, "unknown option 'depth'"),
        ("python:user_plugins:border", None, "must be a torch module|cannot be made"),
        ("paper", BORDER, "preset 'paper' is for 7x7 boards, got 4x5"),
    ],
)
def test_plug_ins_that_do_not_fit_are_named(preset, encoding, part):
    with pytest.raises(ValueError, match=part):
        own_network(preset, encoding, 4, 5, seed=0)
