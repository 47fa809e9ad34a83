"""The files of a run: one for each finished cycle, with the network, the masks, the result and the plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pruning.loop.plan import SETTINGS, Plan
from pruning.loop.results import Result
from pruning.masks import Masks, read_header, read_tensors, write_tensors

KIND = "bttt pruning cycle"


def cycle_file(folder: Path, cycle: int) -> Path:
    """Returns the file of a finished cycle."""
    return folder / f"cycle-{cycle:02}.safetensors"


def write_cycle(path: Path, tensors: Mapping[str, Tensor], result: Result, plan: Plan) -> None:
    """Writes a finished cycle, atomically."""
    write_tensors(path, tensors, KIND, {"result": result.to_json(), "plan": plan.settings()})


def read_cycle(folder: Path, cycle: int, plan: Plan) -> tuple[dict[str, Tensor], Result]:
    """Returns the tensors and the result of a finished cycle.

    Raises:
        ValueError: The file is corrupt, or belongs to another plan or cycle.
    """
    path = cycle_file(folder, cycle)
    tensors, header = read_tensors(path, KIND)
    _check_plan(path, header, plan)
    result = _result(path, header)
    if result.cycle != cycle:
        raise ValueError(f"{path} is corrupt: it holds cycle {result.cycle}, expected cycle {cycle}")
    return tensors, result


def drop_weights(path: Path) -> None:
    """Rewrites a cycle's file without its network."""
    tensors, header = read_tensors(path, KIND)
    masks = {name: tensor for name, tensor in tensors.items() if name.startswith(("next.", "last."))}
    write_tensors(path, masks, KIND, header)


def stored_results(folder: Path, plan: Plan | None = None) -> list[Result]:
    """Returns the results of a run's finished cycles.

    Raises:
        ValueError: A file is corrupt, or belongs to another plan than the given one.
    """
    results: list[Result] = []
    while (path := cycle_file(folder, len(results))).exists():
        header = read_header(path, KIND)
        if plan is not None:
            _check_plan(path, header, plan)
        results.append(_result(path, header))
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
    left: dict[str, Tensor] = {}
    for cycle, result in enumerate(stored_results(folder)):
        tensors, _ = read_tensors(cycle_file(folder, cycle), KIND)
        left = left or {name: torch.ones_like(tensors[f"next.{name}"]) for name in result.layers}
        found.append(Masks(without_prefix(tensors, "last.") or left))
        if found[-1].digest() != result.masks:
            raise ValueError(f"{cycle_file(folder, cycle)} is corrupt: its masks do not match its digest")
        left = {name: tensors[f"next.{name}"] for name in result.layers}
    if not found:
        raise ValueError(f"{folder} holds no finished cycle: expected the folder of a pruning run")
    return found


def stored_weights(folder: Path) -> dict[str, Tensor]:
    """Returns the network's state after a run's last finished cycle; ValueError if no cycle is finished."""
    last = len(stored_results(folder)) - 1
    return without_prefix(read_tensors(cycle_file(folder, max(0, last)), KIND)[0], "network.")


def without_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Returns the tensors whose names have a prefix, under their names without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _result(path: Path, header: Mapping[str, Any]) -> Result:
    try:
        return Result.from_json(header.get("result", {}))
    except ValueError as error:
        raise ValueError(f"{path} is corrupt: {error}") from error


def _check_plan(path: Path, header: Mapping[str, Any], plan: Plan) -> None:
    """Raises ValueError if another plan made a cycle; the settings of `Stop` may differ."""
    ours = plan.settings()
    for name, value in header.get("plan", {}).items():
        if SETTINGS.get(name) != "stop" and ours.get(name) != value:
            raise ValueError(
                f"{path} belongs to another plan: {name} is {value!r} there, {ours.get(name)!r} here"
            )
