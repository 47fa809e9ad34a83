"""Writes tiny data sets in the official formats, down to the pickles of Python 2."""

import gzip
import struct
from pathlib import Path

import numpy as np
from PIL import Image


def examples(count, shape, classes, seed=0):
    """Random images, uint8 [count, *shape], and labels 0, 1, ..., one after another, uint8."""
    images = np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)
    return images, (np.arange(count) % classes).astype(np.uint8)


def idx_bytes(array):
    """An IDX file of bytes."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx_set(folder: Path, train=200, test=50, *, compressed=True, size=28):
    """MNIST's four files; returns the arrays ((images, labels), (images, labels))."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = examples(train, (size, size), 10), examples(test, (size, size), 10, seed=1)
    for name, (images, labels) in zip(("train", "t10k"), parts, strict=True):
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            content = idx_bytes(array)
            path = folder / f"{name}-{kind}-ubyte{'.gz' if compressed else ''}"
            path.write_bytes(gzip.compress(content, 1) if compressed else content)
    return parts


def write_cifar10(folder: Path, batch=20):
    """The folder cifar-10-batches-py of six batches; returns images and labels of each."""
    folder = folder / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    found = [examples(batch, (3, 32, 32), 10, seed) for seed in range(6)]
    for name, (images, labels) in zip(names, found, strict=True):
        rows = images.reshape(batch, -1)
        content = {
            "batch_label": name,
            "labels": labels.tolist(),
            "data": rows,
            "filenames": ["a.png"] * batch,
        }
        (folder / name).write_bytes(python2_pickle(content))
    label_names = ["airplane", "automobile", *"cdefghij"]
    meta = {"num_cases_per_batch": batch, "label_names": label_names, "num_vis": 3072}
    (folder / "batches.meta").write_bytes(python2_pickle(meta))
    return found


def write_cifar100(folder: Path, train=300, test=100):
    """The folder cifar-100-python; returns ((images, fine labels), (images, fine labels))."""
    folder = folder / "cifar-100-python"
    folder.mkdir(parents=True)
    parts = examples(train, (3, 32, 32), 100), examples(test, (3, 32, 32), 100, seed=1)
    for name, (images, labels) in zip(("train", "test"), parts, strict=True):
        coarse = [int(label) // 5 for label in labels]
        content = {"data": images.reshape(len(images), -1), "fine_labels": labels.tolist()}
        (folder / name).write_bytes(python2_pickle({**content, "coarse_labels": coarse, "batch_label": name}))
    names = {"fine_label_names": [f"fine{i}" for i in range(100)], "coarse_label_names": ["c"] * 20}
    (folder / "meta").write_bytes(python2_pickle(names))
    return parts


def write_tiny_imagenet(folder: Path, classes=("n02", "n01", "n03"), train=4, test=2):
    """The folder tiny-imagenet-200; an image is all `tiny_colour(class, number)`; val counts from 10."""
    folder = folder / "tiny-imagenet-200"
    annotations = []
    for position, name in enumerate(classes):
        for number in range(train):
            path = folder / "train" / name / "images" / f"{name}_{number}.JPEG"
            write_image(path, tiny_colour(name, number), (64, 64))
        (folder / "train" / name / f"{name}_boxes.txt").write_text(f"{name}_0.JPEG\t0\t0\t9\t9\n")
        for number in range(test):
            file = f"val_{position + number * len(classes)}.JPEG"
            write_image(folder / "val" / "images" / file, tiny_colour(name, 10 + number), (64, 64))
            annotations.append(f"{file}\t{name}\t0\t0\t62\t62\n")
    (folder / "val" / "val_annotations.txt").write_text("".join(annotations))
    (folder / "wnids.txt").write_text("".join(f"{name}\n" for name in classes))
    (folder / "words.txt").write_text("n01\tfish\n")


def tiny_colour(name, number):
    """Red tells the class, green the image."""
    return int(name[1:]) * 60 % 256, number * 20 % 256, 30


def write_image_folder(folder: Path, suffix="png", images=3, size=(30, 20)):
    """An ImageNet-style folder: train and val of a red class "cat" and a blue class "dog"."""
    for split in ("train", "val"):
        for name, colour in (("cat", (200, 0, 0)), ("dog", (0, 0, 200))):
            for number in range(images):
                write_image(folder / split / name / f"{number}.{suffix}", colour, size)


def write_image(path: Path, colour, size, mode="RGB"):
    """A file of one colour; size is width, height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)


def python2_pickle(value) -> bytes:
    """A pickle of protocol 2 as Python 2 wrote it: text as byte strings, arrays by their old module."""
    return b"\x80\x02" + _python2(value) + b"."


def _python2(value) -> bytes:
    if isinstance(value, str):
        return b"U" + bytes([len(value)]) + value.encode("latin1")
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, list):
        return b"](" + b"".join(map(_python2, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(_python2(part) for pair in value.items() for part in pair) + b"u"
    return _python2_array(value)


def _python2_array(array: np.ndarray) -> bytes:
    empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape = b"(" + b"".join(map(_python2, array.shape)) + b"t"
    content = b"T" + struct.pack("<i", array.nbytes) + array.tobytes()
    return empty + b"(K\x01" + shape + dtype + b"\x89" + content + b"tb"
