"""Conducts an experiment of any kind: its folder, its runs, and the report of their results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import fill
from typing import Any, Generic, TypeVar

from bttt.runs import (
    CONFIG_FILE,
    ENVIRONMENT_FILE,
    csv_text,
    default_folder,
    open_run,
    read_json,
    report_found,
    require_at_least,
    write_json,
    write_text,
)
from pruning.studies.experiment.claims import Finding, PointT, judge
from pruning.studies.experiment.config import VisionConfig
from pruning.studies.experiment.device import device_name
from pruning.studies.experiment.recipe import ExperimentRecipe, Picture
from pruning.studies.experiment.report import (
    JSON_FILE,
    POINTS_FILE,
    TABLE_FILE,
    TEXT_FILE,
    WIDTH,
    machines,
    told,
)

RecipeT = TypeVar("RecipeT", bound=ExperimentRecipe[Any, Any])


@dataclass(frozen=True, slots=True)
class ExperimentKind(Generic[RecipeT, PointT]):
    """The functions in which kinds of experiments differ.

    Attributes:
        change: The published recipe and the options -> the recipe to run; raises ValueError if an option is
            wrong.
        run: Runs all unfinished jobs of a recipe in a folder.
        read: Returns the points measured by the finished runs in a folder; raises ValueError if they belong
            to other variants or plans.
        head: Recipe -> the lines of the report's head, below name and scale.
        parts: Recipe and points -> the parts of the report, by title; "" omits a part.
        rows: Recipe and points -> rows of `TABLE_FILE`.
        point_row: Point -> row of `POINTS_FILE`.
        pictures: Recipe and title -> a drawing function per picture, by file; `FIGURE_FILE` is the first.
    """

    change: Callable[[RecipeT, VisionConfig], RecipeT]
    run: Callable[[RecipeT, Path, VisionConfig], None]
    read: Callable[[RecipeT, Path], list[PointT]]
    head: Callable[[RecipeT], Iterable[str]]
    parts: Callable[[RecipeT, Sequence[PointT]], Mapping[str, str]]
    rows: Callable[[RecipeT, Sequence[PointT]], list[dict[str, Any]]]
    point_row: Callable[[PointT], dict[str, Any]]
    pictures: Callable[[RecipeT, str], Mapping[str, Picture[PointT]]]


def conduct(config: VisionConfig, published: RecipeT, kind: ExperimentKind[RecipeT, PointT]) -> Path:
    """Starts or resumes an experiment, writes its report, and returns its folder.

    Args:
        config: The options.
        published: The recipe with the settings of its paper.
        kind: Its kind.

    Raises:
        ValueError: An option is wrong, the data are missing or corrupt, or the folder holds an experiment
            with other settings.
        OSError: The folder cannot be written, or a process has died; finished work is kept.
    """
    require_at_least(1, workers=config.workers)
    recipe = kind.change(published, config)
    device = device_name(config.device)  # before anything is written
    settings, command = recipe.settings(), f"vision-{recipe.name.replace('/', '-')}"
    folder = config.out or default_folder(command, recipe.identity())
    if config.report and not (folder / CONFIG_FILE).exists():
        raise ValueError(f"{folder} contains no experiment to report")
    scale = _scale(published, recipe, small=config.small)
    with open_run(command, settings, out=folder, defaults=published.settings()) as run:
        if config.data_set is None and recipe.data != published.data:
            print(f"no data folder (--data, BTTT_DATA): using {recipe.data} instead of {published.data}\n")
        print(f"{_head(recipe, scale, kind.head(recipe))}\n")
        kind.read(recipe, folder)  # refuses runs of another plan before anything is written
        run.write_config({**settings, "scale": scale, "out": str(folder)})
        if not config.report:
            run.add_environment(device=device)
            found = len(kind.read(recipe, folder))
            kind.run(recipe, folder, config)
        points = kind.read(recipe, folder)
        if not config.report:
            report_found(found, len(points) - found, "measured point", folder)
        if not points:
            raise ValueError(f"nothing is finished yet in {folder}")
        publish(folder, recipe, scale, points, kind)
    return folder


def publish(
    folder: Path,
    recipe: RecipeT,
    scale: str,
    points: Sequence[PointT],
    kind: ExperimentKind[RecipeT, PointT],
) -> None:
    """Writes and prints the report of the points.

    Args:
        folder: The folder for the files; it contains environment.json.
        recipe: The recipe that was run.
        scale: How its settings differ from the published ones, in words.
        points: The measurements, at least one point.
        kind: The recipe's kind.
    """
    findings = judge(recipe.claims, points)
    parts = {
        **kind.parts(recipe, points),
        "claims": "\n".join(map(told, findings)),
        "note": fill(recipe.note, WIDTH),
    }
    text = "\n\n".join(f"{title}\n{part}" for title, part in parts.items() if part)
    head = _head(recipe, scale, kind.head(recipe))
    record = _record(folder, recipe, scale, findings)
    pictures = kind.pictures(recipe, f"{recipe.name} ({scale.partition(':')[0]} scale)")
    write_text(folder / TEXT_FILE, f"{head}\n{machines(folder)}\n\n{text}\n")
    write_text(folder / TABLE_FILE, csv_text(kind.rows(recipe, points)))
    write_text(folder / POINTS_FILE, csv_text(map(kind.point_row, points)))
    write_json(folder / JSON_FILE, record, indent=1)
    for name, picture in pictures.items():
        picture(folder / name, points)
    print(text)
    names = (TEXT_FILE, TABLE_FILE, POINTS_FILE, JSON_FILE, *pictures)
    print(f"\nwritten: {' '.join(str(folder / name) for name in names)}")


def _scale(published: RecipeT, recipe: RecipeT, *, small: bool) -> str:
    """Returns in words how the settings differ from the published recipe's."""
    before, now = published.changeable(), recipe.changeable()
    changed = [f"{name} {value}" for name, value in now.items() if before.get(name) != value]
    if len(recipe.arms) < len(published.arms):
        changed.append(f"{len(recipe.arms)} of {len(published.arms)} variants")
    if not changed:
        return "the recipe's own"
    return f"{'small' if small else 'changed'}: {', '.join(changed)}"


def _head(recipe: RecipeT, scale: str, own: Iterable[str]) -> str:
    """Returns the recipe as text."""
    lines = [f"{recipe.name}: {recipe.paper}", f"scale     {scale}", *own]
    return "\n".join(fill(line, WIDTH, subsequent_indent=" " * 10, break_on_hyphens=False) for line in lines)


def _record(folder: Path, recipe: RecipeT, scale: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """Returns the record for reproducing the results, and the verdicts on the claims."""
    return {
        "recipe": recipe.name,
        "paper": recipe.paper,
        "scale": scale,
        "settings": recipe.settings(),
        **recipe.record(),
        "seeds": list(range(recipe.seeds)),
        "environments": read_json(folder / ENVIRONMENT_FILE, list),
        "claims": [asdict(finding) for finding in findings],
    }
