"""Files of tensors: what is written comes back, and a failed write leaves the old file."""

import os

import pytest
import torch
from safetensors.torch import save_file

from pruning.masks.files import read_tensors, write_tensors


def test_all_kinds_of_tensors_come_back(tmp_path):
    base = torch.arange(24.0).reshape(2, 3, 2, 2)
    tensors = {
        "bools": base > 5,
        "halves": base.bfloat16(),
        "whole": base.long(),
        "scalar": torch.tensor(3.5),
        "none": torch.empty(0, 4),
        "strided": base.to(memory_format=torch.channels_last),
        "view of it": base[:, 1:],
        "the same again": base,
        "once more": base,
        "trained": base.clone().requires_grad_(),
    }
    header = {"names": list(tensors), "loss": 0.25, "deep": {"list": [1, None, "é"]}}
    write_tensors(tmp_path / "file", tensors, "things", header)
    found, read = read_tensors(tmp_path / "file", "things")
    assert read == header
    assert set(found) == set(tensors)
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    write_tensors(path, {"a": torch.ones(2)}, "things", {"age": "old"})
    with pytest.raises(TypeError):
        write_tensors(path, {"a": torch.zeros(2)}, "things", {"age": object()})
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")  # stands for a device, in whose place a rename would put a file
    for name in ("folder", "pipe"):
        with pytest.raises(OSError, match=f"{name} is not a regular file"):
            write_tensors(tmp_path / name, {"a": torch.zeros(2)}, "things", {})
    assert (tmp_path / "pipe").is_fifo()
    tensors, header = read_tensors(path, "things")
    assert header == {"age": "old"}
    assert tensors["a"].tolist() == [1, 1]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder", "pipe"]


def test_a_file_is_replaced_while_it_is_read(tmp_path):
    path = tmp_path / "file"
    write_tensors(path, {"a": torch.ones(1000)}, "things", {})
    old, _ = read_tensors(path, "things")
    write_tensors(path, {"a": torch.zeros(10)}, "things", {})
    assert old["a"].sum() == 1000
    assert len(read_tensors(path, "things")[0]["a"]) == 10


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"format": "other", "version": "1", "header": "{}"}, "has the format 'other', expected 'things'"),
        ({"format": "things", "version": "0", "header": "{}"}, "version 0, this program reads version 1"),
        ({"format": "things", "version": "1", "header": "{"}, "header cannot be read"),
        ({"format": "things", "version": "1"}, "header cannot be read"),
        ({"format": "things", "version": "1", "header": "[]"}, "header is not a JSON object"),
    ],
)
def test_other_files_are_refused(tmp_path, metadata, said):
    save_file({"a": torch.ones(1)}, tmp_path / "file", metadata)
    with pytest.raises(ValueError, match=said):
        read_tensors(tmp_path / "file", "things")


def test_what_is_no_file_of_tensors_is_refused(tmp_path):
    (tmp_path / "text").write_text("no tensors\nat all\n")
    for path, said in [
        (tmp_path / "none", "not a file"),
        (tmp_path, "not a file"),
        (tmp_path / "text", "corrupt"),
    ]:
        with pytest.raises(ValueError, match=said) as caught:
            read_tensors(path, "things")
        assert len(str(caught.value).splitlines()) == 1
