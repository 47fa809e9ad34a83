"""Data sets: their splits are held to what the files have, their numbers to NumPy's."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from tiny_data import (
    write_cifar10,
    write_cifar100,
    write_idx_set,
    write_image_folder,
    write_tiny_imagenet,
)

from pruning.data.loading import load
from pruning.data.sets import SETS

WRITERS = {
    "digits": lambda folder: None,
    "mnist": lambda folder: write_idx_set(folder / "MNIST" / "raw"),
    "fashion-mnist": lambda folder: write_idx_set(folder / "FashionMNIST" / "raw"),
    "cifar10": write_cifar10,
    "cifar100": write_cifar100,
    "tiny-imagenet": lambda folder: write_tiny_imagenet(folder, train=10),
    "folder": lambda folder: write_image_folder(folder, images=10),
}
SHAPES = {
    "digits": (1, 8, 8),
    "mnist": (1, 28, 28),
    "fashion-mnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
    "cifar100": (3, 32, 32),
    "tiny-imagenet": (3, 64, 64),
    "folder": (3, 64, 64),
}


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch, tmp_path):
    """No folder of this machine is looked into."""
    monkeypatch.delenv("BTTT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def cifar10(tmp_path_factory):
    """A folder with 100 training and 20 test images, none twice; and the pixels of both."""
    folder = tmp_path_factory.mktemp("cifar")
    *train, test = [images for images, _ in write_cifar10(folder)]
    return folder, np.concatenate(train), test


def pixels(split):
    return [image.tobytes() for image in split.images.numpy()]


@pytest.mark.parametrize("name", SETS)
def test_every_set_has_images_labels_and_names(tmp_path, name):
    WRITERS[name](tmp_path)
    data = load(name, tmp_path)
    assert (data.name, data.shape) == (name, SHAPES[name])
    for split in (data.train, data.validation, data.test):
        assert split.images.shape == (len(split), *data.shape)
        assert (split.images.dtype, split.labels.dtype) == (torch.uint8, torch.int64)
        assert split.labels.shape == (len(split),)
        assert len(split) > 0
        assert 0 <= split.labels.min() <= split.labels.max() < len(data.classes)
    assert len(data.validation) == round(0.1 * (len(data.train) + len(data.validation)))
    assert len(data.mean) == len(data.std) == data.shape[0]


@settings(max_examples=30)
@given(
    validation=st.floats(0, 0.9),
    split_seed=st.integers(0, 1000),
    subset=st.none() | st.integers(10, 100),
    classes=st.none() | st.integers(4, 10),
)
def test_splits_are_apart_and_the_test_stays_the_test(cifar10, validation, split_seed, subset, classes):
    folder, train, test = cifar10
    options = {"validation": validation, "split_seed": split_seed, "classes": classes}
    options["subset"] = subset if subset is None or classes is None else min(subset, 10 * classes)
    data = load("cifar10", folder, **options)
    ours, held = pixels(data.train), pixels(data.validation)
    assert not set(ours) & set(held)
    assert set(ours) | set(held) <= {image.tobytes() for image in train}
    assert set(pixels(data.test)) <= {image.tobytes() for image in test}
    total = len(ours) + len(held)
    assert total == len(set(ours)) + len(set(held)) == (options["subset"] or 10 * (classes or 10))
    assert len(held) == round(validation * total)
    assert len(data.test) == min(total if subset else 20, 2 * (classes or 10))
    assert data.train.labels.max() < len(data.classes) == (classes or 10)
    again = load("cifar10", folder, **options)
    assert pixels(again.train) == ours
    assert pixels(again.validation) == held


def test_images_keep_their_labels(cifar10):
    folder, train, test = cifar10
    data = load("cifar10", folder, subset=60, classes=7)
    labels = {image.tobytes(): place % 10 for images in (train, test) for place, image in enumerate(images)}
    for split in (data.train, data.validation, data.test):
        assert [labels[each] for each in pixels(split)] == split.labels.tolist()


@pytest.mark.parametrize(("subset", "validation"), [(None, 0.1), (40, 0.25), (100, 0.5)])
def test_every_class_has_its_share_of_every_split(cifar10, subset, validation):
    data = load("cifar10", cifar10[0], subset=subset, validation=validation)
    total = subset or 100
    for split, share in ((data.train, 1 - validation), (data.validation, validation)):
        counts = torch.bincount(split.labels, minlength=10)
        assert (counts - total * share / 10).abs().max() < 1
    assert torch.bincount(data.test.labels).tolist() == [2] * 10


def test_the_seed_decides_subset_validation_and_order_but_not_an_official_test(cifar10):
    one, other = (load("cifar10", cifar10[0], subset=50, split_seed=seed) for seed in (1, 2))
    assert set(pixels(one.train)) | set(pixels(one.validation)) != set(pixels(other.train)) | set(
        pixels(other.validation)
    )
    assert pixels(one.test) == pixels(other.test) == [image.tobytes() for image in cifar10[2]]


def test_the_subset_is_chosen_before_validation_is_set_apart(cifar10):
    chosen = [
        {*pixels(data.train), *pixels(data.validation)}
        for data in (load("cifar10", cifar10[0], subset=50, validation=share) for share in (0.0, 0.1, 0.5))
    ]
    assert chosen[0] == chosen[1] == chosen[2]


def test_training_images_do_not_come_class_by_class(tmp_path):
    write_tiny_imagenet(tmp_path, train=20)
    labels = load("tiny-imagenet", tmp_path).train.labels
    assert (labels.diff() != 0).sum() > 20


def test_mean_and_deviation_are_those_of_the_training_images(cifar10):
    data = load("cifar10", cifar10[0], subset=70)
    values = data.train.images.numpy() / 255
    np.testing.assert_allclose(data.mean, values.mean((0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(data.std, values.std((0, 2, 3)), rtol=1e-10)


def test_images_of_one_colour_deviate_by_nothing(tmp_path):
    write_image_folder(tmp_path)
    data = load("folder", tmp_path, classes=1, size=100, validation=0)
    assert data.mean == (200 / 255, 0, 0)
    assert data.std == (0, 0, 0)


def test_digits_are_scikit_learns_at_16_grey_levels():
    data = load("digits")
    splits = (data.train, data.validation, data.test)
    assert [len(split) for split in splits] == [1294, 144, 359]
    original = load_digits()
    expected = sorted(zip(map(tuple, original.data.astype(int)), original.target, strict=True))
    found = [
        (tuple((image.flatten() / 255 * 16).round().int().tolist()), label)
        for split in splits
        for image, label in zip(split.images, split.labels.tolist(), strict=True)
    ]
    assert sorted(found) == expected
    assert (torch.bincount(data.test.labels) - torch.tensor(np.bincount(original.target)) / 5).abs().max() < 1


@pytest.mark.parametrize("place", ["MNIST/raw", "mnist/raw", "mnist", "."])
@pytest.mark.parametrize("compressed", [True, False])
def test_mnist_is_found_in_the_usual_folders(tmp_path, place, compressed):
    (images, _), _ = write_idx_set(tmp_path / place, compressed=compressed)
    data = load("mnist", tmp_path, validation=0)
    assert sorted(pixels(data.train)) == sorted(image.tobytes() for image in images)


@pytest.mark.parametrize("name", ["tiny-imagenet-200", "tiny-imagenet-3", "."])
def test_tiny_imagenet_is_found_under_any_number_of_classes(tmp_path, name):
    write_tiny_imagenet(tmp_path)
    (tmp_path / "tiny-imagenet-200.zip").touch()
    if name != "tiny-imagenet-200":
        (tmp_path / "tiny-imagenet-200").rename(tmp_path / "tiny-imagenet-3")
    root = tmp_path / "tiny-imagenet-3" if name == "." else tmp_path
    assert load("tiny-imagenet", root).classes == ("n01", "n02", "n03")


def test_an_incomplete_folder_does_not_hide_a_complete_one(tmp_path):
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte.gz").touch()
    write_idx_set(tmp_path / "mnist")
    assert len(load("mnist", tmp_path).test) == 50


def test_the_folder_is_the_given_one_then_that_of_the_environment_then_the_cache(tmp_path, monkeypatch):
    places = {count: tmp_path / place for count, place in ((30, "given"), (40, "named"))}
    places[50] = tmp_path / "cache" / "brick-tic-tac-toe"
    for count, place in places.items():
        write_idx_set(place / "MNIST" / "raw", test=count)
    assert len(load("mnist").test) == 50
    monkeypatch.setenv("BTTT_DATA", str(places[40]))
    assert len(load("mnist").test) == 40
    assert len(load("mnist", places[30]).test) == 30


@pytest.mark.parametrize("name", [name for name, kind in SETS.items() if kind.folders])
def test_a_missing_set_is_one_line_that_says_what_to_do(tmp_path, name):
    with pytest.raises(
        ValueError, match=rf"^no {name}: {tmp_path}.* is missing; .*--data or BTTT_DATA"
    ) as error:
        load(name, tmp_path)
    text = str(error.value)
    assert "\n" not in text
    if SETS[name].download:
        assert "--download" in text
        assert "http" in text


def test_a_missing_file_is_named(tmp_path):
    write_cifar10(tmp_path)
    (tmp_path / "cifar-10-batches-py" / "data_batch_4").unlink()
    with pytest.raises(ValueError, match="cifar-10-batches-py/data_batch_4 is missing"):
        load("cifar10", tmp_path)


def test_one_sets_files_are_not_taken_for_anothers(tmp_path, monkeypatch):
    """The files of MNIST and Fashion-MNIST have the same names; the checksum of the test labels tells."""
    write_idx_set(tmp_path)
    path = tmp_path / "t10k-labels-idx1-ubyte.gz"
    digest = "md5:" + hashlib.md5(path.read_bytes()).hexdigest()
    files = {address: digest for address in SETS["mnist"].download.files}
    published = replace(SETS["mnist"], download=replace(SETS["mnist"].download, files=files))
    monkeypatch.setitem(SETS, "mnist", published)
    assert len(load("mnist", tmp_path).test) == 50
    with pytest.raises(ValueError, match=f"^{path} belongs to mnist, expected the one of fashion-mnist$"):
        load("fashion-mnist", tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"name": "imagenet"},
            r"no data set 'imagenet' \(did you mean 'tiny-imagenet'\?\); the data sets are digits, mnist, ",
        ),
        ({"validation": 1.0}, "validation must be at least 0 and below 1, got 1.0"),
        ({"validation": -0.1}, "validation must be at least 0 and below 1, got -0.1"),
        ({"validation": float("nan")}, "validation must be at least 0 and below 1, got nan"),
        ({"subset": 0}, "subset must be 1 to 1438, the number of training images, got 0"),
        ({"subset": 1439}, "subset must be 1 to 1438, the number of training images, got 1439"),
        ({"subset": 1, "validation": 0.9}, "leaves 0 training and 1 test images"),
        ({"classes": 0}, "classes must be 1 to 10, got 0"),
        ({"classes": 11}, "classes must be 1 to 10, got 11"),
        ({"size": 32}, "the images of digits have a fixed size: size must be None, got 32"),
        ({"split_seed": -1}, "the seed of a split must be at least 0, got -1"),
    ],
)
def test_wrong_input(options, message):
    with pytest.raises(ValueError, match=message):
        load(**{"name": "digits", **options})
