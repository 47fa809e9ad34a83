"""The report of a vision experiment, and the functions that the conductor needs for this kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from pruning.studies.experiment import FIGURE_FILE, ExperimentKind, Picture, diverged_text, short
from pruning.studies.vision.changes import changed
from pruning.studies.vision.experiment import Arm, Recipe
from pruning.studies.vision.plot import draw
from pruning.studies.vision.points import Point
from pruning.studies.vision.run import read_points, run_jobs
from pruning.studies.vision.table import accuracy_table, levels_of, published_table, rows


def _head(recipe: Recipe) -> list[str]:
    """Returns the recipe as lines of text."""
    training = ", ".join(f"{name} {value}" for name, value in asdict(recipe.training).items())
    return [
        f"data      {recipe.data}, subset {recipe.subset or 'all'}, classes {recipe.classes or 'all'}; "
        "10% of the training images are for validation",
        f"network   {recipe.model}, width {recipe.width:g}, weights {recipe.init}",
        f"training  {training}",
        f"pruning   {_told_settings(recipe.plan) or 'by variant'}; excluded layers: "
        f"{', '.join(recipe.plan.get('exclude', ())) or 'none'}",
        f"runs      {recipe.seeds} seeds; at most {recipe.cycles} cycles",
        *(f"base      {name}: {_told_settings(asdict(base))}" for name, base in recipe.bases.items()),
        *(f"variant   {name}: {_told_arm(arm)}" for name, arm in recipe.arms.items()),
    ]


def _told_arm(arm: Arm) -> str:
    beside = {
        name: value for name, value in asdict(arm).items() if name != "plan" and value != getattr(Arm(), name)
    }
    return _told_settings({**arm.plan, **beside})


def _told_settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if name != "exclude")


def _parts(recipe: Recipe, points: Sequence[Point]) -> dict[str, str]:
    """Returns the parts of the report, by title."""
    levels = levels_of(points)
    return {
        "test accuracy, % (± half-width of Student's 95% interval over the seeds)": accuracy_table(levels),
        "the paper's numbers next to ours, % of test images": published_table(levels, recipe.published),
        **{title: section(points) for title, section in recipe.sections.items()},
        "training runs that diverged (measured after their last finite epoch)": diverged_text(points),
    }


def _rows(recipe: Recipe, points: Sequence[Point]) -> list[dict[str, Any]]:
    return rows(levels_of(points))


def _point_row(point: Point) -> dict[str, Any]:
    values = {"arm": point.arm, "seed": point.seed, "part": point.part, "cycle": point.cycle}
    numbers = {"kept": point.density, "accuracy": point.accuracy, **point.metrics}
    return values | {name: short(value) for name, value in numbers.items()}


def _pictures(recipe: Recipe, title: str) -> dict[str, Picture[Point]]:
    return {FIGURE_FILE: partial(draw, title=title), **recipe.pictures}


VISION_KIND: ExperimentKind[Recipe, Point] = ExperimentKind(
    change=changed,
    run=run_jobs,
    read=read_points,
    head=_head,
    parts=_parts,
    rows=_rows,
    point_row=_point_row,
    pictures=_pictures,
)
