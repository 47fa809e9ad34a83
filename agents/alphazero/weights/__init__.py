"""The networks that come with the package, and where a network's name leads."""

from __future__ import annotations

from pathlib import Path

from agents.options import nearest

SUFFIX = ".safetensors"
RUN_FILE = f"network{SUFFIX}"
"""The network of a training run, in its folder."""
FOLDER = Path(__file__).parent


def shipped() -> list[str]:
    """Returns the names of the networks that come with the package."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def find_network(name: str) -> Path:
    """Returns the checkpoint of a shipped network, a training run's folder, or a checkpoint file.

    Raises:
        ValueError: There is none.
    """
    if name in shipped():
        return FOLDER / f"{name}{SUFFIX}"
    path = Path(name).expanduser()
    if path.is_dir():
        path /= RUN_FILE
    if not path.is_file():
        raise ValueError(
            f"no network {name!r}{nearest(name, shipped())}: give one of {', '.join(shipped()) or 'none'}, "
            f"the folder of a training run with a {RUN_FILE}, or a checkpoint file"
        )
    return path
