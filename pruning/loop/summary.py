"""What a run leaves beside its cycles: a table of the results, and how to load a level."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from math import isnan
from pathlib import Path

from pruning.loop.results import Result

TABLE_FILE, README_FILE = "results.csv", "README.txt"
README = """A run of pruning.loop.run: {cycles} finished cycles; the last one is cycle {last}.

results.csv                one row for each cycle; cycle 0 is the dense network
cycle-NN.safetensors       the network after cycle NN, the masks, the result and the plan

The same call of run resumes it. To load the last level:

    from pathlib import Path
    from pruning.loop import stored_masks, stored_results, stored_weights

    folder = Path({folder!r})
    network = task.build(None)                        # the task that was pruned
    network.load_state_dict(stored_weights(folder))   # the last cycle; pruned weights are 0
    masks = stored_masks(folder)[-1]                  # of each cycle, the dense one first
    result = stored_results(folder)[-1]

An earlier level, where its file kept its network:

    from pruning.loop import cycle_weights

    network.load_state_dict(cycle_weights(folder, {last}))
{units}"""
UNITS = """
Channels were pruned. For a smaller network, remove the channels whose masks are False:

    from pruning import find_groups, shrink

    small, _ = shrink(network, find_groups(network, task.example), masks)
"""
STARTS = {TABLE_FILE: "cycle,density,kept", README_FILE: README[: README.index("{")]}
"""How the files of a run begin; others are a person's."""


def summary_rows(results: Sequence[Result]) -> list[dict[str, float | int | str]]:
    """Returns a table of results, one row for each cycle; columns without any number are left out.

    No measure has the name of another column: a `Result` refuses it.
    """
    rows: list[dict[str, float | int | str]] = []
    for result in results:
        numbers: dict[str, float | int] = {
            "density": result.density,
            "kept": result.kept,
            "prunable": result.prunable,
            **result.measures,
            "density of all weights": result.density_of_all,
            "dense macs": result.dense_macs,
            "sparse macs": result.sparse_macs,
            "dense bytes": result.dense_bytes,
            "sparse bytes": result.sparse_bytes,
            "seconds": result.seconds.total,
        }
        rows.append({"cycle": result.cycle, **numbers, "left out": " ".join(result.left_out)})
    heads = dict.fromkeys(head for row in rows for head in row)
    empty = [head for head in heads if all(_empty(row.get(head, "")) for row in rows)]
    return [{head: row.get(head, "") for head in heads if head not in empty} for row in rows]


def require_room(folder: Path) -> None:
    """Raises ValueError if a folder without cycles has a results.csv or README.txt of somebody else."""
    if foreign := [name for name in STARTS if not _is_ours(folder / name)]:
        raise ValueError(
            f"{folder / foreign[0]} is of no pruning run, which would replace it: use another folder"
        )


def write_summary(folder: Path, results: Sequence[Result], *, units: bool) -> None:
    """Writes results.csv and README.txt into a run's folder, atomically; those of a person stay.

    Args:
        folder: The run's folder.
        results: The results of all finished cycles.
        units: Whether units were pruned, and can be removed.
    """
    file = io.StringIO()
    rows = summary_rows(results)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(_cell, rows[0]))
    writer.writerows(map(_cell, row.values()) for row in rows)
    _write(folder / TABLE_FILE, file.getvalue())
    told = {"cycles": len(results), "last": len(results) - 1, "folder": str(folder)}
    _write(folder / README_FILE, README.format(**told, units=UNITS if units else ""))


def _is_ours(path: Path) -> bool:
    """Returns whether a file is missing or begins as a run writes it."""
    if not path.exists():
        return not path.is_symlink()
    start = STARTS[path.name].encode()
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(start)) == start


def _empty(value: float | str) -> bool:
    return value == "" or (isinstance(value, float) and isnan(value))


def _cell(value: float | str) -> float | str:
    """Returns a cell; a text that a spreadsheet could take for a formula gets an apostrophe."""
    risky = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if risky else value


def _write(path: Path, text: str) -> None:
    if not _is_ours(path):
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
