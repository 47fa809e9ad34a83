"""Folders of images: listed by class, decoded when asked for, refused with one line when they are broken."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_data import tiny_colour, write_image, write_image_folder, write_tiny_imagenet

from pruning.data.folders import read_image_folder, read_tiny_imagenet

TINY = "tiny-imagenet-200"


def colours(part):
    """The colour of each image, int [N, 3]; JPEG keeps it within a few levels."""
    images = part.images(np.arange(len(part.labels)))
    assert (images.dtype, images.is_contiguous()) == (torch.uint8, True)
    means = images.float().mean((2, 3))
    assert (images - means[:, :, None, None]).abs().max() < 5
    return means.round().int().numpy()


def test_tiny_imagenet_is_read_in_the_order_of_its_sorted_classes(tmp_path):
    write_tiny_imagenet(tmp_path)
    source = read_tiny_imagenet(tmp_path / TINY)
    assert source.classes == ("n01", "n02", "n03")
    assert source.train.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    expected = [tiny_colour(name, number) for name in source.classes for number in range(4)]
    np.testing.assert_allclose(colours(source.train), expected, atol=5)
    # in the order of the annotations, whose first class is n02
    assert source.test.labels.tolist() == [1, 1, 0, 0, 2, 2]
    expected = [tiny_colour(name, 10 + number) for name in ("n02", "n01", "n03") for number in range(2)]
    np.testing.assert_allclose(colours(source.test), expected, atol=5)


def test_only_the_chosen_images_are_decoded_and_in_their_order(tmp_path):
    write_tiny_imagenet(tmp_path)
    source = read_tiny_imagenet(tmp_path / TINY)
    everything = source.train.images(np.arange(12))
    (tmp_path / TINY / "train/n01/images/n01_0.JPEG").write_bytes(b"broken")
    chosen = np.array([7, 1, 1, 11])
    assert torch.equal(source.train.images(chosen), everything[chosen])
    assert source.train.images(chosen[:0]).shape == (0, 3, 64, 64)


def test_grey_images_come_in_three_channels(tmp_path):
    write_tiny_imagenet(tmp_path)
    write_image(tmp_path / TINY / "train/n01/images/n01_0.JPEG", 90, (64, 64), mode="L")
    source = read_tiny_imagenet(tmp_path / TINY)
    assert source.train.images(np.array([0])).unique().tolist() == [90]


def test_a_copy_with_fewer_classes_may_keep_the_annotations(tmp_path):
    write_tiny_imagenet(tmp_path)
    (tmp_path / TINY / "wnids.txt").write_text("n03\n\nn01\n \n")
    source = read_tiny_imagenet(tmp_path / TINY)
    assert source.classes == ("n01", "n03")
    assert source.test.labels.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("wnids.txt", b"", "is empty, expected the names of the classes"),
        ("wnids.txt", b"\xff\xfe", "cannot be read, expected a text file"),
        ("wnids.txt", None, "cannot be read, expected a text file"),
        ("val/val_annotations.txt", None, "cannot be read, expected a text file"),
        ("val/val_annotations.txt", b"val_0.JPEG n01\n", "is corrupt: expected file name, tab, class, found"),
        ("val/val_annotations.txt", b"../../val_0.JPEG\tn01\n", "is corrupt: expected file name, tab, class"),
        ("val/val_annotations.txt", b"val_0.JPEG\tn07\n", "names no image, expected some of the 3 classes"),
        ("train/n01/images/n01_2.JPEG", b"", "cannot be read, expected an image: cannot identify"),
        ("train/n01/images/n01_2.JPEG", b"\xff\xd8\xff", "cannot be read, expected an image: "),
        ("val/images/val_3.JPEG", None, "cannot be read, expected an image: "),
    ],
)
def test_a_broken_file_is_named_with_what_was_expected(tmp_path, path, content, message):
    write_tiny_imagenet(tmp_path)
    broken = tmp_path / TINY / path
    broken.unlink() if content is None else broken.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        source = read_tiny_imagenet(tmp_path / TINY)
        for part in (source.train, source.test):
            part.images(np.arange(len(part.labels)))
    assert str(error.value).startswith(f"{broken} ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", [".JPEG", ".png", ".webp", ".bmp"])
def test_a_truncated_image_is_never_read(tmp_path, suffix):
    write_tiny_imagenet(tmp_path)
    path = tmp_path / TINY / "train/n01/images" / f"n01_9{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    for length in (1, 20, 200, len(content) // 2, len(content) * 9 // 10):
        path.write_bytes(content[:length])
        source = read_tiny_imagenet(tmp_path / TINY)
        with pytest.raises(ValueError, match=f"^{path} cannot be read, expected an image: "):
            source.train.images(np.array([4]))


def test_an_image_of_another_size(tmp_path):
    write_tiny_imagenet(tmp_path)
    path = tmp_path / TINY / "train/n01/images/n01_1.JPEG"
    write_image(path, (1, 2, 3), (64, 48))
    with pytest.raises(ValueError, match=rf"^{path} is 64 x 48 pixels, expected 64 x 64$"):
        read_tiny_imagenet(tmp_path / TINY).train.images(np.array([1]))


def test_an_image_folder_has_a_class_a_folder(tmp_path):
    write_image_folder(tmp_path)
    (tmp_path / "train" / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "train" / ".cache").mkdir()
    source = read_image_folder(tmp_path, 8)
    assert source.classes == ("cat", "dog")
    for part in (source.train, source.test):
        assert part.labels.tolist() == [0, 0, 0, 1, 1, 1]
        assert colours(part).tolist() == [[200, 0, 0]] * 3 + [[0, 0, 200]] * 3


@pytest.mark.parametrize(("width", "height"), [(200, 100), (100, 200), (100, 100), (20, 10), (4000, 2000)])
def test_images_lose_both_ends_of_the_longer_side_alike(tmp_path, width, height):
    write_image_folder(tmp_path, "jpg")
    ramp = np.linspace(0, 255, max(width, height)).astype(np.uint8)
    pixels = np.broadcast_to(ramp if width > height else ramp[:, None], (height, width))
    Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / "train/cat/0.jpg", quality=95)
    image = read_image_folder(tmp_path, 16).train.images(np.array([0]))[0, 0].float()
    line = image.mean(0) if width > height else image.mean(1)
    kept = 1 / 2 if width != height else 1
    centres = 127.5 + 255 * kept * ((np.arange(16) + 0.5) / 16 - 0.5)
    np.testing.assert_allclose(line, centres, atol=8 if width < 100 else 3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_images_of_all_modes_are_brought_to_rgb(tmp_path, mode):
    write_image_folder(tmp_path)
    suffix = "jpg" if mode == "CMYK" else "png"
    white = Image.new("RGB", (20, 30), (255, 255, 255)).convert(mode)
    white.save(tmp_path / "train" / "dog" / f"white.{suffix}")
    images = read_image_folder(tmp_path, 8).train.images(np.array([6]))
    assert images.shape == (1, 3, 8, 8)
    assert images.unique().tolist() == [255]


def test_wrong_folders(tmp_path):
    with pytest.raises(
        ValueError, match=r"train is missing: expected a folder with one folder for each class"
    ):
        read_image_folder(tmp_path, 8)
    write_image_folder(tmp_path)
    with pytest.raises(ValueError, match=r"size of images must be at least 1, got 0"):
        read_image_folder(tmp_path, 0)
    (tmp_path / "val" / "fox").mkdir()
    with pytest.raises(ValueError, match=r"val/fox is not a class: expected the folders of .*train"):
        read_image_folder(tmp_path, 8)
    (tmp_path / "train" / "fox").mkdir()
    with pytest.raises(ValueError, match=r"train/fox has no images, expected files with .bmp, .jpeg"):
        read_image_folder(tmp_path, 8)


def decoded(path, image, **options):
    """The pixels [H, W, 3] that a folder of images gives for one image, saved as it is."""
    for split in ("train", "val"):
        (path / split / "one").mkdir(parents=True, exist_ok=True)
        image.save(path / split / "one" / "image.png", **options)
    size = image.height
    return read_image_folder(path, size).train.images(np.array([0]))[0].permute(1, 2, 0).numpy()


def grey16(values, mode="I;16"):
    return Image.fromarray(np.array(values, np.uint16 if mode == "I;16" else np.int32))


def palette(transparent=None):
    image = Image.new("P", (2, 2))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1, 1, 0])
    if transparent is not None:
        image.info["transparency"] = transparent
    return image


def with_data(mode, *pixels):
    image = Image.new(mode, (2, 2))
    image.putdata([pixels[0], pixels[1], pixels[1], pixels[0]])
    return image


FIRST, SECOND = (10, 20, 30), (200, 100, 50)


@pytest.mark.parametrize(
    ("image", "format", "pixels"),
    [
        (grey16([[30_000, 65_535], [0, 128]]), "PNG", [[[117] * 3, [255] * 3], [[0] * 3, [0] * 3]]),
        (grey16([[129, 385], [386, 32_768]]), "PNG", [[[1] * 3, [1] * 3], [[2] * 3, [128] * 3]]),
        (grey16([[30_000, 65_535], [0, 129]], "I"), "TIFF", [[[117] * 3, [255] * 3], [[0] * 3, [1] * 3]]),
        (with_data("1", 0, 1), "PNG", [[[0] * 3, [255] * 3], [[255] * 3, [0] * 3]]),
        (with_data("L", 7, 201), "PNG", [[[7] * 3, [201] * 3], [[201] * 3, [7] * 3]]),
        (with_data("LA", (7, 0), (201, 255)), "PNG", [[[7] * 3, [201] * 3], [[201] * 3, [7] * 3]]),
        (palette(), "PNG", [[FIRST, SECOND], [SECOND, FIRST]]),
        (palette(transparent=0), "PNG", [[FIRST, SECOND], [SECOND, FIRST]]),
        (palette(transparent=b"\x00\x80"), "PNG", [[FIRST, SECOND], [SECOND, FIRST]]),
        (with_data("RGB", FIRST, SECOND), "PNG", [[FIRST, SECOND], [SECOND, FIRST]]),
        (with_data("RGBA", (*FIRST, 0), (*SECOND, 128)), "PNG", [[FIRST, SECOND], [SECOND, FIRST]]),
        (with_data("CMYK", (0, 255, 255, 0), (255, 0, 0, 0)), "TIFF", [[(255, 0, 0), (0, 255, 255)]] * 1),
        (with_data("CMYK", (0, 0, 0, 255), (0, 0, 0, 55)), "TIFF", [[(0, 0, 0), (200, 200, 200)]]),
        (with_data("YCbCr", (90, 128, 128), (200, 128, 128)), "TIFF", [[[90] * 3, [200] * 3]]),
    ],
)
def test_every_mode_has_the_pixels_that_a_hand_computes(tmp_path, image, format, pixels):
    found = decoded(tmp_path, image, format=format)
    np.testing.assert_array_equal(found[: len(pixels)], pixels)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Image.fromarray(np.full((2, 2), 70_000, np.int32)), "its pixels of 32 bits exceed 65,535"),
        (Image.fromarray(np.full((2, 2), 0.5, np.float32)), "its pixels are floats, expected 8 or 16 bits"),
    ],
)
def test_pixels_without_a_known_white_are_refused(tmp_path, image, message):
    with pytest.raises(ValueError, match=f"image.png cannot be read, expected an image: {message}"):
        decoded(tmp_path, image, format="TIFF")


@pytest.mark.parametrize(("kind", "bands"), [(2, 3), (6, 4)])
def test_colours_of_sixteen_bits_are_their_high_bytes(tmp_path, kind, bands):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    row = struct.pack(f">{bands}H", *(60_000, 255, 65_535, 7)[:bands])
    head, body = struct.pack(">IIBBBBB", 1, 1, 16, kind, 0, 0, 0), zlib.compress(b"\0" + row)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    for split in ("train", "val"):
        (tmp_path / split / "one").mkdir(parents=True)
        (tmp_path / split / "one" / "image.png").write_bytes(file)
    found = read_image_folder(tmp_path, 1).train.images(np.array([0]))
    assert found.flatten().tolist() == [234, 0, 255]


def test_an_animation_gives_its_first_frame_and_a_rotated_photograph_stands_upright(tmp_path):
    frames = [Image.new("RGB", (2, 2), colour) for colour in (FIRST, SECOND)]
    found = decoded(tmp_path / "a", frames[0], save_all=True, append_images=frames[1:], format="PNG")
    assert (found == FIRST).all()
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the left column is the top row
    image = with_data("RGB", FIRST, SECOND)
    image.putpixel((0, 0), (1, 2, 3))
    found = decoded(tmp_path / "b", image, exif=exif, format="PNG")
    np.testing.assert_array_equal(found, [[SECOND, (1, 2, 3)], [FIRST, SECOND]])


def test_a_huge_image_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr("pruning.data.folders.MOST_PIXELS", 3)
    with pytest.raises(ValueError, match="2 x 2 pixels are more than 3"):
        decoded(tmp_path, palette(), format="PNG")
