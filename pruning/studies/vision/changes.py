"""Applies the options of `bttt vision` to a recipe of image classifiers."""

from __future__ import annotations

from pruning.studies.experiment import CLASSIFIER, FALLBACK, VisionConfig, option_changes
from pruning.studies.vision.experiment import Recipe


def changed(recipe: Recipe, config: VisionConfig) -> Recipe:
    """Returns the recipe with the changes of a configuration; ValueError if an option is wrong."""
    found = option_changes(config, recipe, CLASSIFIER)
    if found.get("data") == FALLBACK:  # it has fewer images than the small subsets
        found["subset"] = config.subset
    return recipe.with_changes(found)
