"""The recipes of `bttt vision`, by name."""

from __future__ import annotations

from agents.options import nearest
from pruning.studies import (
    bilevel_recipes,
    vision_dropnet,
    vision_greedy,
    vision_initial,
    vision_methods,
    vision_retraining,
    vision_silo,
    vision_sparse,
    vision_sparse_budgets,
    vision_tickets,
)
from pruning.studies.vision_experiment import Recipe

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for paper in (
        *(vision_dropnet, vision_silo, vision_retraining, vision_tickets),
        *(vision_initial, vision_sparse, vision_sparse_budgets, vision_greedy, vision_methods),
    )
    for recipe in paper.RECIPES
}


def find_recipe(name: str) -> Recipe:
    """Returns the recipe of that name; ValueError with the known names where there is none."""
    if name not in RECIPES:
        known = [*RECIPES, *bilevel_recipes.RECIPES]
        raise ValueError(f"unknown recipe {name!r}{nearest(name, known)}; recipes are {', '.join(known)}")
    return RECIPES[name]
