"""Applies the options of `bttt vision` to a recipe of image classifiers."""

from __future__ import annotations

from dataclasses import replace

from pruning.data import is_there, training_images
from pruning.studies.experiment import CLASSIFIER, FALLBACK, VisionConfig, option_changes
from pruning.studies.vision.experiment import Recipe


def changed(recipe: Recipe, config: VisionConfig) -> Recipe:
    """Returns the recipe with the changes of a configuration; ValueError if an option is wrong."""
    found = option_changes(config, recipe, CLASSIFIER)
    if found.get("data") == FALLBACK:  # it has fewer images than the small subsets
        found["subset"] = config.subset
    chosen = recipe.with_changes(found)
    if chosen.subset is None or config.subset is not None or not is_there(chosen.data, config.data):
        return chosen
    there = training_images(chosen.data, config.data, classes=chosen.classes, size=chosen.size)
    if there >= chosen.subset:
        return chosen
    asked = f"fewer than the {chosen.subset:,} that the recipe takes"
    print(f"subset: {chosen.data} has {there:,} training images, {asked}: all are used\n")
    return replace(chosen, subset=None)
