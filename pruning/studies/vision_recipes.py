"""The recipes of `bttt vision`, by name."""

from __future__ import annotations

from agents.options import nearest
from pruning.studies import (
    vision_dropnet,
    vision_initial,
    vision_retraining,
    vision_silo,
    vision_sparse,
    vision_tickets,
)
from pruning.studies.vision_experiment import Recipe

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for paper in (
        *(vision_dropnet, vision_silo, vision_retraining, vision_tickets),
        *(vision_initial, vision_sparse),
    )
    for recipe in paper.RECIPES
}


def find_recipe(name: str) -> Recipe:
    """Returns the recipe of that name; ValueError with the known names where there is none."""
    if name not in RECIPES:
        raise ValueError(
            f"unknown recipe {name!r}{nearest(name, list(RECIPES))}; recipes are {', '.join(RECIPES)}"
        )
    return RECIPES[name]
