"""Conducts a bilevel experiment: its folder, its runs, and the report of what they found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from textwrap import fill
from typing import Any

from bttt.runs import (
    add_environment,
    csv_text,
    default_folder,
    hold,
    open_folder,
    plain,
    read_json,
    write_json,
    write_text,
)
from pruning.studies.bilevel.experiment import LEVELS, BilevelArm, BilevelPoint, BilevelRecipe
from pruning.studies.bilevel.plot import draw
from pruning.studies.bilevel.recipes import RECIPES
from pruning.studies.bilevel.run import loaded, read_points, run_jobs
from pruning.studies.bilevel.table import cost_table, point_row, rows, table
from pruning.studies.experiment import (
    DEVICE,
    FIGURE_FILE,
    JSON_FILE,
    POINTS_FILE,
    TABLE_FILE,
    TEXT_FILE,
    WIDTH,
    Finding,
    VisionConfig,
    chosen_data,
    filled,
    judge,
    machines,
    told,
)

OTHERS = ("model", "width", "classes", "size", "cycles", "batch", "precision")
"""Options of `bttt vision` that are not of these recipes."""


def conduct(config: VisionConfig) -> Path:
    """Runs an experiment, or the rest of it, reports, and returns its folder.

    Raises:
        ValueError: An option is wrong or not of these recipes, the data are not there, or the folder holds
            an experiment with other settings.
    """
    published = RECIPES[config.recipe]
    _check(config)
    recipe = _fitting(published.with_changes(changes(config, published)), config)
    settings = plain(recipe.settings())
    folder = config.out or default_folder(f"vision-{recipe.name.replace('/', '-')}", settings)
    if config.report and not (folder / "config.json").exists():
        raise ValueError(f"{folder} holds no experiment to report")
    open_folder(folder, settings, plain(published.settings()))
    scale = _scale(published, recipe, config)
    if config.data_set is None and recipe.data != published.data:
        print(f"no data folder (--data, BTTT_DATA): on {recipe.data} instead of {published.data}\n")
    print(f"{_head(recipe, scale)}\n")
    with hold(folder):
        read_points(recipe, folder)  # refuses other arms before anything is written
        write_json(folder / "config.json", {**settings, "scale": scale, "out": str(folder)})
        if not config.report:
            add_environment(folder, device=config.device)
            run_jobs(recipe, folder, data=config.data, download=config.download, workers=config.workers)
        points = read_points(recipe, folder)
        if not points:
            raise ValueError(f"nothing is finished yet in {folder}")
        _write(folder, recipe, scale, points)
    return folder


def changes(config: VisionConfig, recipe: BilevelRecipe) -> dict[str, Any]:
    """Returns what a configuration changes in its recipe; epochs are the budget's passes."""
    found: dict[str, Any] = dict(recipe.small) if config.small else {}
    found["data"] = chosen_data(config, recipe.data)
    if config.subset is not None:
        found["train"] = config.subset // 2
        found["validation"] = config.subset - found["train"]
    if config.epochs is not None:
        found["passes"] = config.epochs
    if config.seeds is not None:
        found["seeds"] = config.seeds
    if config.arms is not None:
        found["arms"] = config.arms
    return found


