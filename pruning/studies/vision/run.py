"""Runs the jobs of a vision experiment in parallel processes, and reads their results.

A job depends only on the recipe and its own name, and writes its own folder; finished jobs are reused. Only
this process writes results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from bttt.processes import side_by_side, worker_count
from bttt.runs import checking
from pruning.channels import shrink
from pruning.data import DataSet, load
from pruning.loop import (
    Additions,
    Level,
    Plan,
    Result,
    cycle_file,
    stored_masks,
    stored_results,
    stored_weights,
)
from pruning.loop import run as run_loop
from pruning.masks import Masks
from pruning.measures import cost
from pruning.studies.experiment import VisionConfig
from pruning.studies.vision.cost import relative_costs
from pruning.studies.vision.experiment import Arm, Job, Recipe, stages
from pruning.studies.vision.points import KEPT, Point
from pruning.studies.vision.task import VisionTask

SHUFFLING = 7
"""Key of the random-number stream that shuffles masks."""
MORE, RELATIVE_COSTS = "more", "relative costs"
"""Groups of numbers in a stored result: from the recipe's `measure`, and from `relative_costs`."""


def run_jobs(recipe: Recipe, folder: Path, config: VisionConfig) -> None:
    """Runs all unfinished jobs of a recipe.

    Args:
        recipe: The recipe to run.
        folder: An existing folder for the runs.
        config: Gives the data folder, the device, and the number of processes.

    Raises:
        ValueError: The data are missing or corrupt, or a folder holds runs with other settings.
        OSError: A worker process has died.
    """
    _data(recipe, config.data, config.download)  # errors before processes are started
    # reused workers may still be in the folder where they started
    folder, data = folder.absolute(), config.data and config.data.absolute()
    every = list(stages(recipe))
    workers = worker_count(config.workers, max(map(len, every)))
    with tqdm(total=sum(map(len, every)), unit="run", disable=None) as progress:
        for jobs in every:
            calls = ((recipe, folder, job, data, config.download, config.device) for job in jobs)
            side_by_side(_run, calls, workers=workers, progress=progress)


def read_points(recipe: Recipe, folder: Path) -> list[Point]:
    """Returns the measured points of all finished cycles of all variants.

    Cycle 0 of a variant that prunes untrained networks gives no point: it is not a trained dense network.

    Raises:
        ValueError: A file is corrupt, or belongs to another plan than the recipe's.
    """
    *_, hosts, followers = stages(recipe)
    plans = {job: recipe.plan_of(recipe.arms[job.arm], job.part, job.seed) for job in (*hosts, *followers)}
    found = []
    for job, plan in plans.items():
        for result in stored_results(folder / job.folder, plan):
            if result.cycle or not plan.start.untrained:
                with checking(cycle_file(folder / job.folder, result.cycle)):  # a metric may be missing
                    found.append(_point(plan, job, result))
    return found


def _point(plan: Plan, job: Job, result: Result) -> Point:
    measured = {n: value for n, value in result.measures.items() if n.startswith(("validation", "test"))}
    training = {f"training {name}" if name == "loss" else name: v for name, v in result.training.items()}
    layers = result.layers.items() if plan.start.untrained else ()
    peak = result.grid.best if result.grid else max(map(plan.lr(result.cycle), np.linspace(0, 1, 201)))
    metrics = {
        **measured,
        **training,
        **result.cost,
        **result.groups.get(RELATIVE_COSTS, {}),
        **result.groups.get(MORE, {}),
        **{f"{KEPT}{name}": kept / size for name, (kept, size) in layers},
        "chance": result.measures["chance"],
        "peak lr": peak,
        "seconds": result.seconds.total,
    }
    if result.grid:
        metrics["interval low"], metrics["interval high"] = result.grid.interval
    accuracy = result.measures["test accuracy"]
    return Point(job.arm, job.seed, job.part, result.cycle, result.density, accuracy, metrics)


def _run(recipe: Recipe, folder: Path, job: Job, data: Path | None, download: bool, device: str) -> str:
    """Starts or resumes one job, and returns its name."""
    if device == "cpu":
        torch.set_num_threads(1)
    images = _data(recipe, data, download)
    arm = recipe.arms[job.arm] if job.arm else None
    trained = stored_weights(folder / Job("", job.base, 0, job.seed).folder) if arm and job.base else None
    task = VisionTask(
        images,
        recipe.model,
        recipe.training_of(arm or recipe.bases[job.base]),
        seed=job.seed,
        width=recipe.width_of(arm, job.part),
        init=recipe.init,
        device=device,
        trained=trained,
    )
    plan = recipe.plan_of(arm, job.part, job.seed) if arm else recipe.base_plan(job.base, job.seed)

    def publish(level: Level) -> Additions:
        groups = {"cost": _cost(task, level)}
        if recipe.measure is not None:
            groups[MORE] = recipe.measure(job.arm, task, level)
        if arm:
            groups[RELATIVE_COSTS] = relative_costs(recipe, arm, job.part, task, level)
        return Additions(measures=_measured(task, level), groups=groups)

    given = _given(recipe, folder, job, arm) if arm and arm.follows else None
    run_loop(task, plan, folder / job.folder, publish, given=given, thin=True)
    return job.folder


def _measured(task: VisionTask, level: Level) -> dict[str, float]:
    """Returns a finished network's metrics on the test split, and the chance accuracy."""
    found = task.measured(level.network, "test")
    return {f"test {name}": value for name, value in found.items()} | {"chance": 1 / task.classes}


def _cost(task: VisionTask, level: Level) -> Mapping[str, float]:
    """Returns the costs of a finished network, shrunk if channels were pruned."""
    network = level.network
    if level.removable is not None:
        network, _ = shrink(network, level.groups, level.removable)
    costs = cost(network, task.example)
    return {"parameters": costs.parameters, "macs": costs.macs}


def _given(recipe: Recipe, folder: Path, job: Job, arm: Arm) -> list[Masks]:
    """Returns the masks of the run that a variant follows, shuffled within layers if `arm.shuffled`."""
    masks = stored_masks(folder / Job(arm.follows, "", job.part, job.seed).folder)
    if not arm.shuffled:
        return masks
    return list(_shuffled(masks, job.seed))


def _shuffled(masks: Sequence[Masks], seed: int) -> Iterator[Masks]:
    """Yields random masks with the same counts in each layer, each still a subset of the one before."""
    generator = torch.Generator().manual_seed(
        int(np.random.SeedSequence(seed, spawn_key=(SHUFFLING,)).generate_state(1)[0])
    )
    rank = {name: torch.randperm(mask.numel(), generator=generator) for name, mask in masks[0].items()}
    for each in masks:
        yield Masks({name: (rank[name] < int(mask.sum())).view(mask.shape) for name, mask in each.items()})


def _data(recipe: Recipe, folder: Path | None, download: bool) -> DataSet:
    """Returns a recipe's images; ValueError if they are missing, corrupt or too few."""
    found = _loaded(recipe.data, folder, recipe.subset, recipe.classes, recipe.size, download)
    if not len(found.validation):
        raise ValueError(
            f"{len(found.train)} training images of {recipe.data} leave none for validation: use more"
        )
    return found


@lru_cache(maxsize=1)
def _loaded(
    name: str, folder: Path | None, subset: int | None, classes: int | None, size: int | None, download: bool
) -> DataSet:
    return load(name, folder, subset=subset, classes=classes, size=size, download=download)
