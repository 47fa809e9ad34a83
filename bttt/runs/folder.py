"""The folder of a run: its name, atomic writes, and the record of where it was made."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RUNS = Path("runs")
RECORDED_PACKAGES = ("brick-tic-tac-toe", "numpy", "numba", "scipy", "torch", "onnxruntime")


def default_folder(command: str, settings: Mapping[str, Any]) -> Path:
    """Returns `runs/<command>-<hash of the settings>`: the same settings find the same folder again."""
    canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return RUNS / f"{command}-{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"


def open_folder(folder: Path, settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Makes a run's folder, or checks that it holds a run with these settings.

    Args:
        folder: The folder.
        settings: What decides the run, as JSON values; those of a run are in its config.json.
        defaults: What a setting was before it existed, for runs that were made then.

    Raises:
        ValueError: It is a file, holds other things, or a run with other settings.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"out must be a folder, {folder} is a file")
    stored = read_json(folder / "config.json", dict) if folder.is_dir() else {}
    if not stored and folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise ValueError(f"out must be a new folder or that of a run, {folder} holds other files")
    before = _with_defaults(stored, defaults)
    for name, value in settings.items():
        if stored and before.get(name) != value:
            raise ValueError(
                f"{folder} holds a run with other settings: {name} is {before.get(name)!r} there, "
                f"{value!r} here; choose another --out"
            )
    folder.mkdir(parents=True, exist_ok=True)


def _with_defaults(stored: Any, defaults: Any) -> Any:
    """Returns stored settings; one that did not exist when they were stored has its default."""
    if not isinstance(stored, Mapping) or not isinstance(defaults, Mapping):
        return stored
    return {**defaults, **{name: _with_defaults(value, defaults.get(name)) for name, value in stored.items()}}


def write_text(path: Path, text: str) -> None:
    """Writes a file atomically: a kill leaves the old content or the new, never a part."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file atomically: a kill leaves the old content or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path, kind: type) -> Any:
    """Returns the JSON of a file that this program wrote, or an empty `kind` where there is no file.

    Raises:
        ValueError: The file holds no JSON of that kind.
    """
    if not path.exists():
        return kind()
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): mend or delete it") from error
    if not isinstance(value, kind):
        raise ValueError(f"{path} is damaged (no {kind.__name__}): mend or delete it")
    return value


def add_environment(folder: Path, **more: Any) -> None:
    """Adds this process, and what else is told of it, to environment.json, the list of all on the run."""
    path = folder / "environment.json"
    write_json(path, [*read_json(path, list), {**environment(), **more}])


def environment() -> dict[str, Any]:
    """Returns what a result may depend on beside its settings: versions, machine, command, date."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "packages": {name: _installed(name) for name in RECORDED_PACKAGES},
    }


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Keeps other processes out of a run's folder; where the system has no such locks, nothing is kept.

    Raises:
        ValueError: Another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(f"another process is at work in {folder}") from error
        yield


def peak_memory_mb() -> float | None:
    """Returns the most memory that this process has used, in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def provenance(config: Any) -> dict[str, Any]:
    """Returns `environment()` and a command's configuration, a dataclass, ready for JSON."""
    return {**environment(), "config": plain(asdict(config))}


def plain(value: Any) -> Any:
    """Returns a value of nested dicts, lists and tuples ready for JSON: paths become text."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
