"""The command `bttt vision`: published experiments on pruning image classifiers, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bttt.command_line import suggest
from bttt.runs import OK
from pruning.studies.experiment import VisionConfig

if TYPE_CHECKING:
    from pruning.studies.experiment import ExperimentRecipe


def run(config: VisionConfig) -> int:
    """Starts or resumes an experiment, or lists the recipes, and returns 0.

    Raises:
        ValueError: An option is wrong, the data are missing or corrupt, or the folder holds an experiment
            with other settings.
        OSError: The folder cannot be written, or a process has died; finished work is kept.
    """
    if config.verdicts is not None:
        from pruning.studies.published.verdicts import verdict_table

        print(verdict_table(config.verdicts))
        suggest("vision", "--list", why="the recipes")
        return OK
    from pruning.studies.published.catalogue import (  # torch, which takes a second to load
        RECIPES,
        conduct_recipe,
    )

    if config.list or not config.recipe:
        print(listing(RECIPES))
        suggest("vision", next(iter(RECIPES)), "--small", why="run the first recipe on a small scale")
    else:
        folder = conduct_recipe(config)
        suggest("vision", "--verdicts", folder, why="the verdicts as a Markdown table")
    return OK


def listing(recipes: Mapping[str, ExperimentRecipe[Any, Any]]) -> str:
    """Returns one line per recipe: name, data, network, number of variants, and paper."""
    lines = [
        f"  {name:39}{recipe.data:15}{recipe.model:26}{len(recipe.arms):2} variants  "
        f"{recipe.paper.partition(' (')[0]}"
        for name, recipe in recipes.items()
    ]
    return "\n".join(["recipes of bttt vision: name, data set, network, variants, paper", *lines])
