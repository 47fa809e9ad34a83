"""Folders of image files: Tiny ImageNet as published, and folders laid out like ImageNet.

Images come in RGB with 8 bits, upright (an EXIF rotation is applied), in the colours that the file stores
below any transparency; of an animation the first frame. Grey images of 16 bits are scaled.
Files are listed at once and decoded on demand, in about 0.12 ms for an image of Tiny ImageNet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pruning.data.source import ImagePart, Source
from pruning.reading import read_bytes

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
TINY_SIZE = 64
"""Height and width of Tiny ImageNet's images, in pixels."""

MOST_PIXELS = 2**26
"""Pixels of an image at most, after the scaling of the decoder: 200 MB when decoded."""
MOST_GREY = 2**16 - 1
"""White in grey images of 16 bits."""
Decoder = Callable[[Path], np.ndarray]


def read_tiny_imagenet(folder: Path) -> Source:
    """Returns Tiny ImageNet with the classes in `wnids.txt`; its validation images are the test split.

    The labels of the official test images are not public.

    Raises:
        ValueError: A file or folder is missing or corrupt.
    """
    classes = tuple(sorted({line.strip() for line in _lines(folder / "wnids.txt")}))
    if not classes:
        raise ValueError(f"{folder / 'wnids.txt'} is empty, expected the names of the classes")
    train = [(path, name) for name in classes for path in _images(folder / "train" / name / "images")]
    annotations = folder / "val" / "val_annotations.txt"
    pairs = [_annotation(annotations, line) for line in _lines(annotations)]
    # a copy with fewer classes may still have the full list
    known = set(classes)
    test = [(folder / "val" / "images" / file, name) for file, name in pairs if name in known]
    if not test:
        raise ValueError(f"{annotations} names no image, expected some of the {len(classes)} classes")
    return Source(classes, *(_part(files, classes, TINY_SIZE, _decode_tiny) for files in (train, test)))


def read_image_folder(folder: Path, size: int) -> Source:
    """Returns the RGB images of `train/<class>` as training split and of `val/<class>` as test split.

    Args:
        folder: Folder with `train` and `val`; the folders in `train` name the classes.
        size: Height and width of the resulting images, in pixels. The shorter side is scaled to this size,
            and the longer side is cropped equally at both ends.

    Raises:
        ValueError: A folder is missing or has no images, `val` has a class that `train` lacks, or the size is
            below 1.
    """
    if size < 1:
        raise ValueError(f"the size of images must be at least 1, got {size}")
    classes, held = (_folders(folder / name) for name in ("train", "val"))
    if unknown := sorted(set(held) - set(classes)):
        raise ValueError(
            f"{folder / 'val' / unknown[0]} is not a class: expected the folders of {folder / 'train'}"
        )
    parts = (
        _part(
            [(path, name) for name in names for path in _images(folder / split / name)],
            classes,
            size,
            partial(_decode, size=size),
        )
        for split, names in (("train", classes), ("val", held))
    )
    return Source(classes, *parts)


def _part(files: Sequence[tuple[Path, str]], classes: Sequence[str], size: int, decode: Decoder) -> ImagePart:
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbers[name] for _, name in files], dtype=np.int64)

    def images(chosen: np.ndarray) -> Tensor:
        found = np.empty((len(chosen), 3, size, size), np.uint8)
        for place, position in enumerate(chosen):
            found[place] = decode(files[position][0]).transpose(2, 0, 1)
        return torch.from_numpy(found)

    return ImagePart(labels, images)


def _decode_tiny(path: Path) -> np.ndarray:
    """Returns an image of Tiny ImageNet, uint8 `[64, 64, 3]`."""
    found = _decode(path)
    if found.shape[:2] != (TINY_SIZE, TINY_SIZE):
        height, width = found.shape[:2]
        raise ValueError(f"{path} is {width} x {height} pixels, expected {TINY_SIZE} x {TINY_SIZE}")
    return found


def _decode(path: Path, size: int | None = None) -> np.ndarray:
    """Returns an image, uint8 `[H, W, 3]`; with a size, scaled and cropped to that height and width."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            if size is not None:
                # faster for large photographs: the JPEG decoder can scale down by up to 8, to twice the size
                image.draft("RGB", (2 * size, 2 * size))
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels are more than {MOST_PIXELS:,}")
            found = _as_rgb(ImageOps.exif_transpose(image))
        if size is not None:
            found = ImageOps.fit(found, (size, size), Image.Resampling.BICUBIC)
        return np.asarray(found)
    # a corrupt image can raise almost any error, which depends on its format
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path} cannot be read, expected an image: {reason}") from error


def _as_rgb(image: Image.Image) -> Image.Image:
    """Returns an image with three channels of 8 bits.

    Sixteen-bit grey is scaled, 65,535 to 255, and rounded. Of sixteen-bit colours Pillow keeps the high
    byte, which differs from that by at most 1: 60,000 is 234, not 233. Transparency is dropped, as
    torchvision's loader does: a pixel has the colour that the file stores for it.
    Of an animation the first frame is taken.

    Raises:
        ValueError: It has 32 bits a channel: there is no standard of what is white.
    """
    from PIL import Image

    if image.mode == "I" or image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.int64)
        if grey.min() < 0 or grey.max() > MOST_GREY:
            raise ValueError(f"its pixels of 32 bits exceed {MOST_GREY:,}")
        return Image.fromarray(((grey * 255 + MOST_GREY // 2) // MOST_GREY).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ValueError("its pixels are floats, expected 8 or 16 bits")
    return image.convert("RGB")


def _images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"{folder} is missing: expected a folder of images")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise ValueError(f"{folder} has no images, expected files with {', '.join(SUFFIXES)}")
    return found


def _folders(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise ValueError(f"{folder} is missing: expected a folder with one folder for each class")
    found = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    if not found:
        raise ValueError(f"{folder} has no folders, expected one for each class")
    return tuple(found)


def _annotation(path: Path, line: str) -> tuple[str, str]:
    """Returns file name and class from a line; the bounding box after them is not used."""
    file, *rest = line.split("\t")
    if not rest or Path(file).name != file:
        raise ValueError(f"{path} is corrupt: expected file name, tab, class, found {line[:40]!r}")
    return file, rest[0].strip()


def _lines(path: Path) -> list[str]:
    """Returns the non-blank lines of a text file."""
    try:
        lines = read_bytes(path).decode().splitlines()
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read, expected a text file: {error}") from error
    return [line for line in lines if line.strip()]
