"""Runs the jobs of a bilevel experiment in parallel processes, and reads their results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache
from math import isfinite
from pathlib import Path
from time import process_time
from typing import Any

import torch
from tqdm import tqdm

from bttt.processes import side_by_side, worker_count
from bttt.runs import checking, plain, read_json, write_json
from pruning.bilevel import Batches, Counter, Start, State, optimise
from pruning.data import DataSet, load
from pruning.studies.bilevel.baselines import BASELINES
from pruning.studies.bilevel.experiment import BilevelArm, BilevelJob, BilevelPoint, BilevelRecipe, jobs_of
from pruning.studies.bilevel.problems import BilevelTask
from pruning.studies.experiment import VisionConfig

DRAWS = 10**6
"""Added to a job's seed for its batches, so that they are independent of its data."""


def run_jobs(recipe: BilevelRecipe, folder: Path, config: VisionConfig) -> None:
    """Runs all unfinished jobs of a recipe.

    Args:
        recipe: The recipe to run.
        folder: An existing folder for the runs.
        config: Gives the data folder and the number of processes.

    Raises:
        ValueError: The data are missing, corrupt, or too few.
        OSError: A worker process has died.
    """
    images = loaded(recipe.data, config.data, config.download)
    recipe.task(images, recipe.levels[0], 0)  # errors before processes start
    folder, data = folder.absolute(), config.data and config.data.absolute()
    waiting = []
    for job in jobs_of(recipe):
        if (folder / job.file).exists():
            _require_same_data(folder / job.file, images)
        else:
            waiting.append(job)
    calls = ((recipe, folder, job, data, config.download) for job in waiting)
    with tqdm(total=len(waiting), unit="run", disable=None) as progress:
        side_by_side(_run, calls, workers=worker_count(config.workers, len(waiting)), progress=progress)


def read_points(recipe: BilevelRecipe, folder: Path) -> list[BilevelPoint]:
    """Returns the measured points of all finished runs.

    Raises:
        ValueError: A file is corrupt, or belongs to a variant with other options than the recipe's.
    """
    found = []
    for job in jobs_of(recipe):
        if not (folder / job.file).exists():
            continue
        record = read_json(folder / job.file, dict)
        own = plain(asdict(recipe.arms[job.arm]))
        if not {"arm", "curve"} <= record.keys():
            raise ValueError(f"{folder / job.file} is corrupt (no curve): repair or delete it")
        if record["arm"] != own:
            raise ValueError(
                f"{folder / job.file} belongs to another variant: {record['arm']!r} there, {own!r} here; "
                "choose another --out"
            )
        with checking(folder / job.file):
            for each in record["curve"]:
                numbers = {name: value + 0 for name, value in each.items()}  # text is a TypeError
                spent = numbers.pop("spent")
                found.append(BilevelPoint(job.arm, job.level, job.seed, spent, numbers))
    return found


def _require_same_data(path: Path, images: DataSet) -> None:
    """Raises ValueError if a finished run was made with other data; earlier versions did not store which."""
    stored = read_json(path, dict).get("data", {})
    for name, ours in images.fingerprint.items():
        if isinstance(stored, dict) and stored.get(name, ours) != ours:
            raise ValueError(
                f"{path} was made with other data: {name} are {stored[name]!r} there, {ours!r} here; "
                "choose another --out"
            )


def follow(task: BilevelTask, arm: BilevelArm, recipe: BilevelRecipe, seed: int) -> Iterator[dict[str, Any]]:
    """Yields the measurements at each mark, taken at the last state within the mark's budget.

    A budget is spent in samples and in calls; the larger fraction counts. If a method's variables stop being
    finite, it ends with the last finite state; if its losses do, it ends with the state of the last mark.
    """
    pursuit = _Pursuit(task, arm, recipe, seed)
    for mark in range(1, recipe.marks + 1):
        sound = pursuit.here, pursuit.told
        pursuit.go_on(mark / recipe.marks)
        measured = task.measured(pursuit.here)
        if not all(map(isfinite, measured.values())):
            pursuit.here, pursuit.told = sound[0], {**sound[1], "diverged": 1}
            measured = task.measured(pursuit.here)
        more = _refitted(task, pursuit.here) if mark == recipe.marks else {}
        yield {"spent": mark / recipe.marks, **pursuit.told, **measured, **more}


