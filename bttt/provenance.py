"""What a result was made with: command, date, versions."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any


def provenance(config: Any) -> dict[str, Any]:
    """Returns the command, the date, and the versions that made a result, ready for JSON.

    Args:
        config: The command's configuration, a dataclass.
    """
    return {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "config": {name: _plain(value) for name, value in asdict(config).items()},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "packages": {name: version(name) for name in ("numpy", "numba")},
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
