"""Checkpoints: complete in a fresh process; otherwise a one-line error."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import agents.alphazero
from agents.alphazero.network.checkpoint import (
    FORMAT,
    VERSION,
    load_network,
    read_network_file,
    save_network,
    write_network_file,
)
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from agents.alphazero.weights import record

CONFIG = NetworkConfig(stream=6, blocks=(4,), policy=3, value=3, hidden=5)
RECORD = {"bricks": ["D4"], "board": "7x7x4", "seed": 7}


def network(seed=0):
    torch.manual_seed(seed)
    return PolicyValueNet(CONFIG).eval()


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "network.safetensors"
    save_network(path, network(), RECORD)
    return path


def refused(path):
    """Returns the one-line error of a file that cannot be loaded."""
    with pytest.raises(ValueError) as caught:
        load_network(path)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert str(path) in text
    return text


def test_it_answers_the_same_in_a_fresh_process(stored, tmp_path):
    planes = np.random.default_rng(0).random((5, 3, 7, 7)).astype(np.float32)
    np.save(tmp_path / "planes.npy", planes)
    code = f"""
import numpy as np, torch
from pathlib import Path
from agents.alphazero.network.checkpoint import load_network
torch.set_num_threads(1)
network, record = load_network(Path({str(stored)!r}))
assert not network.training and record == {RECORD!r}
with torch.no_grad():
    logits, values = network(torch.from_numpy(np.load({str(tmp_path / "planes.npy")!r})))
np.savez({str(tmp_path / "found.npz")!r}, logits=logits, values=values)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        logits, values = network()(torch.from_numpy(planes))
    torch.set_num_threads(threads)
    found = np.load(tmp_path / "found.npz")
    assert (found["logits"] == logits.numpy()).all()
    assert (found["values"] == values.numpy()).all()


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        (torch.complex64, "complex"),
        (torch.int8, "integer"),
        (torch.int64, "integer"),
        (torch.bool, "boolean"),
    ],
)
def test_numbers_of_another_kind_are_refused(stored, dtype, kind):
    """A copy would drop imaginary parts, or truncate weights, without a word."""
    tensors, header = read_network_file(stored, FORMAT, VERSION)
    first = next(iter(tensors))
    write_network_file(stored, tensors | {first: tensors[first].to(dtype)}, FORMAT, VERSION, header)
    assert f"tensor {first!r} has {kind} numbers, its architecture requires floating-point" in refused(stored)


def test_it_is_replaced_whole_and_leaves_no_rubbish(stored):
    save_network(stored, network(1), RECORD | {"seed": 8})
    loaded, record = load_network(stored)
    assert record["seed"] == 8
    for name, tensor in network(1).state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    assert [path.name for path in stored.parent.iterdir()] == [stored.name]


def test_a_truncated_file_is_refused_wherever_it_is_cut(stored):
    content = stored.read_bytes()
    for length in (0, 7, 100, len(content) // 2, len(content) - 1):
        stored.write_bytes(content[:length])
        assert "is corrupt or not a safetensors file" in refused(stored)


def test_foreign_files(tmp_path):
    path = tmp_path / "foreign.safetensors"
    assert "is not a file" in refused(path)
    assert "is not a file" in refused(tmp_path)
    path.write_bytes(b"\x80\x04K\x01." * 50)  # a pickle
    assert "is corrupt or not a safetensors file" in refused(path)
    save_file({"x": torch.zeros(2)}, path)
    assert "expected 'bttt alphazero network'" in refused(path)
    save_file({"x": torch.zeros(2)}, path, {"format": "bttt training state", "version": "1"})
    assert "has format 'bttt training state', expected" in refused(path)


def test_a_newer_version_is_named(tmp_path):
    path = tmp_path / "newer.safetensors"
    write_network_file(path, network().state_dict(), FORMAT, VERSION + 1, {})
    assert f"has version {VERSION + 1}, but this program reads version {VERSION}" in refused(path)


def header_of(path):
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["header"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stream": 7}, "its architecture requires"),
        ({"blocks": [4, 4]}, "its tensors do not match its architecture: "),
        ({"blocks": 4}, "is corrupt"),
        ({"slope": "steep"}, "slope must be"),
        ({"colour": 1}, "architecture must have the entries"),
    ],
)
def test_an_architecture_that_does_not_fit_its_tensors(stored, changes, message):
    header = header_of(stored)
    header["architecture"] |= changes
    write_network_file(stored, network().state_dict(), FORMAT, VERSION, header)
    assert message in refused(stored)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stream": 4096, "blocks": [4096]}, "its architecture requires"),
        ({"blocks": [1] * 1000}, "its architecture has 1000 blocks, the file"),
        ({"heads": "dense", "rows": 64, "cols": 64, "policy": 4096}, "its tensors do not match"),
    ],
)
def test_a_file_that_promises_a_large_network_is_refused_before_it_is_built(
    stored, changes, message, monkeypatch
):
    """A header of some bytes once cost gigabytes."""
    header = header_of(stored)
    header["architecture"] |= changes
    write_network_file(stored, network().state_dict(), FORMAT, VERSION, header)
    devices = set()
    monkeypatch.setattr(
        torch.nn.init, "kaiming_uniform_", lambda tensor, **_: devices.add(tensor.device.type)
    )
    assert message in refused(stored)
    assert devices <= {"meta"}  # only shapes


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("boards", "D4"),
        ("boards", [5]),
        ("seed", "7"),
        ("seed", 1e400),
        ("config", []),
        ("config", {"search": 3}),
        ("config", {"search": {"discount": "0.9"}}),
    ],
)
def test_a_record_with_wrong_entries_is_refused(stored, entry, value):
    save_network(stored, network(), RECORD | {entry: value})
    assert f"the entry '{entry}' of its record" in refused(stored)
    with pytest.raises(ValueError, match="is corrupt or not a checkpoint"):
        record(stored)


def test_a_deeply_nested_header_is_refused(stored):
    metadata = {"format": FORMAT, "version": str(VERSION), "header": "[" * 100_000}
    save_file(network().state_dict(), stored, metadata)
    assert "its header cannot be read (nested more than 100 deep)" in refused(stored)
    with pytest.raises(ValueError, match="is corrupt or not a checkpoint"):
        record(stored)
    text = b'{"__metadata__":' + b"[" * 100_000
    stored.write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(ValueError, match="is corrupt or not a checkpoint"):
        record(stored)


@pytest.mark.parametrize("header", [{}, [], None, {"architecture": CONFIG.to_json()}, {"architecture": 3}])
def test_a_header_that_says_nothing(stored, header):
    write_network_file(stored, network().state_dict(), FORMAT, VERSION, header)
    assert "is corrupt" in refused(stored)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_none(stored, number):
    broken = network()
    with torch.no_grad():
        broken.value_out.weight[0, 2] = number
    save_network(stored, broken, RECORD)
    assert "'value_out.weight' has a number that is not finite" in refused(stored)


def test_nothing_here_unpickles():
    sources = list(Path(agents.alphazero.__file__).parent.rglob("*.py"))
    assert len(sources) > 10
    for path in sources:
        source = path.read_text(encoding="utf-8")
        for word in ("import pickle", "torch.load(", "torch.save(", "allow_pickle=True", "joblib.load"):
            assert word not in source, path
