"""The recipes of `bttt vision` on image classifiers: one file per paper; `RECIPES` lists all by name."""

from pruning.studies.vision.experiment import Recipe
from pruning.studies.vision.recipes import (
    dropnet,
    greedy,
    initial,
    methods,
    retraining,
    silo,
    sparse,
    sparse_budgets,
    tickets,
)

__all__ = ["RECIPES"]

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for paper in (
        *(dropnet, silo, retraining, tickets),
        *(initial, sparse, sparse_budgets, greedy, methods),
    )
    for recipe in paper.RECIPES
}
