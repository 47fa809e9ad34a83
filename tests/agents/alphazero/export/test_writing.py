"""Exported networks answer as torch does, in other runtimes; files that do not are not written."""

import json

import numpy as np
import pytest
import torch

from agents.alphazero.export import export_network, writing
from agents.alphazero.export.formats import FORMATS, OUTPUTS, format_of
from agents.alphazero.network import PolicyValueNet, openvino, own_network, save_network
from agents.alphazero.network.residual import NetworkConfig

CONV = NetworkConfig(stream=8, blocks=(4,), policy=4, value=4, hidden=4)
DENSE = NetworkConfig(
    *(6, (6,), 4, 2, 1, 4),
    **{"heads": "dense", "rows": 4, "cols": 5, "slope": 0.3, "encoding": "bricks"},
)
RECORD = {"boards": ["4x5x3:A1"], "seed": 3, "config": {"search": {"discount": 0.9}}}
BRANCHING = "python:odd_networks:Branching"
NET, BORDER = "python:user_plugins:Net", "python:user_plugins:border"


def stored(folder, config=CONV):
    """A network with normalisation statistics as after training, in a checkpoint."""
    torch.manual_seed(0)
    network = PolicyValueNet(config).train()
    with torch.no_grad():
        for _ in range(5):
            network(torch.rand(32, 3, config.rows or 7, config.cols or 7).round())
    save_network(folder / "network.safetensors", network, RECORD)
    return network.eval()


def positions(number, rows, cols):
    rng = np.random.default_rng(5)
    return (rng.random((number, 3, rows, cols)) < 0.4).astype(np.float32)


def answers_of_file(path, planes):
    """What a file answers: ONNX in another runtime than the one that the export itself reads it with."""
    if path.suffix == ".onnx":
        session = pytest.importorskip("onnxruntime").InferenceSession(path)
        assert [each.name for each in session.get_outputs()] == list(OUTPUTS)
        return session.run(None, {"planes": planes})
    return format_of(path).read(path)(planes)


def metadata_of_file(path):
    if path.suffix == ".onnx":
        import onnx

        model = onnx.load(path)
        return next(each.value for each in model.metadata_props if each.key == "bttt")
    if path.suffix == ".xml":
        return openvino().Core().read_model(path).get_rt_info(["bttt"]).value
    extra = {"bttt.json": ""}
    torch.export.load(path, extra_files=extra)
    return extra["bttt.json"]


def assert_close(found, network, planes):
    with torch.inference_mode():
        expected = network(torch.from_numpy(planes))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("config", [CONV, DENSE], ids=["conv", "dense"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_answers_as_the_network_and_says_what_it_is(suffix, config, tmp_path):
    network, path = stored(tmp_path, config), tmp_path / f"mine{suffix}"
    found = export_network(str(tmp_path), path)
    assert 0 <= found.difference < 1e-5
    made = {"network.safetensors", *(each.name for each in found.files)}
    assert {each.name for each in tmp_path.iterdir()} == made and found.files[-1] == path
    for rows, cols in [(config.rows, config.cols)] if config.rows else [(3, 8), (7, 7)]:
        for number in (1, 5):
            planes = positions(number, rows, cols)
            assert_close(answers_of_file(path, planes), network, planes)
    told = json.loads(metadata_of_file(path))
    assert (told["record"], told["architecture"]["stream"]) == (RECORD, config.stream)
    assert ("2 the bricks" in told["planes"]) == (config is DENSE)
    assert "times 0.9 for each ply" in told["values"] and len(told["digest"]) == 16
    assert str(tmp_path).encode() not in b"".join(each.read_bytes() for each in found.files).replace(
        str(tmp_path).encode(),
        b"",
        1,  # the network's name, in the metadata
    )


@pytest.mark.parametrize("suffix", FORMATS)
def test_networks_and_encodings_of_a_user(suffix, tmp_path):
    network, path = own_network(f"{NET},width=3", BORDER, 4, 5, seed=1).eval(), tmp_path / f"own{suffix}"
    save_network(tmp_path / "network.safetensors", network, RECORD)
    with pytest.raises(ValueError, match="name the class again"):
        export_network(str(tmp_path), path)
    found = export_network(str(tmp_path), path, architecture=NET, encoding=BORDER)
    assert found.description.size == (4, 5) and found.sizes == ((4, 5),)
    assert_close(answers_of_file(path, positions(3, 4, 5)), network, positions(3, 4, 5))


@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        (".onnx", "answers differently from torch in float32, by up to [0-9.]+; at most 0.0001 is allowed"),
        (".xml", "answers differently from torch in float32, by up to [0-9.]+; at most 0.0001 is allowed"),
        (".pt2", "cannot be exported as torch.export: "),
    ],
)
def test_a_network_that_cannot_be_followed_leaves_no_file(suffix, message, tmp_path):
    """Its Python looks at the planes, so that what is traced on an empty board holds for that board only."""
    network = own_network(BRANCHING, None, 4, 5, seed=1)
    save_network(tmp_path / "network.safetensors", network, RECORD)
    with pytest.raises(ValueError, match=message) as raised:
        export_network(str(tmp_path), tmp_path / f"own{suffix}", architecture=BRANCHING)
    assert "\n" not in str(raised.value)
    assert [each.name for each in tmp_path.iterdir()] == ["network.safetensors"]


def test_files_of_others_are_kept_and_its_own_are_replaced_whole(tmp_path, monkeypatch):
    stored(tmp_path)
    path = tmp_path / "a.xml"
    for name, refusal in (
        ("a.bin", "a.bin exists, and its a.xml does not: delete it"),
        ("a.xml", "has not exported it"),
    ):
        (tmp_path / name).write_text("thesis")
        with pytest.raises(ValueError, match=refusal):
            export_network(str(tmp_path), path)
        assert (tmp_path / name).read_text() == "thesis"
        (tmp_path / name).unlink()
    export_network(str(tmp_path), path)
    before = (tmp_path / "a.bin").read_bytes()
    stored(tmp_path, DENSE)
    export_network(str(tmp_path), path)
    assert (tmp_path / "a.bin").read_bytes() != before

    def killed(path, content):
        if path.suffix == ".xml":
            raise OSError("killed")

    monkeypatch.setattr(writing, "write_bytes", killed)
    with pytest.raises(OSError, match="killed"):
        export_network(str(tmp_path), path)
    assert not path.exists()  # with the weights of another network


def test_a_missing_package_or_folder_or_a_wrong_suffix_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(
        ValueError, match=r"must end in .onnx or .xml or .pt2, got a.onx \(did you mean '.onnx'"
    ):
        export_network("d4", tmp_path.__class__("a.onx"))
    with pytest.raises(FileNotFoundError, match="its folder does not exist"):
        export_network("d4", tmp_path / "no" / "a.xml")
    with pytest.raises(IsADirectoryError):
        (tmp_path / "a.xml").mkdir()
        export_network("d4", tmp_path / "a.xml")
    monkeypatch.setattr("agents.alphazero.export.formats.find_spec", lambda name: None)
    with pytest.raises(
        ValueError, match=r".onnx needs onnx; install it with pip install 'brick-tic-tac-toe\[onnx"
    ):
        export_network("d4", tmp_path / "a.onnx")
    with pytest.raises(ValueError, match=r"\.xml needs openvino; install it with pip install openvino"):
        export_network("d4", tmp_path / "b.xml")
