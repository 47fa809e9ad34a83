"""The recipes of `bttt vision`, of both kinds, by name."""

from __future__ import annotations

from pathlib import Path

from bttt.runs import is_plugin, load_plugin, nearest
from pruning.studies.bilevel import BILEVEL_KIND, BILEVEL_RECIPES, BilevelRecipe
from pruning.studies.experiment import VisionConfig, conduct
from pruning.studies.vision import VISION_KIND, Recipe
from pruning.studies.vision.recipes import VISION_RECIPES

RECIPES: dict[str, Recipe | BilevelRecipe] = {**VISION_RECIPES, **BILEVEL_RECIPES}


def find_recipe(name: str) -> Recipe | BilevelRecipe:
    """Returns the recipe of that name, or of "python:module:name"; ValueError if there is none."""
    if is_plugin(name):
        return load_plugin(name, "recipe", lambda found: isinstance(found, Recipe | BilevelRecipe))
    if name not in RECIPES:
        known = ", ".join(RECIPES)
        raise ValueError(f"unknown recipe {name!r}{nearest(name, list(RECIPES))}; recipes are {known}")
    return RECIPES[name]


def conduct_recipe(config: VisionConfig) -> Path:
    """Starts or resumes the experiment that a configuration names, and returns its folder.

    Raises:
        ValueError: There is no such recipe, or `conduct` raises it.
        OSError: `conduct` raises it.
    """
    recipe = find_recipe(config.recipe)
    if isinstance(recipe, BilevelRecipe):
        return conduct(config, recipe, BILEVEL_KIND)
    return conduct(config, recipe, VISION_KIND)
