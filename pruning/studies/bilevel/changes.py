"""Applies the options of `bttt vision` to a bilevel recipe."""

from __future__ import annotations

from dataclasses import replace

from pruning.studies.bilevel.experiment import BilevelRecipe
from pruning.studies.bilevel.run import loaded
from pruning.studies.experiment import BILEVEL, DEVICE, VisionConfig, option_changes


def changed(recipe: BilevelRecipe, config: VisionConfig) -> BilevelRecipe:
    """Returns the recipe with the changes of a configuration; half of --subset are training samples.

    Raises:
        ValueError: An option is wrong or does not apply to these recipes, or the data are missing.
    """
    found = option_changes(config, recipe, BILEVEL)
    if config.device != DEVICE:
        raise ValueError(f"{config.recipe} runs only on the cpu, got device {config.device!r}")
    if (samples := found.pop("samples", None)) is not None:
        found |= {"train": samples // 2, "validation": samples - samples // 2}
    chosen = recipe.with_changes(found)
    if chosen.data == recipe.data or samples is not None:
        return chosen
    there = len(loaded(chosen.data, config.data, config.download).train)
    if chosen.train + chosen.validation <= there:
        return chosen
    return replace(chosen, train=there // 2, validation=there - there // 2)
