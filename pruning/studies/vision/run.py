"""Runs the jobs of a vision experiment, side by side in processes, and reads what they found.

A job depends on the recipe and its own name alone, and writes its own folder; one that is finished is found
again. This process alone writes results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from bttt.runs import side_by_side, worker_count
from pruning.channels import shrink
from pruning.data import DataSet, load
from pruning.loop import Additions, Level, Plan, Result, stored_masks, stored_results, stored_weights
from pruning.loop import run as run_loop
from pruning.masks import Masks
from pruning.measures import cost
from pruning.studies.experiment import VisionConfig
from pruning.studies.vision.cost import relative_costs
from pruning.studies.vision.experiment import Arm, Job, Recipe, stages
from pruning.studies.vision.points import KEPT, Point
from pruning.studies.vision.task import VisionTask

SHUFFLING = 7
"""Key of the random numbers that shuffle masks."""
MORE, RELATIVE_COSTS = "more", "relative costs"
"""Groups of numbers in a stored result: those of the recipe's `measure`, and of `relative_costs`."""


def run_jobs(recipe: Recipe, folder: Path, config: VisionConfig) -> None:
    """Runs all jobs of a recipe, or the rest of them.

    Args:
        recipe: What is run.
        folder: Where; it exists.
        config: Says where the data sets are, the device, and the number of processes.

    Raises:
        ValueError: The data are not there or damaged, or a folder holds runs of other settings.
        OSError: A worker process has died.
    """
    _data(recipe, config.data, config.download)  # errors before processes are started
    # workers are reused, and may be in the folder where they were started
    folder, data = folder.absolute(), config.data and config.data.absolute()
    every = list(stages(recipe))
    workers = worker_count(config.workers, max(map(len, every)))
    with tqdm(total=sum(map(len, every)), unit="run", disable=None) as progress:
        for jobs in every:
            calls = ((recipe, folder, job, data, config.download, config.device) for job in jobs)
            side_by_side(_run, calls, workers=workers, progress=progress)


def read_points(recipe: Recipe, folder: Path) -> list[Point]:
    """Returns what the finished cycles of all arms measured.

    A network that is pruned untrained is none: its cycle 0 is no dense network.

    Raises:
        ValueError: A file is damaged, or of another plan than the recipe's.
    """
    *_, hosts, followers = stages(recipe)
    plans = {job: recipe.plan_of(recipe.arms[job.arm], job.part, job.seed) for job in (*hosts, *followers)}
    return [
        _point(plan, job, result)
        for job, plan in plans.items()
        for result in stored_results(folder / job.folder, plan)
        if result.cycle or not plan.start.untrained
    ]


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
    """Runs one job, or the rest of it, and returns its name."""
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
    """Returns what a finished network achieves on the test split, and what guessing would."""
    found = task.measured(level.network, "test")
    return {f"test {name}": value for name, value in found.items()} | {"chance": 1 / task.classes}


def _cost(task: VisionTask, level: Level) -> Mapping[str, float]:
    """Returns what a finished network costs, shrunk if channels were pruned."""
    network = level.network
    if level.removable is not None:
        network, _ = shrink(network, level.groups, level.removable)
    costs = cost(network, task.example)
    return {"parameters": costs.parameters, "macs": costs.macs}


def _given(recipe: Recipe, folder: Path, job: Job, arm: Arm) -> list[Masks]:
    """Returns the masks of the run that an arm follows, shuffled within their layers where it says so."""
    masks = stored_masks(folder / Job(arm.follows, "", job.part, job.seed).folder)
    if not arm.shuffled:
        return masks
    return list(_shuffled(masks, job.seed))


def _shuffled(masks: Sequence[Masks], seed: int) -> Iterator[Masks]:
    """Yields masks with the same counts in each layer, at random places, still each within the one before."""
    generator = torch.Generator().manual_seed(
        int(np.random.SeedSequence(seed, spawn_key=(SHUFFLING,)).generate_state(1)[0])
    )
    rank = {name: torch.randperm(mask.numel(), generator=generator) for name, mask in masks[0].items()}
    for each in masks:
        yield Masks({name: (rank[name] < int(mask.sum())).view(mask.shape) for name, mask in each.items()})


def _data(recipe: Recipe, folder: Path | None, download: bool) -> DataSet:
    """Returns a recipe's images; ValueError where they are not there, damaged or too few."""
    found = _loaded(recipe.data, folder, recipe.subset, recipe.classes, recipe.size, download)
    if not len(found.validation):
        raise ValueError(
            f"{len(found.train)} training images of {recipe.data} leave none for validation: take more"
        )
    return found


@lru_cache(maxsize=1)
def _loaded(
    name: str, folder: Path | None, subset: int | None, classes: int | None, size: int | None, download: bool
) -> DataSet:
    return load(name, folder, subset=subset, classes=classes, size=size, download=download)
