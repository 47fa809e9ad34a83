"""Vision experiments that take moments: random images that are no files, and recipes on a part of digits."""

import torch

from pruning.data.loading import DataSet, ImageSplit
from pruning.studies.experiment.config import VisionConfig
from pruning.studies.published.catalogue import conduct_recipe
from pruning.studies.vision.points import Point

TINY = {"data_set": "digits", "subset": 200, "width": 0.1, "seeds": 1, "cycles": 1, "epochs": 1}
"""Settings of a run of moments."""


def images(number, shape=(1, 6, 6), classes=3, seed=0):
    """A split of random images whose brightness tells their class."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randperm(number, generator=generator) % classes
    noise = torch.randint(0, 150, (number, *shape), generator=generator)
    return ImageSplit((noise + 50 * labels.view(-1, 1, 1, 1)).to(torch.uint8), labels)


def data_set(train=70, *, shape=(1, 6, 6), seed=0, test_seed=2):
    """A data set of three classes, with 30 validation and 40 test images."""
    return DataSet(
        "random",
        ("a", "b", "c"),
        images(train, shape, seed=seed),
        images(30, shape, seed=seed + 1),
        images(40, shape, seed=test_seed),
        (0.4,) * shape[0],
        (0.2,) * shape[0],
    )


def conducted(recipe, folder, **options):
    """The folder of an experiment after it has run here."""
    return conduct_recipe(VisionConfig(recipe=recipe, out=folder, **{**TINY, **options}))


def points(arm, accuracies, densities, *, seeds=3, part=0, metrics=None, noise=0.001):
    """Points of a variant, by cycle, each seed a little better than the one before."""
    return [
        Point(arm, seed, part, cycle, density, accuracy + noise * seed, dict(metrics or {}))
        for seed in range(seeds)
        for cycle, (density, accuracy) in enumerate(zip(densities, accuracies, strict=True))
    ]
