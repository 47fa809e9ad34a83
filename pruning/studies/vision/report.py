"""Conducts a vision experiment: its folder, its runs, and the report of what they found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
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
from pruning.models import check_model
from pruning.studies.experiment import (
    FIGURE_FILE,
    JSON_FILE,
    POINTS_FILE,
    TABLE_FILE,
    TEXT_FILE,
    WIDTH,
    Finding,
    Point,
    VisionConfig,
    filled,
    judge,
    machines,
    short,
    told,
)
from pruning.studies.vision.changes import changes
from pruning.studies.vision.experiment import Arm, Recipe
from pruning.studies.vision.plot import draw
from pruning.studies.vision.run import device_name, read_points, run_jobs
from pruning.studies.vision.table import accuracy_table, levels_of, published_table, rows


def conduct(config: VisionConfig, published: Recipe) -> Path:
    """Runs an experiment, or the rest of it, reports, and returns its folder."""
    recipe = published.with_changes(changes(config, published))
    _check(config, recipe)
    device = device_name(config.device)  # before anything is written
    settings = plain(recipe.settings())
    folder = config.out or _default_folder(recipe, settings)
    if config.report and not (folder / "config.json").exists():
        raise ValueError(f"{folder} holds no experiment to report")
    open_folder(folder, settings, plain(published.settings()))
    scale = _scale(published, recipe, config)
    if config.data_set is None and recipe.data != published.data:
        print(f"no data folder (--data, BTTT_DATA): on {recipe.data} instead of {published.data}\n")
    print(f"{_head(recipe, scale)}\n")
    with hold(folder):
        read_points(recipe, folder)  # refuses runs of another plan before anything is written
        write_json(folder / "config.json", {**settings, "scale": scale, "out": str(folder)})
        if not config.report:
            add_environment(folder, device=device)
            run_jobs(
                recipe,
                folder,
                data=config.data,
                download=config.download,
                device=config.device,
                workers=config.workers,
            )
        points = read_points(recipe, folder)
        if not points:
            raise ValueError(f"nothing is finished yet in {folder}")
        _write(folder, recipe, scale, points, of_paper=recipe.data == published.data)
    return folder


def _default_folder(recipe: Recipe, settings: dict[str, Any]) -> Path:
    # the settings leave out the plan: each run of the loop has its own
    name = f"vision-{recipe.name.replace('/', '-')}"
    return default_folder(name, {**settings, "plan": plain(recipe.plan)})


def _check(config: VisionConfig, recipe: Recipe) -> None:
    """Raises ValueError where an option is out of range, before anything is written."""
    if config.workers < 1:
        raise ValueError(f"workers must be at least 1, got {config.workers}")
    check_model(recipe.model, recipe.width)
    if recipe.subset is not None and recipe.subset < 1:
        raise ValueError(f"subset must be at least 1, got {recipe.subset}")
    if recipe.training.epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {recipe.training.epochs}")
    if recipe.seeds < 1:
        raise ValueError(f"seeds must be at least 1, got {recipe.seeds}")
    for arm in recipe.arms.values():
        for part in range(max(1, len(arm.parts))):
            recipe.plan_of(arm, part, 0)


def _scale(published: Recipe, recipe: Recipe, config: VisionConfig) -> str:
    """Returns in words how far the settings are from the recipe's."""
    before, now = plain(published.settings()), plain(recipe.settings())
    before |= before.pop("training") | dict(published.plan)
    now |= now.pop("training") | dict(recipe.plan)
    before |= {"cycles": published.cycles, "seeds": published.seeds}
    now |= {"cycles": recipe.cycles, "seeds": recipe.seeds}
    changed = [f"{name} {value}" for name, value in now.items() if before.get(name) != value]
    if len(recipe.arms) < len(published.arms):
        changed.append(f"{len(recipe.arms)} of {len(published.arms)} arms")
    if not changed:
        return "the recipe's own"
    return f"{'small' if config.small else 'changed'}: {', '.join(changed)}"


