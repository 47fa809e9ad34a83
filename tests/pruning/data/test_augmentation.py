"""Augmentations: held to loops over images and to SciPy's interpolation, and equal on every batch layout."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from pruning.data.augmentation import AUGMENTATIONS, affine, crop_flip


def batch(count=12, channels=3, height=10, width=14, seed=0):
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(seed))


def drawn(seed=5):
    return torch.Generator().manual_seed(seed)


def crops(image):
    """All 81 crops of an image that is padded with 4 zeros, and their mirror images: [162, C, H, W]."""
    _, height, width = image.shape
    padded = np.pad(image, ((0, 0), (4, 4), (4, 4)))
    found = [padded[:, y : y + height, x : x + width] for y in range(9) for x in range(9)]
    return np.stack(found + [each[:, :, ::-1] for each in found])


def test_crop_flip_returns_one_of_the_crops_and_every_one_of_them():
    image = batch(1)[0]
    found = crop_flip(image.expand(4000, -1, -1, -1), drawn()).numpy().reshape(4000, -1)
    places = {row.tobytes(): place for place, row in enumerate(crops(image.numpy()).reshape(162, -1))}
    counts = np.bincount([places[row.tobytes()] for row in found], minlength=162)
    # 24.7 of each on average, deviation 5
    assert counts.min() > 5
    assert counts.max() < 55


def test_crop_flip_treats_each_image_on_its_own():
    images = batch(30)
    for before, after in zip(images.numpy(), crop_flip(images, drawn()).numpy(), strict=True):
        assert (crops(before) == after).all((1, 2, 3)).any()


def affine_by_scipy(images, generator):
    """One image and one channel after another, in SciPy's coordinates: row before column, from the corner."""
    count, channels, height, width = images.shape
    angle, shear, right, down, wider, higher, mirror = (
        torch.rand(7, count, generator=generator) * 2 - 1
    ).numpy()
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    result = np.empty(images.shape, np.float32)
    for i in range(count):
        turn, lean = np.deg2rad(40 * angle[i]), np.deg2rad(0.2 * shear[i])
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        leaning = np.array([[1, -np.sin(lean)], [0, np.cos(lean)]])
        zoom = np.diag([1 + 0.2 * higher[i], (1 + 0.2 * wider[i]) * (-1 if mirror[i] < 0 else 1)])
        matrix = rotation @ leaning @ zoom
        moved = rotation @ np.array([0.2 * down[i] * height, 0.2 * right[i] * width])
        offset = centre + moved - matrix @ centre
        for channel in range(channels):
            result[i, channel] = ndimage.affine_transform(
                images[i, channel].numpy(), matrix, offset, order=1, mode="nearest"
            )
    return result


@pytest.mark.parametrize(("height", "width"), [(10, 14), (16, 16), (9, 7)])
def test_affine_is_what_scipy_computes(height, width):
    images = batch(40, height=height, width=width)
    found = affine(images, drawn()).numpy()
    np.testing.assert_allclose(found, affine_by_scipy(images, drawn()), atol=2e-5)
    assert np.abs(found - images.numpy()).max() > 0.1


def test_affine_keeps_an_image_of_one_colour():
    found = affine(torch.full((20, 3, 8, 8), 0.3), drawn())
    torch.testing.assert_close(found, torch.full((20, 3, 8, 8), 0.3))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_shape_type_and_range_stay(name):
    images = batch()
    before = images.clone()
    found = AUGMENTATIONS[name](images, drawn())
    assert (found.shape, found.dtype) == (images.shape, images.dtype)
    assert 0 <= found.min() <= found.max() <= 1
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_generator_decides_and_nothing_else(name):
    images = batch()
    state = torch.get_rng_state()
    found = AUGMENTATIONS[name](images, drawn())
    laid_out = images.to(memory_format=torch.channels_last)
    assert torch.equal(found, AUGMENTATIONS[name](laid_out, drawn()))
    assert torch.equal(found, AUGMENTATIONS[name](images, drawn(6))) == (name == "none")
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_places_do_not_depend_on_the_precision(name, dtype):
    images = batch().bfloat16()
    found = AUGMENTATIONS[name](images.to(dtype), drawn())
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), AUGMENTATIONS[name](images.float(), drawn()), atol=4e-3, rtol=0)


def test_none_draws_nothing():
    images, generator = batch(), drawn()
    before = generator.get_state()
    assert AUGMENTATIONS["none"](images, generator) is images
    assert torch.equal(before, generator.get_state())
