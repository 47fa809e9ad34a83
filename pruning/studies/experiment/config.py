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
    """Run a published experiment on pruning image classifiers, and judge the paper's claims by it.

    A recipe has the paper's settings; --small changes them so that two cores need minutes, and the options
    below change single ones. It prints all of them, then the tables, the paper's numbers beside ours, and
    what became of each claim. Writes report.txt, table.csv, points.csv (every network), results.json and
    figure.png. The same command again continues it, also with more arms, seeds or cycles.
    """

    recipe: Annotated[str, tyro.conf.Positional] = ""
    """PAPER/EXPERIMENT, as dropnet/a-mnist; --list shows all."""
    list: bool = False
    """Print the recipes and do nothing."""
    small: bool = False
    """The recipe's own settings for small machines."""
    data: Path | None = None
    """Folder of the data sets in their official formats; by default the variable BTTT_DATA. Without either
    the data are scikit-learn's digits, whatever the recipe says."""
    data_set: str | None = None
    """Another data set: digits, mnist, fashion-mnist, cifar10, cifar100, tiny-imagenet, or folder."""
    download: bool = False
    """Fetch the data set into the folder where it is not there."""
    model: str | None = None
    """Another network, as resnet20 or dropnet-a:40-40."""
    width: float | None = None
    """Factor of the network's width."""
    subset: int | None = None
    """Training images taken, of all classes alike, and test images at most; of bilevel recipes training and
    validation samples together."""
    classes: int | None = None
    """Classes taken, the first ones."""
    size: int | None = None
    """Rows and columns of the images of the data set folder, which are scaled and cropped; 64 by default."""
    arms: tuple[str, ...] | None = None
    """Arms to run, by name."""
    seeds: int | None = None
    """Runs of each arm, with the seeds 0, 1, ..."""
    cycles: int | None = None
    """Most pruning cycles after the dense network."""
    epochs: int | None = None
    """Epochs of a training, with early stopping the most; of bilevel recipes the samples that a method may
    spend for each training sample."""
    batch: int | None = None
    """Images of a step."""
    precision: Literal["float32", "bfloat16"] | None = None
    """Of the layers' products."""
    device: str = DEVICE
    """Where networks are trained: cpu, cuda, cuda:1, ..."""
    workers: int = 1
    """Processes, each with runs of its own."""
    out: Path | None = None
    """Folder of the experiment; by default runs/vision-<recipe>-<hash of the settings>."""
    report: bool = False
    """Run nothing: write the report of what is finished."""
    verdicts: Path | None = None
    """Run nothing: print what became of all claims, of the experiments whose folders are in this one."""


def chosen_data(config: VisionConfig, data: str) -> str:
    """Returns the data set that is taken instead of a recipe's, or that one."""
    from pruning.data import VARIABLE, is_there

    if config.data_set is not None:
        return config.data_set
    named = config.data is not None or os.environ.get(VARIABLE) or config.download
    return data if named or is_there(data, None) else FALLBACK
