"""Finds checkpoints, bundled or a user's, and reads their records without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bttt.runs import nearest

SUFFIX = ".safetensors"
RUN_FILE = f"network{SUFFIX}"
"""File name of the network in a training run's folder."""
FOLDER = Path(__file__).parent
MOST_HEADER = 10_000_000
"""Maximum header size in bytes; a file with a longer header is not a checkpoint."""


def shipped() -> list[str]:
    """Returns the names of the bundled networks."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def find_network(name: str) -> Path:
    """Returns the path of a checkpoint.

    Args:
        name: A bundled network in upper or lower case, a training run's folder, or a checkpoint file. Bundled
            names take precedence; a folder of the same name is "./d4".

    Raises:
        ValueError: There is no such network.
    """
    if name.lower() in shipped():
        return FOLDER / f"{name.lower()}{SUFFIX}"
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / RUN_FILE).is_file():
            raise ValueError(f"folder {name!r} has no {RUN_FILE}: give the folder of a bttt train run")
        return path / RUN_FILE
    if not path.is_file():
        raise ValueError(
            f"no network {name!r}{nearest(name, shipped())}: give one of {', '.join(shipped()) or 'none'}, "
            f"the folder of a training run with a {RUN_FILE}, or a checkpoint file"
        )
    return path


def record(path: Path) -> dict[str, Any]:
    """Returns the record of a checkpoint: bricks, boards, command, seed, date and measurements.

    Raises:
        ValueError: The file is not a checkpoint.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, MOST_HEADER)))
        found = json.loads(header["__metadata__"]["header"])["record"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is corrupt or not a checkpoint") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} is corrupt or not a checkpoint")
    return found
