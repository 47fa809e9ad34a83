"""The recipes of `bttt vision`, by name."""

from __future__ import annotations

from bttt.runs import nearest
from pruning.studies.bilevel import RECIPES as BILEVEL_RECIPES
from pruning.studies.vision import Recipe
from pruning.studies.vision.recipes import RECIPES


def find_recipe(name: str) -> Recipe:
    """Returns the recipe of that name; ValueError with the known names where there is none."""
    if name not in RECIPES:
        known = [*RECIPES, *BILEVEL_RECIPES]
        raise ValueError(f"unknown recipe {name!r}{nearest(name, known)}; recipes are {', '.join(known)}")
    return RECIPES[name]