def _head(recipe: Recipe, scale: str) -> str:
    """Returns the recipe as text."""
    training = ", ".join(f"{name} {value}" for name, value in asdict(recipe.training).items())
    lines = [
        f"{recipe.name}: {recipe.paper}",
        f"scale     {scale}",
        f"data      {recipe.data}, subset {recipe.subset or 'all'}, classes {recipe.classes or 'all'}; "
        "a tenth of the training images is for validation",
        f"network   {recipe.model}, width {recipe.width:g}, weights {recipe.init}",
        f"training  {training}",
        f"pruning   {_told_settings(recipe.plan) or 'by arm'}; layers left whole: "
        f"{', '.join(recipe.plan.get('exclude', ())) or 'none'}",
        f"runs      {recipe.seeds} seeds; at most {recipe.cycles} cycles",
        *(f"base      {name}: {_told_settings(asdict(base))}" for name, base in recipe.bases.items()),
        *(f"arm       {name}: {_told_arm(arm)}" for name, arm in recipe.arms.items()),
    ]
    return "\n".join(fill(line, WIDTH, subsequent_indent=" " * 10, break_on_hyphens=False) for line in lines)


def _told_arm(arm: Arm) -> str:
    beside = {
        name: value for name, value in asdict(arm).items() if name != "plan" and value != getattr(Arm(), name)
    }
    return _told_settings({**arm.plan, **beside})


def _told_settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if name != "exclude")


def _write(folder: Path, recipe: Recipe, scale: str, points: Sequence[Point], *, of_paper: bool) -> None:
    """Writes and prints what the points say."""
    levels = levels_of(points)
    findings = judge(recipe.claims, points)
    parts = {
        "test accuracy, % (± half of Student's 95% interval over the seeds)": accuracy_table(levels),
        "beside the paper, % of test images": published_table(levels, recipe.published) if of_paper else "",
        **{title: section(points) for title, section in recipe.sections.items()},
        "trainings that diverged, and ended with the last finite epoch": _diverged(points),
        "claims": "\n".join(map(told, findings)),
        "note": fill(recipe.note, WIDTH),
    }
    text = "\n\n".join(f"{title}\n{part}" for title, part in parts.items() if part)
    write_text(folder / TEXT_FILE, f"{_head(recipe, scale)}\n{machines(folder)}\n\n{text}\n")
    write_text(folder / TABLE_FILE, csv_text(filled(rows(levels))))
    write_text(folder / POINTS_FILE, csv_text(filled(list(map(_row, points)))))
    write_text(folder / JSON_FILE, json.dumps(_record(folder, recipe, scale, findings), indent=1) + "\n")
    draw(folder / FIGURE_FILE, points, title=f"{recipe.name} ({scale.partition(':')[0]} scale)")
    for name, picture in recipe.pictures.items():
        picture(folder / name, points)
    print(text)
    names = (TEXT_FILE, TABLE_FILE, POINTS_FILE, JSON_FILE, FIGURE_FILE, *recipe.pictures)
    print(f"\nwritten: {' '.join(str(folder / name) for name in names)}")


def _diverged(points: Sequence[Point]) -> str:
    """Returns how many trainings diverged, by arm; "" where none has."""
    found = Counter(point.arm for point in points if point.metrics.get("diverged"))
    return ", ".join(f"{arm} {number}" for arm, number in found.items())


def _row(point: Point) -> dict[str, Any]:
    values = {"arm": point.arm, "seed": point.seed, "part": point.part, "cycle": point.cycle}
    numbers = {"kept": point.density, "accuracy": point.accuracy, **point.metrics}
    return values | {name: short(value) for name, value in numbers.items()}


def _record(folder: Path, recipe: Recipe, scale: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """Returns what is needed to make the results again, and what became of the claims."""
    arms = {name: plain(asdict(arm)) for name, arm in recipe.arms.items()}
    return {
        "recipe": recipe.name,
        "paper": recipe.paper,
        "scale": scale,
        "settings": plain(recipe.settings()),
        "plan": plain(recipe.plan),
        "arms": arms,
        "bases": {name: plain(asdict(base)) for name, base in recipe.bases.items()},
        "cycles": recipe.cycles,
        "seeds": list(range(recipe.seeds)),
        "environments": read_json(folder / "environment.json", list),
        "claims": [asdict(finding) for finding in findings],
    }
