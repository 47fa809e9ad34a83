"""Finds checkpoints, bundled or a user's, and reads their records without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bttt.runs import json_value, nearest

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
            header = json_value(file.read(min(length, MOST_HEADER)))
        return checked_record(json_value(header["__metadata__"]["header"])["record"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is corrupt or not a checkpoint") from error


def checked_record(found: Any) -> dict[str, Any]:
    """Returns the record of a checkpoint; ValueError if an entry that programs read has a wrong type."""
    if not isinstance(found, dict):
        raise ValueError("its record is not a JSON object")
    boards, seed, config = found.get("boards", []), found.get("seed", 0), found.get("config", {})
    if not isinstance(boards, list) or not all(isinstance(board, str) for board in boards):
        raise ValueError("the entry 'boards' of its record must be a list of boards")
    if not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ValueError(f"the entry 'seed' of its record must be a whole number, got {seed!r}")
    search = config.get("search", {}) if isinstance(config, dict) else None
    if not isinstance(found.get("pruning", {}), dict):
        raise ValueError("the entry 'pruning' of its record must be a JSON object")
    if not isinstance(search, dict) or not _is_fraction(search.get("discount", 1)):
        raise ValueError("the entry 'config' of its record has no valid search.discount")
    return found


def _is_fraction(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value <= 1