def _fitting(recipe: BilevelRecipe, config: VisionConfig) -> BilevelRecipe:
    """Returns the recipe with fewer samples where another data set has not as many: half for each loss."""
    if recipe.data == RECIPES[recipe.name].data or config.subset is not None:
        return recipe
    there = len(loaded(recipe.data, config.data, config.download).train)
    if recipe.train + recipe.validation <= there:
        return recipe
    return replace(recipe, train=there // 2, validation=there - there // 2)


def _check(config: VisionConfig) -> None:
    """Raises ValueError where an option is out of range or not of these recipes."""
    for name in OTHERS:
        if getattr(config, name) is not None:
            raise ValueError(f"{config.recipe} has no option {name}, got {getattr(config, name)!r}")
    if config.device != DEVICE:
        raise ValueError(f"{config.recipe} runs on the cpu alone, got device {config.device!r}")
    if config.workers < 1:
        raise ValueError(f"workers must be at least 1, got {config.workers}")


def _scale(published: BilevelRecipe, recipe: BilevelRecipe, config: VisionConfig) -> str:
    """Returns in words how far the settings are from the recipe's."""
    before, now = ({**plain(each.settings()), "seeds": each.seeds} for each in (published, recipe))
    changed = [f"{name} {value}" for name, value in now.items() if before[name] != value]
    if len(recipe.arms) < len(published.arms):
        changed.append(f"{len(recipe.arms)} of {len(published.arms)} arms")
    if not changed:
        return "the recipe's own"
    return f"{'small' if config.small else 'changed'}: {', '.join(changed)}"


def _head(recipe: BilevelRecipe, scale: str) -> str:
    """Returns the recipe as text."""
    levels = ", ".join(f"{level:g}" for level in recipe.levels)
    lines = [
        f"{recipe.name}: {recipe.paper}",
        f"scale     {scale}",
        f"data      {recipe.data}: {recipe.train} training samples (lower loss), {recipe.validation} "
        "validation samples (upper loss), the whole test split",
        f"levels    {LEVELS[recipe.problem]} {levels}",
        f"budget    {recipe.samples} samples of gradients, Hessian-vector and mixed products alike "
        f"({recipe.passes} a training sample), or {recipe.calls} of those of however few samples",
        f"runs      {recipe.seeds} seeds; measured {recipe.marks} times",
        *(f"arm       {name}: {_told_arm(arm)}" for name, arm in recipe.arms.items()),
    ]
    return "\n".join(fill(line, WIDTH, subsequent_indent=" " * 10, break_on_hyphens=False) for line in lines)


def _told_arm(arm: BilevelArm) -> str:
    if not arm.method:
        return f"baseline, {arm.baseline}"
    return ", ".join([arm.method, *(f"{name} {value}" for name, value in arm.options.items())])


def _write(folder: Path, recipe: BilevelRecipe, scale: str, points: Sequence[BilevelPoint]) -> None:
    """Writes and prints what the points say."""
    findings = judge(recipe.claims, points)  # type: ignore[arg-type]
    named = [(level, f"{LEVELS[recipe.problem]} {level:g}") for level in recipe.levels]
    parts = {
        **{
            f"{name} (± half of Student's 95% interval over the seeds)": table(recipe, points, level)
            for level, name in named
        },
        **{f"{name}: what it took": cost_table(recipe, points, level) for level, name in named},
        "columns": fill(COLUMNS_NOTE, WIDTH),
        "runs that diverged, and ended with the last finite state": _diverged(points),
        "claims": "\n".join(map(told, findings)),
        "note": fill(recipe.note, WIDTH),
    }
    text = "\n\n".join(f"{title}\n{part}" for title, part in parts.items() if part)
    write_text(folder / TEXT_FILE, f"{_head(recipe, scale)}\n{machines(folder)}\n\n{text}\n")
    write_text(folder / TABLE_FILE, csv_text(filled(rows(recipe, points))))
    write_text(folder / POINTS_FILE, csv_text(filled(list(map(point_row, points)))))
    write_text(folder / JSON_FILE, json.dumps(_record(folder, recipe, scale, findings), indent=1) + "\n")
    title = f"{recipe.name} ({scale.partition(':')[0]} scale)"
    draw(folder / FIGURE_FILE, points, title=title, level_name=LEVELS[recipe.problem])
    print(text)
    names = (TEXT_FILE, TABLE_FILE, POINTS_FILE, JSON_FILE, FIGURE_FILE)
    print(f"\nwritten: {' '.join(str(folder / name) for name in names)}")


COLUMNS_NOTE = (
    "test % and validation loss are those of the weights that a method has at the end of its budget; refit: "
    "with the lower problem solved by L-BFGS for its final upper variables. movement: root mean square of "
    "what the upper variables have moved. AUC: see the note. Seconds are of computing, on one core."
)


def _diverged(points: Sequence[BilevelPoint]) -> str:
    """Returns how many runs diverged, by arm; "" where none has."""
    found = Counter(each.arm for each in points if each.spent == 1 and each.metrics["diverged"])
    return ", ".join(f"{arm} {number}" for arm, number in found.items())


def _record(folder: Path, recipe: BilevelRecipe, scale: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """Returns what is needed to make the results again, and what became of the claims."""
    return {
        "recipe": recipe.name,
        "paper": recipe.paper,
        "scale": scale,
        "settings": plain(recipe.settings()),
        "arms": {name: plain(asdict(arm)) for name, arm in recipe.arms.items()},
        "seeds": list(range(recipe.seeds)),
        "environments": read_json(folder / "environment.json", list),
        "claims": [asdict(finding) for finding in findings],
    }
