"""The files of a run: one for each finished cycle, with the network, the masks, the result, plan and task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from torch import Tensor

from pruning.loop.identity import Fingerprint, changes, difference, unchanged
from pruning.loop.plan import LATER, SETTINGS, Plan
from pruning.loop.results import Result
from pruning.masks import Masks, read_header, read_tensors, write_tensors

KIND = "bttt pruning cycle"
CHANGING = "task changes"
"""Name in the header of what the cycle changed of the task."""
REMEDY = "delete it and the files of all later cycles, then rerun"


def cycle_file(folder: Path, cycle: int) -> Path:
    """Returns the file of a finished cycle."""
    return folder / f"cycle-{cycle:02}.safetensors"


def write_cycle(
    path: Path,
    tensors: Mapping[str, Tensor],
    result: Result,
    plan: Plan,
    task: tuple[Fingerprint, Fingerprint],
) -> None:
    """Writes a finished cycle, atomically, with what the cycle left alone of the task's fingerprint.

    Args:
        path: The file.
        tensors: Its tensors.
        result: The result of the cycle.
        plan: The plan of the run.
        task: The fingerprint of the task before the run and after the cycle. What a cycle changes, for
            example a counter, is no property of the task.
    """
    told: dict[str, Any] = {"result": result.to_json(), "plan": plan.settings()}
    told |= {"task": unchanged(*task), CHANGING: changes(*task)}
    write_tensors(path, tensors, KIND, told)


def read_cycle(folder: Path, cycle: int, plan: Plan, task: Fingerprint) -> tuple[dict[str, Tensor], Result]:
    """Returns the tensors and the result of a finished cycle.

    Raises:
        ValueError: The file is corrupt, or belongs to another plan, task or cycle.
    """
    path = cycle_file(folder, cycle)
    tensors, header = read_tensors(path, KIND)
    _check_plan(path, header, plan)
    changing = header.get(CHANGING)
    if not isinstance(changing, list | None):
        raise ValueError(f"{path} is corrupt: its {CHANGING} are no list; {REMEDY}")
    if differs := difference(_object(path, header, "task"), task, changing):
        raise ValueError(f"{path} belongs to another task: {differs}; use another folder")
    result = _result(path, header)
    if result.cycle != cycle:
        raise ValueError(f"{path} is corrupt: it holds cycle {result.cycle}, expected cycle {cycle}")
    return tensors, result


def next_masks(path: Path, tensors: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> Masks:
    """Returns the masks that a cycle left to the next one.

    Args:
        path: The cycle's file, for messages.
        tensors: The file's tensors.
        shapes: The names and shapes of the masks.

    Raises:
        ValueError: The file has no such masks.
    """
    found = without_prefix(tensors, "next.")
    if {name: tuple(mask.shape) for name, mask in found.items()} != dict(shapes):
        raise ValueError(f"{path} has masks of other layers than the network: use another folder")
    try:
        return Masks({name: found[name] for name in shapes})
    except ValueError as error:
        raise ValueError(f"{path} is corrupt: {error}; {REMEDY}") from error


def drop_weights(path: Path) -> None:
    """Rewrites a cycle's file without its network."""
    tensors, header = read_tensors(path, KIND)
    masks = {name: tensor for name, tensor in tensors.items() if name.startswith(("next.", "last."))}
    write_tensors(path, masks, KIND, header)


def stored_results(
    folder: Path, plan: Plan | None = None, *, measures: Iterable[str] = (), cost: Iterable[str] = ()
) -> list[Result]:
    """Returns the results of a run's finished cycles.

    Args:
        folder: The run's folder.
        plan: The plan that the run must have; None takes any.
        measures: Measures that each result must have.
        cost: Numbers that each result's cost must have.

    Raises:
        ValueError: A file is corrupt, belongs to another plan than the given one, or lacks a number.
    """
    results: list[Result] = []
    while (path := cycle_file(folder, len(results))).exists():
        header = read_header(path, KIND)
        if plan is not None:
            _check_plan(path, header, plan)
        results.append(_result(path, header))
        have = {*results[-1].measures, *(f"cost {name}" for name in results[-1].cost)}
        if missing := [name for name in (*measures, *(f"cost {each}" for each in cost)) if name not in have]:
            raise ValueError(f"{path} is corrupt: its result has no {missing[0]!r}; {REMEDY}")
    return results


def finished_cycles(folders: Iterable[Path]) -> int:
    """Returns the number of finished cycles in the folders of runs."""
    return sum(
        next(cycle for cycle in count() if not cycle_file(folder, cycle).exists()) for folder in folders
    )


def stored_masks(folder: Path) -> list[Masks]:
    """Returns the masks of each finished cycle at its end, from a run without given masks.

    Raises:
        ValueError: A file is corrupt, or no cycle is finished.
    """
    found: list[Masks] = []
    left: Mapping[str, Tensor] = {}
    for cycle, result in enumerate(stored_results(folder)):
        path = cycle_file(folder, cycle)
        tensors, _ = read_tensors(path, KIND)
        shapes = {name: tuple(mask.shape) for name, mask in without_prefix(tensors, "next.").items()}
        if shapes.keys() != result.layers.keys():
            raise ValueError(f"{path} is corrupt: its masks and its result name different layers; {REMEDY}")
        after = next_masks(path, tensors, {name: shapes[name] for name in result.layers})
        left = left or Masks.ones(after.shapes)
        found.append(Masks(without_prefix(tensors, "last.") or left))
        if found[-1].digest() != result.masks:
            raise ValueError(f"{path} is corrupt: its masks do not match its digest; {REMEDY}")
        left = after
    if not found:
        raise ValueError(f"{folder} holds no finished cycle: expected the folder of a pruning run")
    return found


def stored_weights(folder: Path) -> dict[str, Tensor]:
    """Returns the network's state after a run's last finished cycle; ValueError if no cycle is finished."""
    return cycle_weights(folder, max(0, len(stored_results(folder)) - 1))


def cycle_weights(folder: Path, cycle: int) -> dict[str, Tensor]:
    """Returns the network's state after a cycle; ValueError if its file is missing or has no network."""
    path = cycle_file(folder, cycle)
    if found := without_prefix(read_tensors(path, KIND)[0], "network."):
        return found
    raise ValueError(f"{path} has no network: this run kept only the network of its last cycle")


def without_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Returns the tensors whose names have a prefix, under their names without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _result(path: Path, header: Mapping[str, Any]) -> Result:
    stored = _object(path, header, "result")
    try:
        return Result.from_json(stored)
    except ValueError as error:
        raise ValueError(f"{path} is corrupt: {error}; {REMEDY}") from error


def _object(path: Path, header: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Returns a JSON object of a header; {} if an earlier version did not store it."""
    found = header.get(name, {})
    if not isinstance(found, Mapping):
        raise ValueError(f"{path} is corrupt: its {name} is not an object; {REMEDY}")
    return found


def _check_plan(path: Path, header: Mapping[str, Any], plan: Plan) -> None:
    """Raises ValueError if another plan made a cycle; the settings of `Stop` may differ."""
    ours, theirs = {**LATER, **plan.settings()}, _object(path, header, "plan")
    if ours["count"] is not None and theirs.get("count") is not None:
        theirs = {
            **theirs,
            "fraction": ours["fraction"],
        }  # was never used
    for name, value in {**LATER, **theirs}.items():
        if SETTINGS.get(name) != "stop" and ours.get(name) != value:
            raise ValueError(
                f"{path} belongs to another plan: {name} is {value!r} there, {ours.get(name)!r} here"
            )
