"""A buffer of self-play to retrain pruned networks on, split by game.

Shapes: N samples.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.alphazero import SearchConfig, SelfPlayConfig
from agents.alphazero.learning import sample_type
from agents.alphazero.search import Evaluator
from agents.alphazero.training import SelfPlay
from bttt import Board
from bttt.runs import json_value, read_bytes, write_bytes
from pruning.reading import require_plausible

VALIDATION_GAMES = 10
"""One game in this many belongs to the validation split."""


@dataclass(frozen=True)
class Buffer:
    """Samples of complete games.

    Attributes:
        samples: `[N]` of `agents.alphazero.learning.sample_type`.
        games: `[N] int64`, the number of each sample's game.
    """

    samples: np.ndarray
    games: np.ndarray

    def split(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the training samples and the validation samples; no game has samples in both."""
        validation = self.games % VALIDATION_GAMES == 0
        return self.samples[~validation], self.samples[validation]


def play_buffer(
    evaluate: Evaluator,
    boards: Sequence[Board],
    bricks_plane: bool,
    *,
    positions: int,
    config: SelfPlayConfig,
    search: SearchConfig,
    seed: int,
) -> Buffer:
    """Returns a buffer of at least `positions` positions from self-play games of a network.

    It plays enough games for both splits to have some.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    selfplay = SelfPlay(boards, config, search, bricks_plane, rng)
    samples: list[np.ndarray] = []
    sizes: list[np.ndarray] = []
    found = 0
    while found < positions or sum(map(len, sizes)) < VALIDATION_GAMES:
        played = selfplay.run(evaluate, 1, rng)
        samples.append(played.samples)
        sizes.append(played.sizes)
        found += len(played.samples)
    lengths = np.concatenate(sizes)
    return Buffer(np.concatenate(samples), np.repeat(np.arange(len(lengths)), lengths))


def save_buffer(buffer: Buffer, path: Path, made: Mapping[str, Any]) -> None:
    """Writes a buffer and the settings it was made with, as JSON values, atomically."""
    file = io.BytesIO()
    told = np.array(json.dumps(made))
    np.savez_compressed(file, samples=buffer.samples, games=buffer.games, made=told)
    write_bytes(path, file.getvalue())


def load_buffer(
    path: Path, cells: int, made: Mapping[str, Any], *, earlier: Mapping[str, Any] | None = None
) -> Buffer:
    """Returns a buffer that `save_buffer` wrote.

    Args:
        path: The file.
        cells: Cells of a board.
        made: The settings that it must have been made with.
        earlier: Some of these settings as earlier versions stored them.

    Raises:
        ValueError: It is corrupt, or has other settings.
    """
    try:
        samples, games, told = _arrays(path, "samples", "games", "made")
        stored = json_value(str(told))
        if samples.dtype != sample_type(cells) or samples.ndim != 1 or not len(samples):
            raise ValueError("it has no samples, or samples of boards of another size")
        if games.dtype != np.int64 or games.shape != samples.shape or not isinstance(stored, dict):
            raise ValueError("it does not say the games of its samples")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path} is corrupt, or not a buffer of bttt prune ({' '.join(str(error).split())}): delete it, "
            "or choose another --buffer"
        ) from error
    for name, value in made.items():
        if stored.get(name) not in (value, (earlier or {}).get(name, value)):
            raise ValueError(
                f"{path} was made with other settings: {name} is {stored.get(name)!r} there, {value!r} here; "
                "choose another --buffer"
            )
    return Buffer(samples, games)


def _arrays(path: Path, *names: str) -> list[np.ndarray]:
    """Returns arrays of an .npz file; raises ValueError before memory is spent on what it does not hold."""
    content = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in names:
                require_plausible(path, archive.getinfo(f"{name}.npy").file_size, len(content))
            return [_array(archive.read(f"{name}.npy")) for name in names]
    except KeyError as error:
        raise ValueError(f"not an .npz file with the arrays {', '.join(names)}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"not a complete .npz file: {error}") from error


def _array(content: bytes) -> np.ndarray:
    """Returns the array of an .npy file; ValueError if it is not one, or promises more than it holds."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(file)
    if kind.hasobject or math.prod(shape) * kind.itemsize != len(content) - file.tell():
        raise ValueError(f"it promises an array {shape} of {kind}, but has {len(content)} bytes")
    file.seek(0)
    found: np.ndarray = np.load(file, allow_pickle=False)
    return found
