"""The command `bttt export`: writes a network as a file for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from bttt.command_line import suggest
from bttt.runs import OK

if TYPE_CHECKING:
    from agents.alphazero.export.writing import Exported

PREFIX = "alphazero:"


@dataclass(frozen=True)
class ExportConfig:
    """Write a policy-value network as a file for other programs, and check it against torch.

    The file is read again by another runtime, and its outputs are compared with torch's on random positions.
    """

    network: Annotated[str, tyro.conf.Positional]
    """A bundled network (all, d4, r2, r3), the folder of a training run or of a level, or a checkpoint
    file."""
    file: Annotated[Path, tyro.conf.Positional]
    """File to write: .onnx, .xml (OpenVINO IR, with a .bin beside it) or .pt2 (torch.export). It replaces
    only files of this command."""
    architecture: str | None = None
    """python:module:Class of a network of your own. Default: a network of bttt."""
    encoding: str | None = None
    """python:module:function of an encoding of your own. Default: an encoding of bttt."""


def run(config: ExportConfig) -> int:
    """Writes the file, prints what it holds, and returns 0.

    Raises:
        ValueError: An option is wrong, or the file does not answer as torch does.
        OSError: The file cannot be written.
    """
    from agents.alphazero.export.writing import export_network  # torch, which takes seconds to load

    name = config.network.removeprefix(PREFIX)
    found = export_network(name, config.file, architecture=config.architecture, encoding=config.encoding)
    print("\n".join(lines(found)))
    plugins = {"architecture": config.architecture, "encoding": config.encoding}
    options = [f",{option}={plugin}" for option, plugin in plugins.items() if plugin]
    suggest("play", "--second", "".join([PREFIX, name, *options]), why="play against it")
    return OK


def lines(found: Exported) -> list[str]:
    """Returns what a file holds, and how far it is from torch."""
    from agents.alphazero.export.comparison import BATCHES, TOLERANCE

    sizes = ", ".join(f"{rows}x{cols}" for rows, cols in found.sizes)
    positions = sum(BATCHES) * len(found.sizes)
    reader = f"{found.format.reader} {version(found.format.reader)}"
    facts = found.description.tensors() | {
        "boards": found.description.boards_text(),
        "checked": f"read by {reader}, it differs from torch in float32 by at most {found.difference:.1g} "
        f"({TOLERANCE:g} is allowed) in {positions} positions, {min(BATCHES)} to {max(BATCHES)} at once, "
        f"on {sizes}",
    }
    files = " ".join(map(str, reversed(found.files)))
    return [*(f"{name:8}{text}" for name, text in facts.items()), f"written: {files} ({found.format.name})"]
