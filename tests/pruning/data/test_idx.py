"""MNIST's files: read to the byte, and refused with one line when they are broken."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_data import idx_bytes, write_idx_set

from pruning.data.idx import read_idx, read_idx_set

CLASSES = tuple("0123456789")
IMAGES, LABELS = "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


@pytest.mark.parametrize("compressed", [True, False])
def test_images_and_labels_are_those_of_the_files(tmp_path, compressed):
    parts = write_idx_set(tmp_path, compressed=compressed)
    source = read_idx_set(tmp_path, CLASSES)
    for part, (images, labels) in zip((source.train, source.test), parts, strict=True):
        everything = np.arange(len(labels))
        assert (part.images(everything).numpy() == images[:, None]).all()
        assert (part.labels == labels).all()
        assert part.labels.dtype == np.int64


@given(st.data())
def test_a_part_of_a_file_is_never_read(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("idx") / "file"
    content = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ValueError, match=str(path)):
        read_idx(path, 3)


@given(st.data())
def test_a_part_of_a_compressed_file_is_never_read(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("idx") / "file.gz"
    content = gzip.compress(idx_bytes(np.arange(240, dtype=np.uint8).reshape(20, 3, 4)))
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ValueError, match=str(path)) as error:
        read_idx(path, 3)
    assert "\n" not in str(error.value)


def damage(path, change):
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (IMAGES, lambda old: old[:-1], r"expected 156816 bytes for the shape \(200, 28, 28\), found 156815"),
        (IMAGES, lambda old: old + b"\0", r"found 156817"),
        (IMAGES, lambda old: b"\0\0\x08\x01" + old[4:], "expected to begin with 00000803, found 00000801"),
        (IMAGES, lambda old: b"", "expected to begin with 00000803, found nothing"),
        (
            IMAGES,
            lambda old: old[:4] + b"\xff" * 12 + old[16:],
            r"promises 79,228,162,458,924,105,385,300,197,375 bytes in a file of",
        ),
        (
            IMAGES,
            lambda old: idx_bytes(np.zeros((0, 28, 28), np.uint8)),
            r"is empty: its shape is \(0, 28, 28\)",
        ),
        (
            IMAGES,
            lambda old: idx_bytes(np.zeros((200, 0, 0), np.uint8)),
            r"is empty: its shape is \(200, 0, 0\)",
        ),
        (LABELS, lambda old: idx_bytes(np.zeros(49, np.uint8)), "49 labels, expected 50: one for each image"),
        (LABELS, lambda old: old[:-1] + b"\x0a", "the label 10, expected 0 to 9"),
    ],
)
def test_a_broken_file_is_named_with_what_was_expected(tmp_path, name, change, message):
    write_idx_set(tmp_path)
    path = tmp_path / f"{name}.gz"
    damage(path, change)
    with pytest.raises(ValueError, match=message) as error:
        read_idx_set(tmp_path, CLASSES)
    assert str(error.value).startswith(str(path))


def test_images_for_training_and_test_have_one_size(tmp_path):
    write_idx_set(tmp_path)
    damage(tmp_path / "t10k-images-idx3-ubyte.gz", lambda old: idx_bytes(np.zeros((50, 14, 28), np.uint8)))
    with pytest.raises(ValueError, match=r"training images are 28 x 28 pixels, but test images are 14 x 28"):
        read_idx_set(tmp_path, CLASSES)


def test_a_file_that_promises_more_than_it_can_hold_is_not_decompressed(tmp_path):
    """70 MB of zeros in a file of 70 kB: its header is read, not its content."""
    path = tmp_path / "zeros.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(struct.pack(">4B3I", 0, 0, 8, 3, 2**16, 28, 40))
        for _ in range(70):
            file.write(bytes(2**20))
    with pytest.raises(ValueError, match=r"promises 73,400,320 bytes in a file of \d{3},\d{3}:"):
        read_idx(path, 3)
    path.write_bytes(gzip.compress(bytes(2**20)))
    with pytest.raises(ValueError, match="expected to begin with 00000803, found 00000000"):
        read_idx(path, 3)


def test_no_gzip_file(tmp_path):
    write_idx_set(tmp_path)
    (tmp_path / f"{IMAGES}.gz").write_bytes(b"<html>404</html>")
    with pytest.raises(ValueError, match=r"cannot be read, expected an IDX file: Not a gzipped file"):
        read_idx_set(tmp_path, CLASSES)


def test_a_missing_file(tmp_path):
    write_idx_set(tmp_path)
    (tmp_path / f"{LABELS}.gz").unlink()
    with pytest.raises(ValueError, match=rf"{LABELS} is missing: expected that file or {LABELS}.gz"):
        read_idx_set(tmp_path, CLASSES)
