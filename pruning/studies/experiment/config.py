"""The options of `bttt vision`; each names the field of a recipe that it sets, for each kind of recipe."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Literal

import tyro

CLASSIFIER, BILEVEL = "classifier", "bilevel"
"""The kinds of recipes: for pruned image classifiers, and for bilevel methods."""
DEVICE = "cpu"
DIGITS = "digits"
"""The data set that comes with scikit-learn."""


SETS = "sets"
"""Key of a field's metadata: kind of recipe -> the field that the option sets there."""


def _sets(**fields: str) -> dict[str, dict[str, str]]:
    """Returns the metadata of an option that changes a recipe.

    Args:
        fields: Kind of recipe -> the field that the option sets there, for example "width" or
            "training.batch". Recipes of other kinds have no such option.
    """
    return {SETS: fields}


@dataclass(frozen=True)
class VisionConfig:
    """Run published pruning experiments on image classifiers, and test the papers' claims.

    A recipe has the settings of the paper. --small scales it down to minutes on two cores; the other options
    change single settings. Prints the settings, the tables, the paper's numbers next to ours, and the verdict
    on each claim. Writes report.txt, table.csv, points.csv (every network), results.json and figure.png.
    Rerun the command to resume, also with more variants, seeds or cycles.
    """

    recipe: Annotated[str, tyro.conf.Positional] = ""
    """Recipe, PAPER/EXPERIMENT, for example dropnet/a-mnist. A recipe of your own: python:module:name.
    Default: list all recipes."""
    list: bool = False
    """Print the recipes and exit."""
    small: bool = False
    """Scale the experiment down: use the recipe's settings for small machines."""
    data: Path | None = None
    """Folder of the data sets in their official formats. Default: the environment variable BTTT_DATA; without
    either, scikit-learn's digits replace the recipe's data set."""
    data_set: str | None = None
    """Data set: digits, mnist, fashion-mnist, cifar10, cifar100, tiny-imagenet or folder. Default: as in the
    recipe."""
    download: bool = False
    """Download the data set if the folder does not hold it."""
    model: str | None = field(default=None, metadata=_sets(classifier="model"))
    """Network, for example resnet20 or dropnet-a:40-40. Default: as in the recipe."""
    width: float | None = field(default=None, metadata=_sets(classifier="width"))
    """Factor on the width of the network. Default: as in the recipe."""
    subset: int | None = field(default=None, metadata=_sets(classifier="subset", bilevel="samples"))
    """Training images to use, balanced over the classes, and at most as many test images; in bilevel recipes,
    training and validation samples together. Default: as in the recipe."""
    classes: int | None = field(default=None, metadata=_sets(classifier="classes"))
    """Number of classes to use, the first ones. Default: as in the recipe."""
    size: int | None = field(default=None, metadata=_sets(classifier="size"))
    """Rows and columns to which the images of the data set folder are scaled and cropped. Default: 64."""
    arms: tuple[str, ...] | None = field(default=None, metadata=_sets(classifier="arms", bilevel="arms"))
    """Variants to run, by name. Default: as in the recipe."""
    seeds: int | None = field(default=None, metadata=_sets(classifier="seeds", bilevel="seeds"))
    """Runs per variant, with seeds 0, 1, ... Default: as in the recipe."""
    cycles: int | None = field(default=None, metadata=_sets(classifier="cycles"))
    """Maximum pruning cycles after the dense network. Default: as in the recipe."""
    epochs: int | None = field(default=None, metadata=_sets(classifier="training.epochs", bilevel="passes"))
    """Training epochs, at most with early stopping; in bilevel recipes, samples that a method may use per
    training sample. Default: as in the recipe."""
    batch: int | None = field(default=None, metadata=_sets(classifier="training.batch"))
    """Images per step. Default: as in the recipe."""
    precision: Literal["float32", "bfloat16"] | None = field(
        default=None, metadata=_sets(classifier="training.precision")
    )
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

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        names = [each.name for each in fields(self)]
        for only in ("verdicts", "list"):
            if getattr(self, only):
                return dict.fromkeys((name for name in names if name != only), f"with --{only}")
        found = {"workers": "with --report, which runs nothing"} if self.report else {}
        if self.data_set == DIGITS:
            found |= dict.fromkeys(("data", "download"), "with --data-set digits, which needs no files")
        if not self.recipe:
            found |= dict.fromkeys((name for name in names if name != "list"), "without a recipe")
        return found
