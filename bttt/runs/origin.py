"""The origin of results: versions, machine, command and date."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bttt.runs.settings import options_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RECORDED_PACKAGES = ("brick-tic-tac-toe", "numpy", "numba", "scipy", "torch", "openvino")


def environment() -> dict[str, Any]:
    """Returns the versions, machine, command and date of this process, ready for JSON."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "packages": {name: _installed(name) for name in RECORDED_PACKAGES},
    }


def provenance(config: DataclassInstance) -> dict[str, Any]:
    """Returns `environment()` and a command's configuration, ready for JSON."""
    return {**environment(), "config": options_of(config)}


def peak_memory_mb() -> float | None:
    """Returns the peak memory of this process in MB, or None if the system does not report it."""
    try:
        import resource
    except ImportError:  # Windows does not have it
        return None
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
