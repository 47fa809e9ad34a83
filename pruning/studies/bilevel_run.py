"""Runs the jobs of a bilevel experiment, side by side in processes, and reads what they found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from tqdm import tqdm

from bttt.run_folder import plain, read_json, write_json
from pruning.bilevel import Counter
from pruning.bilevel_methods import Batches, Start, State, optimise
from pruning.data import DataSet, load
from pruning.studies.bilevel_baselines import BASELINES
from pruning.studies.bilevel_experiment import BilevelArm, BilevelJob, BilevelRecipe, Measured, jobs_of
from pruning.studies.bilevel_problems import Task
from pruning.studies.side_by_side import side_by_side

DRAWS = 10**6
"""Added to a job's seed for its batches, so that they are not the random numbers that made its data."""


def run_jobs(recipe: BilevelRecipe, folder: Path, *, data: Path | None, download: bool, workers: int) -> None:
    """Runs all jobs of a recipe, or the rest of them.

    Args:
        recipe: What is run.
        folder: Where; it exists.
        data: Folder of the data sets.
        download: Whether to fetch them where they are not there.
        workers: Processes.

    Raises:
        ValueError: The data are not there, damaged, or too few.
        OSError: A worker process has died.
    """
    recipe.task(loaded(recipe.data, data, download), recipe.levels[0], 0)  # errors before processes start
    folder, data = folder.absolute(), data and data.absolute()
    waiting = [job for job in jobs_of(recipe) if not (folder / job.file).exists()]
    calls = ((recipe, folder, job, data, download) for job in waiting)
    with tqdm(total=len(waiting), unit="run", disable=None) as progress:
        side_by_side(_run, calls, workers=max(1, min(workers, len(waiting))), progress=progress)


def read_points(recipe: BilevelRecipe, folder: Path) -> list[Measured]:
    """Returns what all finished runs measured.

    Raises:
        ValueError: A file is damaged, or of an arm with other options than the recipe's.
    """
    found = []
    for job in jobs_of(recipe):
        record = read_json(folder / job.file, dict)
        if not record:
            continue
        own = plain(asdict(recipe.arms[job.arm]))
        if not {"arm", "curve"} <= record.keys():
            raise ValueError(f"{folder / job.file} is damaged (no curve): mend or delete it")
        if record["arm"] != own:
            raise ValueError(
                f"{folder / job.file} is of another arm: {record['arm']!r} there, {own!r} here; "
                "choose another --out"
            )
        for each in record["curve"]:
            metrics = {name: value for name, value in each.items() if name != "spent"}
            found.append(Measured(job.arm, job.level, job.seed, each["spent"], metrics))
    return found


def follow(task: Task, arm: BilevelArm, recipe: BilevelRecipe, seed: int) -> Iterator[dict[str, Any]]:
    """Yields what a method measures at each mark, of the last state that lies within it.

    A budget is spent in samples or in calls, of which the larger share counts. A method whose variables
    are no longer finite ends with the last finite state, for this mark and all others.
    """
    batches = Batches(len(task.validation), len(task.train), DRAWS + seed)
    start = Start(task.problem, task.start.x, task.start.y, batches, task.scale)
    states = optimise(arm.method, start, **arm.options)
    here, told = task.start, {**_told(Counter(), 0, 0.0), "diverged": 0}
    ahead: State | None = None
    steps, seconds, spent = 0, 0.0, 0.0
    for mark in range(1, recipe.marks + 1):
        while not told["diverged"]:
            if ahead is None:
                clock = perf_counter()
                ahead = next(states)
                seconds += perf_counter() - clock
                steps += 1
                spent = max(start.counter.samples / recipe.samples, start.counter.calls / recipe.calls)
            if spent > mark / recipe.marks:
                break
            if not _finite(ahead):
                told["diverged"] = 1
                break
            here, ahead = ahead, None
            told.update(_told(start.counter, steps, seconds))
        more = _refitted(task, here) if mark == recipe.marks else {}
        yield {"spent": mark / recipe.marks, **told, **task.measured(here), **more}


@lru_cache(maxsize=1)
def loaded(name: str, folder: Path | None, download: bool) -> DataSet:
    """Returns a data set, with all images of its training split in `train`."""
    return load(name, folder, validation=0.0, download=download)


def _run(recipe: BilevelRecipe, folder: Path, job: BilevelJob, data: Path | None, download: bool) -> str:
    """Runs one job, stores it and returns its name."""
    torch.set_num_threads(1)
    task = recipe.task(loaded(recipe.data, data, download), job.level, job.seed)
    arm = recipe.arms[job.arm]
    curve = list(follow(task, arm, recipe, job.seed)) if arm.method else [_baseline(task, arm)]
    (folder / job.file).parent.mkdir(parents=True, exist_ok=True)
    write_json(folder / job.file, {"arm": plain(asdict(arm)), "curve": curve})
    return f"{job.arm}-{job.level:g}"


def _baseline(task: Task, arm: BilevelArm) -> dict[str, Any]:
    counter, clock = Counter(), perf_counter()
    found = BASELINES[arm.baseline](task, counter)
    told = {**_told(counter, 0, perf_counter() - clock), "diverged": 0, **task.measured(found)}
    again = {f"refit {name}": told[name] for name in REFITTED}  # it is solved already
    return {"spent": 1.0, **told, **again}


REFITTED = ("validation loss", "test loss", "test accuracy")
"""What is measured again with the lower problem solved for the final x."""


def _refitted(task: Task, at: State) -> Mapping[str, float]:
    found = task.measured(task.solved(at.x))
    return {f"refit {name}": found[name] for name in REFITTED}


def _told(counter: Counter, steps: int, seconds: float) -> dict[str, Any]:
    return {
        "outer steps": steps,
        **{name.replace("_", " "): value for name, value in asdict(counter).items()},
        "samples": counter.samples,
        "calls": counter.calls,
        "seconds": seconds,
    }


def _finite(state: State) -> bool:
    return all(bool(value.isfinite().all()) for tree in (state.x, state.y) for value in tree.values())
