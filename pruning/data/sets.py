"""The known data sets: the folders of their files, their readers, and their download addresses."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pruning.data.batches import read_cifar10, read_cifar100
from pruning.data.downloads import Download, fetch
from pruning.data.folders import read_image_folder, read_tiny_imagenet
from pruning.data.idx import read_idx_set
from pruning.data.source import ImagePart, Source
from pruning.data.splits import stratified
from pruning.reading import read_bytes
from pruning.words import nearest

VARIABLE = "BTTT_DATA"
"""The environment variable that names the data folder."""
DIGITS = tuple("0123456789")
CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
IDX_FILES = tuple(
    f"{part}-{name}-ubyte" for part in ("train", "t10k") for name in ("images-idx3", "labels-idx1")
)
FOLDER_SIZE = 64
"""Default height and width, in pixels, of images from a folder of the user."""


@dataclass(frozen=True)
class Kind:
    """A known data set.

    Args:
        read: Function from the folder, the seed of the splits and the size of images to the data set.
        folders: Patterns of folders below the data folder, the official one first; empty if it needs no
            files.
        files: Names of the files in such a folder; each can also be compressed (.gz).
        download: Where the set is published; None if it cannot be downloaded.
        sized: Whether the size of the images can be chosen.
    """

    read: Callable[[Path, int, int], Source]
    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    download: Download | None = None
    sized: bool = False


def read_digits(seed: int) -> Source:
    """Returns scikit-learn's 1,797 digits of 8 x 8 pixels; a stratified 20% is the test split.

    There is no official test split.

    Args:
        seed: Seed of the test split.
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    # 17 grey levels, 0 to 16, as bytes
    images = np.rint(found.images * (255 / 16)).astype(np.uint8)[:, None]
    test = stratified(found.target, round(0.2 * len(images)), seed)
    train = np.delete(np.arange(len(images)), test)
    return Source(DIGITS, *(ImagePart.of(images[chosen], found.target[chosen]) for chosen in (train, test)))


def _idx(address: str, folder: str, digests: tuple[str, str, str, str]) -> Download:
    pairs = zip(IDX_FILES, digests, strict=True)
    return Download({f"{address}/{name}.gz": f"md5:{digest}" for name, digest in pairs}, folder)


