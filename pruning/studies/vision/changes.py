"""What the options of `bttt vision` change in a recipe."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pruning.studies.experiment import FALLBACK, VisionConfig, chosen_data

if TYPE_CHECKING:
    from pruning.studies.vision.experiment import Recipe


OF_TRAINING = ("epochs", "batch", "precision")
"""Options that are the training's."""


OF_RECIPE = ("model", "width", "subset", "classes", "size", "cycles", "seeds", "arms")


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
