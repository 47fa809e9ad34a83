"""The settings of `bttt vision`, and what they change in a recipe."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    pass


FALLBACK = "digits"
"""The data set that needs no folder."""


DEVICE = "cpu"


@dataclass(frozen=True)
class VisionConfig:
    """Run published pruning experiments on image classifiers, and test the papers' claims.

    A recipe has the settings of the paper. --small scales it down to minutes on two cores; the other options
    change single settings. Prints the settings, the tables, the paper's numbers next to ours, and the verdict
    on each claim. Writes report.txt, table.csv, points.csv (every network), results.json and figure.png.
    Rerun the command to resume, also with more variants, seeds or cycles.
    """

    recipe: Annotated[str, tyro.conf.Positional] = ""
    """Recipe, PAPER/EXPERIMENT, for example dropnet/a-mnist. Default: list all recipes."""
    list: bool = False
    """Print the recipes and exit."""
    small: bool = False
    """Use the recipe's own settings for small machines."""
    data: Path | None = None
    """Folder of the data sets in their official formats. Default: the environment variable BTTT_DATA; without
    either, scikit-learn's digits replace the recipe's data set."""
    data_set: str | None = None
    """Data set: digits, mnist, fashion-mnist, cifar10, cifar100, tiny-imagenet or folder. Default: as in the
    recipe."""
    download: bool = False
    """Download the data set if the folder does not hold it."""
    model: str | None = None
    """Network, for example resnet20 or dropnet-a:40-40. Default: as in the recipe."""
    width: float | None = None
    """Factor on the width of the network. Default: as in the recipe."""
    subset: int | None = None
    """Training images to use, balanced over the classes, and at most as many test images; in bilevel recipes,
    training and validation samples together. Default: as in the recipe."""
    classes: int | None = None
    """Number of classes to use, the first ones. Default: as in the recipe."""
    size: int | None = None
    """Rows and columns to which the images of the data set folder are scaled and cropped. Default: 64."""
    arms: tuple[str, ...] | None = None
    """Variants to run, by name. Default: as in the recipe."""
    seeds: int | None = None
    """Runs per variant, with seeds 0, 1, ... Default: as in the recipe."""
    cycles: int | None = None
    """Maximum pruning cycles after the dense network. Default: as in the recipe."""
    epochs: int | None = None
    """Training epochs, at most with early stopping; in bilevel recipes, samples that a method may use per
    training sample. Default: as in the recipe."""
    batch: int | None = None
    """Images per step. Default: as in the recipe."""
    precision: Literal["float32", "bfloat16"] | None = None
    """Number format of the layers' products (autocast). Default: as in the recipe."""
    device: str = DEVICE
    """Device to train on: cpu, cuda, cuda:1, ..."""
    workers: int = 1
    """Worker processes, each with its own runs."""
    out: Path | None = None
    """Run folder. Default: runs/vision-<recipe>-<hash of the settings>."""
    report: bool = False
    """Run nothing; write the report of the finished runs."""
    verdicts: Path | None = None
    """Run nothing; print the verdict on each claim of the experiments in this folder. Default: run the
    recipe."""


def chosen_data(config: VisionConfig, data: str) -> str:
    """Returns the data set that is taken instead of a recipe's, or that one."""
    from pruning.data import VARIABLE, is_there

    if config.data_set is not None:
        return config.data_set
    named = config.data is not None or os.environ.get(VARIABLE) or config.download
    return data if named or is_there(data, None) else FALLBACK
