"""The recipes of `bttt vision` on image classifiers: one file per paper.

>>> from pruning.studies.vision.recipes import VISION_RECIPES
>>> VISION_RECIPES["dropnet/a-mnist"].model
'dropnet-a:40-40'

Modules: a file for each paper, with its recipes and claims. `curves` and `sparse_sections` make the tables of
the greedy and the sparse recipes.
"""

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

__all__ = ["VISION_RECIPES"]

VISION_RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for paper in (
        *(dropnet, silo, retraining, tickets),
        *(initial, sparse, sparse_budgets, greedy, methods),
    )
    for recipe in paper.RECIPES
}
