"""CIFAR's batches: read as their makers and as Python 3 write them; nothing in them is run."""

import os
import pickle
import subprocess

import numpy as np
import pytest
from tiny_data import python2_pickle, write_cifar10, write_cifar100

from pruning.data.batches import read_batch, read_cifar10, read_cifar100


def test_cifar10_is_its_five_batches_one_after_another(tmp_path):
    batches = write_cifar10(tmp_path)
    source = read_cifar10(tmp_path / "cifar-10-batches-py")
    assert source.classes[:2] == ("airplane", "automobile")
    for part, parts in ((source.train, batches[:5]), (source.test, batches[5:])):
        images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        assert (part.images(np.arange(len(labels))).numpy() == images).all()
        assert (part.labels == labels).all()
        assert part.labels.dtype == np.int64


def test_cifar100_has_its_fine_classes(tmp_path):
    parts = write_cifar100(tmp_path)
    source = read_cifar100(tmp_path / "cifar-100-python")
    assert source.classes == tuple(f"fine{number}" for number in range(100))
    for part, (images, labels) in zip((source.train, source.test), parts, strict=True):
        assert (part.images(np.arange(len(labels))).numpy() == images).all()
        assert (part.labels == labels).all()


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("text", [str, str.encode])
def test_what_python_3_writes_is_read_too(tmp_path, protocol, text):
    rows = np.arange(12, dtype=np.uint8).reshape(2, 6)
    value = {text("data"): rows, text("labels"): [1, 2], text("batch_label"): text("a")}
    (tmp_path / "file").write_bytes(pickle.dumps(value, protocol=protocol))
    found = read_batch(tmp_path / "file")
    assert (found["data"] == rows).all()
    assert found["labels"] == [1, 2]


class Malicious:
    def __init__(self, call, *arguments):
        self.reduced = call, arguments

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (os.system, ("touch {path}",)),
        (os.mkdir, ("{path}",)),
        (eval, ("open('{path}', 'w')",)),
        (subprocess.Popen, (["touch", "{path}"],)),
        (np.memmap, ("{path}", "u1", "w+", 0, 8)),
        (np.ndarray, ((10**15,),)),
        (getattr, (str, "format")),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_file_that_asks_for_anything_else_is_refused_before_it_runs(tmp_path, call, arguments, protocol):
    marker = tmp_path / "it ran"
    filled = [
        argument.format(path=marker) if isinstance(argument, str) else argument for argument in arguments
    ]
    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps({"data": Malicious(call, *filled)}, protocol=protocol))
    with pytest.raises(ValueError, match=f"^{path} cannot be read, expected a CIFAR batch: ") as error:
        read_batch(path)
    assert "\n" not in str(error.value)
    assert not marker.exists()


def test_the_same_file_would_have_run(tmp_path):
    marker = tmp_path / "it ran"
    pickle.loads(pickle.dumps(Malicious(os.mkdir, str(marker))))
    assert marker.exists()


def good(count=20):
    rows = np.zeros((count, 3072), np.uint8)
    return {"data": rows, "labels": [0] * count}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (python2_pickle(good())[:-1], "cannot be read, expected a CIFAR batch"),
        (python2_pickle(good())[:5000], "cannot be read, expected a CIFAR batch"),
        (b"", "cannot be read, expected a CIFAR batch: pickle exhausted before seeing STOP"),
        (b"<html>", "cannot be read, expected a CIFAR batch"),
        (b"\x80\x02}r\xff\xff\xff\x7f.", "it asks for 2,147,483,647 places in 9 bytes"),
        (b"\x80\x05\x96" + b"\xff" * 7 + b"\x0f.", "cannot be read, expected a CIFAR batch"),
        (python2_pickle([1]), "is not a CIFAR batch: expected a dictionary, found list"),
        (python2_pickle({"labels": [1]}), r"expected 'data' to be bytes of shape \[n, 3072\]"),
        (python2_pickle({**good(), "data": [1]}), r"expected 'data' to be bytes of shape"),
        (python2_pickle({**good(), "data": np.zeros((20, 3071), np.uint8)}), r"expected 'data' to be bytes"),
        (python2_pickle({"data": good()["data"]}), "expected 'labels' to be 20 numbers"),
        (python2_pickle({**good(), "labels": [0] * 19}), "expected 'labels' to be 20 numbers"),
        (python2_pickle({**good(), "labels": ["0"] * 20}), "expected 'labels' to be 20 numbers"),
        (python2_pickle({**good(), "labels": [0] * 19 + [10]}), "has the label 10, expected 0 to 9"),
        (python2_pickle({**good(), "labels": [0] * 19 + [-1]}), "has the label -1, expected 0 to 9"),
        (pickle.dumps({**good(), "data": np.zeros((20, 3072))}, protocol=2), "an array of 'f8', not of 'u1'"),
        (pickle.dumps({**good(), "labels": [2**70] * 20}), "expected 'labels' to be 20 numbers"),
    ],
)
def test_a_broken_batch_is_named_with_what_was_expected(tmp_path, content, message):
    write_cifar10(tmp_path)
    path = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_cifar10(path.parent)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_an_array_of_another_size_than_its_bytes(tmp_path):
    content = python2_pickle(good())
    path = tmp_path / "file"
    path.write_bytes(
        content.replace(b"J\x14\x00\x00\x00J\x00\x0c\x00\x00", b"J\x15\x00\x00\x00J\x00\x0c\x00\x00")
    )
    assert path.read_bytes() != content
    with pytest.raises(ValueError, match="cannot be read, expected a CIFAR batch"):
        read_batch(path)


@pytest.mark.parametrize("names", [[], [1], "airplane"])
def test_broken_names_of_classes(tmp_path, names):
    write_cifar10(tmp_path)
    path = tmp_path / "cifar-10-batches-py" / "batches.meta"
    path.write_bytes(python2_pickle({"label_names": names}))
    with pytest.raises(ValueError, match=r"batches.meta is corrupt: expected 'label_names' to be the names"):
        read_cifar10(path.parent)


@pytest.mark.parametrize("written", [python2_pickle, pickle.dumps])
def test_a_part_of_a_file_is_never_read(tmp_path, written):
    content = written({"data": np.arange(8, dtype=np.uint8).reshape(2, 4), "labels": [3, 4]})
    for length in range(len(content)):
        (tmp_path / "file").write_bytes(content[:length])
        with pytest.raises(ValueError, match="cannot be read, expected a CIFAR batch"):
            read_batch(tmp_path / "file")


def test_a_missing_batch(tmp_path):
    write_cifar10(tmp_path)
    path = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    path.unlink()
    with pytest.raises(ValueError, match=f"^{path} is missing: expected a CIFAR batch$"):
        read_cifar10(path.parent)
