"""Writes a network as a file for other programs, once it has been read again and agrees with torch."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from agents.alphazero.export.comparison import ANY_SIZE, TOLERANCE, largest_difference
from agents.alphazero.export.description import MARK, Description, describe
from agents.alphazero.export.formats import Format, format_of, quiet
from agents.alphazero.network import AlphaZeroNetwork, digests_of, for_inference, load_checkpoint
from agents.alphazero.weights import find_network
from bttt.runs import FAILURES, one_line, read_bytes, write_bytes

EXAMPLE_BATCH = 3
ANY_EXAMPLE = (7, 6)
"""Rows and columns of the example for a network for any size: unequal, so that neither becomes the other."""


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        files: The files, the given one last.
        format: Its format.
        description: What its inputs and outputs mean.
        difference: Largest difference from torch in float32, as `TOLERANCE` measures it.
        sizes: Rows and columns of the boards compared.
    """

    files: tuple[Path, ...]
    format: Format
    description: Description
    difference: float
    sizes: tuple[tuple[int, int], ...]


def export_network(
    name: str, path: Path, *, architecture: str | None = None, encoding: str | None = None
) -> Exported:
    """Writes a network as .onnx, .xml (and .bin) or .pt2, and returns what was written.

    The file is made in a temporary folder, read again by another runtime, and compared with torch; only a
    file that agrees is moved to its place.

    Args:
        name: A bundled network, the folder of a training run or of a level, or a checkpoint file.
        path: The file; its suffix decides the format. It may replace only files of this function.
        architecture: "python:module:Class" of a user's network.
        encoding: "python:module:function" of a user's encoding.

    Raises:
        ValueError: There is no such network, the suffix is unknown, a package is missing, the path is someone
            else's file, or the network cannot be exported or answers differently from the file.
        OSError: The file cannot be written.
    """
    form = format_of(path)
    _check_place(path)
    source = find_network(name)
    network, record = load_checkpoint(source, architecture=architecture, encoding=encoding)
    description = describe(network, name, digests_of(source).learned, record)
    sizes = ANY_SIZE if description.size is None else (description.size,)
    with TemporaryDirectory() as folder, quiet():
        try:
            made = _write(network, description, form, Path(folder) / path.name)
            bricks_plane = network.config.encoding == "bricks"
            difference = largest_difference(network, form.read(made[-1]), sizes, bricks_plane)
        except FAILURES as error:
            raise ValueError(f"{name} cannot be exported as {form.name}: {one_line(error)}") from error
        if not difference <= TOLERANCE:
            raise ValueError(
                f"{path} is not written: as {form.name}, {name} answers differently from torch in float32, "
                f"by up to {difference:.2g}; at most {TOLERANCE:g} is allowed"
            )
        _move(made, path)
    files = tuple(path.with_name(each.name) for each in made)
    return Exported(files, form, description, difference, sizes)


def _write(network: AlphaZeroNetwork, description: Description, form: Format, path: Path) -> tuple[Path, ...]:
    rows, cols = description.size or ANY_EXAMPLE
    axes = {0: "batch"} if description.size else {0: "batch", 2: "rows", 3: "cols"}
    example = torch.zeros(EXAMPLE_BATCH, 3, rows, cols)
    return form.write(for_inference(network).to("cpu"), example, axes, description.metadata(), path)


def _check_place(path: Path) -> None:
    """Raises an error if a file cannot be written there, or would replace a file of somebody else."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: its folder does not exist: make it, or choose another path")
    weights = path.with_suffix(".bin")
    if path.exists() and MARK.encode() not in read_bytes(path):
        raise ValueError(f"{path} exists, and bttt has not exported it: choose another FILE")
    if path.suffix.lower() == ".xml" and weights.exists() and not path.exists():
        raise ValueError(f"{weights} exists, and its {path.name} does not: delete it, or choose another FILE")


def _move(made: Sequence[Path], path: Path) -> None:
    """Writes the files to their place. A killed process leaves no file with the weights of another."""
    if len(made) > 1:
        path.unlink(missing_ok=True)
    for each in made:
        write_bytes(path.with_name(each.name), read_bytes(each))