SETS: dict[str, Kind] = {
    "digits": Kind(lambda _, seed, __: read_digits(seed)),
    "mnist": Kind(
        lambda folder, *_: read_idx_set(folder, DIGITS),
        ("MNIST/raw", "mnist/raw", "mnist", "."),
        IDX_FILES,
        _idx(
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "MNIST/raw",
            (
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "d53e105ee54ea40749a09fcbcd1e9432",
                "9fb629c4189551a2d022fa330f9573f3",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
        ),
    ),
    "fashion-mnist": Kind(
        lambda folder, *_: read_idx_set(folder, CLOTHES),
        ("FashionMNIST/raw", "fashion-mnist/raw", "fashion-mnist", "."),
        IDX_FILES,
        _idx(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            "FashionMNIST/raw",
            (
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "25c81989df183df01b3e8a0aad5dffbe",
                "bef4ecab320f06d8554ea6380940ec79",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
        ),
    ),
    "cifar10": Kind(
        lambda folder, *_: read_cifar10(folder),
        ("cifar-10-batches-py", "."),
        ("batches.meta", *(f"data_batch_{number}" for number in range(1, 6)), "test_batch"),
        Download(
            {
                "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz": (
                    "md5:c58f30108f718f92721af3b95e74349a"
                )
            },
            "cifar-10-batches-py",
            archive=True,
        ),
    ),
    "cifar100": Kind(
        lambda folder, *_: read_cifar100(folder),
        ("cifar-100-python", "."),
        ("meta", "train", "test"),
        Download(
            {
                "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz": (
                    "md5:eb9058c3a382ffc7106e4002c42a8d85"
                )
            },
            "cifar-100-python",
            archive=True,
        ),
    ),
    "tiny-imagenet": Kind(
        lambda folder, *_: read_tiny_imagenet(folder),
        ("tiny-imagenet-200", "tiny-imagenet-*", "."),
        ("wnids.txt", "train", "val"),
        Download(
            {"http://cs231n.stanford.edu/tiny-imagenet-200.zip": "md5:90528d7ca1a48142e341f4ef8d21d0de"},
            "tiny-imagenet-200",
            archive=True,
        ),
    ),
    "folder": Kind(
        lambda folder, _, size: read_image_folder(folder, size), (".",), ("train", "val"), sized=True
    ),
}
"""The data sets by name; "folder" is any folder of images laid out like ImageNet."""


def read_set(name: str, folder: Path | None, *, seed: int, size: int | None, download: bool) -> Source:
    """Returns a data set from its files.

    Args:
        name: A name in `SETS`.
        folder: The data folder; None for the folder that `BTTT_DATA` names, or else the user's cache.
        seed: Seed of the test split, if there is no official one.
        size: Height and width of images, if they can be chosen; None for 64.
        download: Whether to download missing files.

    Raises:
        ValueError: The set is unknown; its files are missing, corrupt, or belong to another set; or a size is
            given but fixed.
    """
    if name not in SETS:
        raise ValueError(f"no data set {name!r}{nearest(name, SETS)}; the data sets are {', '.join(SETS)}")
    kind = SETS[name]
    if size is not None and not kind.sized:
        raise ValueError(f"the images of {name} have a fixed size: size must be None, got {size}")
    place = _place(name, kind, data_folder(folder), download) if kind.folders else Path()
    return kind.read(place, seed, FOLDER_SIZE if size is None else size)


def data_folder(folder: Path | None) -> Path:
    """Returns the given folder, or the folder that `BTTT_DATA` names, or a folder in the user's cache."""
    if folder is not None:
        return Path(folder)
    if named := os.environ.get(VARIABLE):
        return Path(named)
    import pooch

    return Path(pooch.os_cache("brick-tic-tac-toe"))


def is_there(name: str, folder: Path | None) -> bool:
    """Returns whether a data set of `SETS` is in the data folder, or needs no files."""
    kind = SETS[name]
    places = _candidates(kind, data_folder(folder)) if kind.folders else ()
    return not kind.folders or any(not _missing(place, kind) for place in places)


def _place(name: str, kind: Kind, root: Path, download: bool) -> Path:
    candidates = list(_candidates(kind, root))
    found = min(candidates, key=lambda place: len(_missing(place, kind)))
    if not (missing := _missing(found, kind)):
        _refuse_others(name, found)
        return found
    if download and kind.download:
        return fetch(kind.download, root)
    raise ValueError(f"no {name}: {found / missing[0]} is missing; {_advice(kind)}")


def _candidates(kind: Kind, root: Path) -> Iterator[Path]:
    """Yields the folders that may hold a set, first the official one, even if it does not exist."""
    yield root / kind.folders[0]
    for pattern in kind.folders[1:]:
        # glob cannot look up the pattern "."
        yield from [root] if pattern == "." else filter(Path.is_dir, sorted(root.glob(pattern)))


def _missing(folder: Path, kind: Kind) -> list[str]:
    return [name for name in kind.files if not any(_either(folder, name))]


def _either(folder: Path, name: str) -> Iterator[Path]:
    return (path for path in (folder / f"{name}.gz", folder / name) if path.exists())


def _advice(kind: Kind) -> str:
    if kind.download is None:
        return f"give the folder that has {' and '.join(kind.files)} by --data or {VARIABLE}"
    addresses = list(kind.download.files)
    where = addresses[0] if kind.download.archive else f"{addresses[0].rpartition('/')[0]}/"
    return f"give a data folder by --data or {VARIABLE}, add --download, or get it from {where}"


def _refuse_others(name: str, folder: Path) -> None:
    """Refuses another set's files with the same names: MNIST and Fashion-MNIST share their file names."""
    # the smallest file identifies the set
    labels = folder / f"{IDX_FILES[3]}.gz"
    if not labels.is_file():
        return
    found = "md5:" + hashlib.md5(read_bytes(labels), usedforsecurity=False).hexdigest()
    for other, kind in SETS.items():
        if other != name and kind.download and kind.download.names.get(labels.name) == found:
            raise ValueError(f"{labels} belongs to {other}, expected the one of {name}")
