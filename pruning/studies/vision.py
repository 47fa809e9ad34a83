"""The command `bttt vision`: published experiments on pruning image classifiers, by name."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from bttt.exit_codes import OK

if TYPE_CHECKING:
    from pruning.studies.vision_experiment import Recipe

FALLBACK = "digits"
"""The data set that needs no folder."""
DEVICE = "cpu"
OF_TRAINING = ("epochs", "batch", "precision")
"""Options that are the training's."""
OF_RECIPE = ("model", "width", "subset", "classes", "size", "cycles", "seeds", "arms")


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


def run(config: VisionConfig) -> int:
    """Runs or continues an experiment, or lists the recipes, and returns 0.

    Raises:
        ValueError: An option is wrong, the data are not there or damaged, or the folder holds an experiment
            with other settings.
        OSError: The folder cannot be written, or a process has died; what was finished is kept.
    """
    if config.verdicts is not None:
        from pruning.studies.vision_verdicts import verdict_table

        print(verdict_table(config.verdicts))
        return OK
    from pruning.studies import bilevel_recipes, vision_recipes  # torch, which takes a second to load

    if config.list or not config.recipe:
        print(listing({**vision_recipes.RECIPES, **bilevel_recipes.RECIPES}))
        return OK
    if config.recipe in bilevel_recipes.RECIPES:
        from pruning.studies.bilevel_report import conduct as conduct_bilevel

        conduct_bilevel(config)
        return OK
    from pruning.studies.vision_report import conduct

    conduct(config)
    return OK


def listing(recipes: Any) -> str:
    """Returns the recipes with data, network, number of arms and the paper, a line each."""
    lines = [
        f"  {name:39}{recipe.data:15}{recipe.model:26}{len(recipe.arms):2} arms  "
        f"{recipe.paper.partition(' (')[0]}"
        for name, recipe in recipes.items()
    ]
    return "\n".join(["recipes of bttt vision: name, data, network, arms, paper", *lines])


def changes(config: VisionConfig, recipe: Recipe) -> dict[str, Any]:
    """Returns what a configuration changes in its recipe."""
    found: dict[str, Any] = dict(recipe.small) if config.small else {}
    given = {name: value for name, value in asdict(config).items() if value is not None}
    training = {name: given[name] for name in OF_TRAINING if name in given}
    found["training"] = {**found.get("training", {}), **training}
    found |= {name: given[name] for name in OF_RECIPE if name in given}
    if (data := chosen_data(config, recipe.data)) != recipe.data or config.data_set:
        found["data"] = data
    if found.get("data") == FALLBACK:  # whose images are fewer than the small subsets
        found["subset"] = config.subset
    return found


def chosen_data(config: VisionConfig, data: str) -> str:
    """Returns the data set that is taken instead of a recipe's, or that one."""
    from pruning.data_sets import VARIABLE, is_there

    if config.data_set is not None:
        return config.data_set
    named = config.data is not None or os.environ.get(VARIABLE) or config.download
    return data if named or is_there(data, None) else FALLBACK
