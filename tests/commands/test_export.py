"""The real command `bttt export`: what it prints, writes and refuses."""

import re
from pathlib import Path

import pytest
from commands import bttt, refused


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_bundled_network_is_written_and_described(capsys):
    code, out, err = bttt("export", "alphazero:d4", "d4.xml", capsys=capsys)
    assert code == 0
    told = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert list(told) == ["planes", "logits", "values", "boards", "checked", "written:"]
    assert told["planes"].startswith(
        "[batch, 3, rows, cols] float32, zeros and ones: 0 the stones of the player"
    )
    assert told["logits"].startswith("[batch, rows * cols] float32") and told["values"].startswith("[batch] ")
    assert told["boards"] == "any size; trained on 7x7x4:D4"
    (difference,) = re.findall(r"by at most (\S+) \(0.0001 is allowed\) in 168 positions", told["checked"])
    assert 0 < float(difference) < 1e-4
    assert told["written:"] == "d4.xml d4.bin (OpenVINO IR)"
    assert {path.name for path in Path().iterdir()} == {"d4.xml", "d4.bin"}
    assert "bttt play --second alphazero:d4" in err


def test_wrong_input_is_one_line(capsys):
    Path("mine.onnx").write_text("thesis")
    for arguments, message in (
        (["d4", "d4.onx"], "FILE must end in .onnx or .xml or .pt2, got d4.onx (did you mean '.onnx'?)"),
        (["d4", "d4"], "FILE must end in .onnx or .xml or .pt2, got d4"),
        (["d4", "d4.XML"], "FILE must end in .onnx or .xml or .pt2, got d4.XML (did you mean '.xml'?)"),
        (["d44", "d4.xml"], "no network 'd44' (did you mean 'd4'?)"),
        (["d4", "no/d4.xml"], "no/d4.xml: its folder does not exist"),
        (["d4", "mine.onnx"], "mine.onnx exists, and bttt has not exported it: choose another FILE"),
        (["mine.onnx", "a.onnx"], "mine.onnx is corrupt or not a safetensors file"),
        (["d4", "d4.xml", "--encoding", "python:a:b"], "holds a preset of bttt: leave out architecture and"),
        (["d4"], "FILE is missing"),
    ):
        assert message in refused("export", *arguments, capsys=capsys), arguments
    assert Path("mine.onnx").read_text() == "thesis" and len(list(Path().iterdir())) == 1
