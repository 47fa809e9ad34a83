"""The report of a bilevel experiment, and the functions that the conductor needs for this kind."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from textwrap import fill

from pruning.studies.bilevel.changes import changed
from pruning.studies.bilevel.experiment import LEVELS, BilevelArm, BilevelPoint, BilevelRecipe
from pruning.studies.bilevel.plot import draw
from pruning.studies.bilevel.run import read_points, run_jobs
from pruning.studies.bilevel.table import cost_table, point_row, rows, table
from pruning.studies.experiment import FIGURE_FILE, WIDTH, ExperimentKind, Picture, diverged_text

COLUMNS_NOTE = (
    "test % and validation loss: measured with the weights at the end of the method's budget. refit: "
    "measured after L-BFGS has solved the lower problem for the final upper variables. movement: root mean "
    "square change of the upper variables. AUC: see the note. seconds: computing time on one core."
)


def _head(recipe: BilevelRecipe) -> list[str]:
    """Returns the recipe as lines of text."""
    levels = ", ".join(f"{level:g}" for level in recipe.levels)
    return [
        f"data      {recipe.data}: {recipe.train} training samples (lower loss), {recipe.validation} "
        "validation samples (upper loss), all test samples",
        f"levels    {LEVELS[recipe.problem]} {levels}",
        f"budget    {recipe.samples} samples over all gradients, Hessian-vector products and mixed products "
        f"({recipe.passes} per training sample), or {recipe.calls} of these computations, whichever ends "
        "first",
        f"runs      {recipe.seeds} seeds; measured {recipe.marks} times",
        *(f"variant   {name}: {_told_arm(arm)}" for name, arm in recipe.arms.items()),
    ]


def _told_arm(arm: BilevelArm) -> str:
    if not arm.method:
        return f"baseline, {arm.baseline}"
    return ", ".join([arm.method, *(f"{name} {value}" for name, value in arm.options.items())])


def _parts(recipe: BilevelRecipe, points: Sequence[BilevelPoint]) -> dict[str, str]:
    """Returns the parts of the report, by title."""
    named = [(level, f"{LEVELS[recipe.problem]} {level:g}") for level in recipe.levels]
    return {
        **{
            f"{name} (± half-width of Student's 95% interval over the seeds)": table(recipe, points, level)
            for level, name in named
        },
        **{f"{name}: costs": cost_table(recipe, points, level) for level, name in named},
        "columns": fill(COLUMNS_NOTE, WIDTH),
        "runs that diverged (measured at their last finite state)": diverged_text(
            each for each in points if each.spent == 1
        ),
    }


def _pictures(recipe: BilevelRecipe, title: str) -> dict[str, Picture[BilevelPoint]]:
    return {FIGURE_FILE: partial(draw, title=title, level_name=LEVELS[recipe.problem])}


BILEVEL_KIND: ExperimentKind[BilevelRecipe, BilevelPoint] = ExperimentKind(
    change=changed,
    run=run_jobs,
    read=read_points,
    head=_head,
    parts=_parts,
    rows=rows,
    point_row=point_row,
    pictures=_pictures,
)
