"""Applies the options of `bttt vision` to a recipe of any kind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from pruning.data import VARIABLE, is_there
from pruning.studies.experiment.config import SETS, VisionConfig
from pruning.studies.experiment.recipe import ExperimentRecipe

FALLBACK = "digits"
"""The bundled data set, which needs no folder."""


def option_changes(config: VisionConfig, recipe: ExperimentRecipe[Any, Any], kind: str) -> dict[str, Any]:
    """Returns the changes to a recipe from the small scale, the options and the data set.

    Args:
        config: The options.
        recipe: The recipe.
        kind: Its kind.

    Raises:
        ValueError: An option does not apply to recipes of that kind.
    """
    found: dict[str, Any] = dict(recipe.small) if config.small else {}
    for target, value in _given(config, kind):
        outer, _, inner = target.partition(".")
        found[outer] = {**found.get(outer, {}), inner: value} if inner else value
    if (data := _chosen_data(config, recipe.data)) != recipe.data or config.data_set:
        found["data"] = data
    return found


def _given(config: VisionConfig, kind: str) -> Iterator[tuple[str, Any]]:
    """Yields the fields that the given options set in recipes of a kind, with their values."""
    for option in fields(config):
        sets, value = option.metadata.get(SETS), getattr(config, option.name)
        if sets is None or value is None:
            continue
        if kind not in sets:
            raise ValueError(f"{config.recipe} has no option {option.name}, got {value!r}")
        yield sets[kind], value


def _chosen_data(config: VisionConfig, data: str) -> str:
    """Returns the data set to use: the recipe's own, or its replacement."""
    if config.data_set is not None:
        return config.data_set
    named = config.data is not None or os.environ.get(VARIABLE) or config.download
    return data if named or is_there(data, None) else FALLBACK