class _Pursuit:
    """A running method, its last state within the budget, and the cost of that state."""

    def __init__(self, task: BilevelTask, arm: BilevelArm, recipe: BilevelRecipe, seed: int) -> None:
        batches = Batches(len(task.validation), len(task.train), DRAWS + seed)
        self.here = task.start
        self.told: dict[str, Any] = {**_told(Counter(), 0, 0.0), "diverged": 0}
        self._recipe = recipe
        self._start = Start(task.problem, task.start.x, task.start.y, batches, task.scale)
        self._states = optimise(arm.method, self._start, **arm.options)
        self._ahead: State | None = None  # a step that exceeded the budget
        self._steps, self._seconds = 0, 0.0

    def go_on(self, share: float) -> None:
        """Makes the steps that end within a fraction of the budget, unless the method has diverged."""
        while not self.told["diverged"]:
            ahead = self._ahead = self._ahead or self._step()
            counter = self._start.counter
            spent = max(counter.samples / self._recipe.samples, counter.calls / self._recipe.calls)
            if spent > share:
                return
            if not _finite(ahead):
                self.told = {**self.told, "diverged": 1}
                return
            self.here, self._ahead = ahead, None
            self.told = {**self.told, **_told(counter, self._steps, self._seconds)}

    def _step(self) -> State:
        clock = process_time()
        state = next(self._states)
        self._seconds += process_time() - clock
        self._steps += 1
        return state


@lru_cache(maxsize=1)
def loaded(name: str, folder: Path | None, download: bool) -> DataSet:
    """Returns a data set, with all images of its training split in `train`."""
    return load(name, folder, validation=0.0, download=download)


def _run(recipe: BilevelRecipe, folder: Path, job: BilevelJob, data: Path | None, download: bool) -> str:
    """Runs one job, stores it and returns its name."""
    torch.set_num_threads(1)
    images = loaded(recipe.data, data, download)
    task = recipe.task(images, job.level, job.seed)
    arm = recipe.arms[job.arm]
    curve = list(follow(task, arm, recipe, job.seed)) if arm.method else [_baseline(task, arm)]
    (folder / job.file).parent.mkdir(parents=True, exist_ok=True)
    write_json(folder / job.file, {"arm": plain(asdict(arm)), "curve": curve, "data": images.fingerprint})
    return f"{job.arm}-{job.level:g}"


def _baseline(task: BilevelTask, arm: BilevelArm) -> dict[str, Any]:
    counter, clock = Counter(), process_time()
    found = BASELINES[arm.baseline](task, counter)
    told = {**_told(counter, None, process_time() - clock), "diverged": 0, **task.measured(found)}
    again = {f"refit {name}": told[name] for name in REFITTED}  # the lower problem is already solved
    return {"spent": 1.0, **told, **again}


REFITTED = ("validation loss", "test loss", "test accuracy")
"""Metrics that are measured again with the lower problem solved for the final x."""


def _refitted(task: BilevelTask, at: State) -> dict[str, float]:
    """Returns these metrics; if x is too large to solve, the metrics without solving and "diverged"."""
    try:
        found = task.measured(task.solved(at.x))
    except RuntimeError:  # a step of L-BFGS overflows
        found = {}
    solved = bool(found) and all(map(isfinite, found.values()))
    told = found if solved else task.measured(at)
    return {**{f"refit {name}": told[name] for name in REFITTED}, **({} if solved else {"diverged": 1})}


def _told(counter: Counter, steps: int | None, seconds: float) -> dict[str, Any]:
    return {
        **({} if steps is None else {"outer steps": steps}),
        **{name.replace("_", " "): value for name, value in asdict(counter).items()},
        "samples": counter.samples,
        "calls": counter.calls,
        "seconds": seconds,
    }


def _finite(state: State) -> bool:
    return all(bool(value.isfinite().all()) for tree in (state.x, state.y) for value in tree.values())
