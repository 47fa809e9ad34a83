"""The stored state of a training run, from which it resumes; killing the process never corrupts it.

`state.safetensors` is replaced after each iteration and is authoritative: metrics and samples of later
iterations are deleted on resumption. `samples/` has one file per iteration, for the iterations still in the
replay buffer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.alphazero.network import read_network_file, write_network_file
from bttt.runs import as_record, json_value, read_bytes, read_text, write_bytes, write_text

FORMAT = "bttt training state"
VERSION = 1
STATE_NAME, METRICS_NAME, SAMPLES_NAME = "state.safetensors", "metrics.jsonl", "samples"
REMEDY = "restore it from a copy, or train again with another --out"


@dataclass(frozen=True, slots=True)
class TrainingCounts:
    """Counts of a training run so far.

    Attributes:
        iteration: Finished iterations.
        seconds: Seconds of work.
        games: Finished games.
        positions: Samples of these games.
        simulations: Simulations run.
        steps: Gradient steps. Due steps are computed from all samples, so fractions of a step are not lost.
        buffer: Samples in the replay buffer.
        best: Lowest error rate on training boards so far, as a fraction; None before the first evaluation.
        reached: The goal reached (`TrainConfig.until`), if one was.
    """

    iteration: int = 0
    seconds: float = 0.0
    games: int = 0
    positions: int = 0
    simulations: int = 0
    steps: int = 0
    buffer: int = 0
    best: float | None = None
    reached: str | None = None

    def moved(self, **changes: Any) -> TrainingCounts:
        """Returns the counts with some of them replaced."""
        return replace(self, **changes)


class TrainingState:
    """The files of a training run.

    Args:
        folder: The run's folder, which must exist.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        (folder / SAMPLES_NAME).mkdir(exist_ok=True)

    def load(self) -> tuple[TrainingCounts, dict[str, Tensor]]:
        """Returns the counts and tensors saved; zero counts and no tensors for a new run.

        Raises:
            ValueError: The state is corrupt, or missing although there are metrics.
        """
        path = self._folder / STATE_NAME
        counts = TrainingCounts()
        tensors: dict[str, Tensor] = {}
        if path.exists():
            tensors, header = read_network_file(path, FORMAT, VERSION)
            try:
                counts = as_record(TrainingCounts, header)
            except ValueError as error:
                raise ValueError(f"{path} is corrupt ({error}): {REMEDY}") from error
        self._drop_later(counts.iteration)
        return counts, tensors

    def save(self, counts: TrainingCounts, tensors: Mapping[str, Tensor]) -> None:
        """Writes the state of a finished iteration; its samples and metrics must have been added before."""
        write_network_file(self._folder / STATE_NAME, tensors, FORMAT, VERSION, asdict(counts))

    def add_samples(self, iteration: int, samples: np.ndarray) -> None:
        """Writes the samples of an iteration."""
        path = self._shard(iteration)
        write_bytes(path, samples.tobytes())

    def samples(self, kind: np.dtype, most: int) -> np.ndarray:
        """Returns the most recent samples, at most `most`; raises ValueError if a file is corrupt."""
        parts: list[np.ndarray] = []
        for _, path in reversed(self._shards()):
            content = read_bytes(path)
            if len(content) % kind.itemsize:
                size = f"its size is not a multiple of {kind.itemsize} bytes"
                raise ValueError(f"{path} is corrupt ({size}): {REMEDY}")
            parts.insert(0, np.frombuffer(content, kind))
            if sum(map(len, parts)) >= most:
                break
        return np.concatenate(parts)[-most:] if parts else np.empty(0, kind)

    def shards(self, kind: np.dtype) -> list[tuple[int, int]]:
        """Returns the iterations with stored samples, in order, and the number of samples of each."""
        return [(iteration, path.stat().st_size // kind.itemsize) for iteration, path in self._shards()]

    def forget_samples(self, iteration: int) -> None:
        """Deletes the samples of an iteration that has left the replay buffer."""
        self._shard(iteration).unlink(missing_ok=True)

    def add_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Appends a line to metrics.jsonl."""
        with (self._folder / METRICS_NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(metrics) + "\n")

    def _shard(self, iteration: int) -> Path:
        return self._folder / SAMPLES_NAME / f"{iteration:08d}.bin"

    def _shards(self) -> list[tuple[int, Path]]:
        """Returns the iterations with stored samples, in order, and their files."""
        paths = (self._folder / SAMPLES_NAME).glob("*.bin")
        return sorted((int(path.stem), path) for path in paths if path.stem.isdecimal())

    def _drop_later(self, iteration: int) -> None:
        """Deletes the files of an interrupted iteration."""
        path = self._folder / METRICS_NAME
        if path.exists():
            lines = _whole_lines(path)
            kept = [line for line, reached in lines.items() if reached <= iteration]
            if not iteration and len(lines) > 1:  # only the first line is written before any state
                raise ValueError(
                    f"{self._folder} has metrics of a training run, but {STATE_NAME} is missing: {REMEDY}"
                )
            write_text(path, "".join(kept))
        for later, path in self._shards():
            if later > iteration:
                path.unlink()
        for folder in (self._folder, self._folder / SAMPLES_NAME):
            for path in folder.glob(".*.tmp"):
                path.unlink()


def _whole_lines(path: Path) -> dict[str, int]:
    """Returns the lines of metrics.jsonl with their iterations, without an incomplete last line.

    Raises:
        ValueError: Another line is corrupt.
    """
    found: dict[str, int] = {}
    for number, line in enumerate(read_text(path).splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            break
        try:
            found[line] = int(json_value(line)["iteration"])
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"line {number} of {path} is corrupt: repair or delete the line") from error
    return found


def as_tensors(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, Tensor]:
    """Returns arrays as tensors with prefixed names; words become signed, which all safetensors store."""
    signed = {np.dtype(np.uint64): np.int64}
    return {
        f"{prefix}{name}": torch.from_numpy(array.view(signed.get(array.dtype, array.dtype)).copy())
        for name, array in arrays.items()
    }


def as_arrays(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, np.ndarray]:
    """Returns the arrays that `as_tensors` stored with this prefix; words stay signed."""
    return {
        name.removeprefix(prefix): tensor.numpy()
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
