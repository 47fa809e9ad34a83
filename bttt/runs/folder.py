"""The folders of runs and of results: one way to open each, for every command.

The settings of a run name its folder, and its config.json records them, so the same command finds the same
run again. A folder with other settings, or with files that no run wrote, is refused. A lock keeps other
processes out.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bttt.runs.files import read_json, write_json
from bttt.runs.origin import environment

RUNS = Path("runs")
CONFIG_FILE, ENVIRONMENT_FILE, LOCK_FILE = "config.json", "environment.json", ".lock"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The open folder of a run.

    Attributes:
        path: The folder.
    """

    path: Path

    def config(self) -> dict[str, Any]:
        """Returns the content of config.json; empty before it is written."""
        config: dict[str, Any] = read_json(self.path / CONFIG_FILE, dict)
        return config

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Writes config.json, atomically."""
        write_json(self.path / CONFIG_FILE, config)

    def add_environment(self, **more: Any) -> None:
        """Adds this process, and `more` about it, to environment.json, the list of this run's processes."""
        path = self.path / ENVIRONMENT_FILE
        write_json(path, [*read_json(path, list), {**environment(), **more}])


@contextmanager
def open_run(
    command: str,
    settings: Mapping[str, Any],
    *,
    out: Path | None = None,
    defaults: Mapping[str, Any] | None = None,
    earlier: Mapping[str, Any] | None = None,
    known_by: str = CONFIG_FILE,
) -> Iterator[RunFolder]:
    """Opens the folder of a run for this process alone, and creates it if needed.

    Args:
        command: The first part of the folder's default name.
        settings: The settings of the run, as JSON values; their hash names the folder.
        out: The folder; default: `runs/<command>-<hash of the settings>`.
        defaults: Values of settings for runs made before these settings existed.
        earlier: The same settings as earlier versions wrote them; a run of theirs is found and resumed.
        known_by: The file or folder that identifies a run of this command. If it is config.json, the settings
            stored there must equal `settings`; otherwise the command compares them itself.

    Raises:
        ValueError: `out` is a file, holds a run with other settings or other files, or another process uses
            it.
        OSError: The folder cannot be created.
    """
    folder = out or default_folder(command, settings, earlier)

    def check() -> None:
        _refuse_other_files(folder, (known_by,))
        if known_by == CONFIG_FILE:
            _refuse_other_settings(folder, settings, defaults or {}, earlier or {})

    with _checked_and_locked(folder, check):
        yield RunFolder(folder)


@contextmanager
def open_results(folder: Path, *known_by: str) -> Iterator[None]:
    """Opens a folder of results for this process alone, and creates it if needed.

    The command may be run again with other settings: it replaces its results.

    Args:
        folder: The folder.
        *known_by: The files that identify results of this command; one of them is enough.

    Raises:
        ValueError: It is a file, holds other files, or another process uses it.
        OSError: It cannot be created.
    """
    with _checked_and_locked(folder, lambda: _refuse_other_files(folder, known_by)):
        yield


def report_found(found: int, made: int, what: str, place: Path) -> None:
    """Prints how many results were found on disk, in one line on stderr; nothing if none were.

    Args:
        found: Results that were there before.
        made: Results made since then.
        what: Name of a result, for example "finished game".
        place: Folder or file of the results.
    """
    if not found:
        return
    added = f"{made} more {'was' if made == 1 else 'were'} made" if made else "nothing was run"
    sys.stdout.flush()
    print(f"{found} {what}{'s' if found > 1 else ''} found in {place}; {added}", file=sys.stderr)


def make_folder(folder: Path) -> None:
    """Creates a folder of runs or trained networks, which several commands may share.

    Raises:
        ValueError: It is a file.
        OSError: It cannot be created.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} must be a folder, but it is a file")
    folder.mkdir(parents=True, exist_ok=True)


def default_folder(
    command: str, settings: Mapping[str, Any], earlier: Mapping[str, Any] | None = None
) -> Path:
    """Returns `runs/<command>-<hash of the settings>`: the same settings give the same folder.

    Args:
        command: Name of the command.
        settings: The settings of the run, as JSON values.
        earlier: The same settings as earlier versions wrote them; if they have a folder, it is returned.
    """
    canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    folder = RUNS / f"{command}-{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"
    if earlier is not None and not folder.exists():
        before = default_folder(command, earlier)
        return before if before.exists() else folder
    return folder


def _refuse_other_files(folder: Path, known_by: Iterable[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"out must be a folder, but {folder} is a file")
    if not folder.is_dir() or any((folder / name).exists() for name in known_by):
        return
    if (folder / ENVIRONMENT_FILE).exists() and (folder / CONFIG_FILE).exists():
        missing = " or ".join(known_by)
        remedy = "restore it, or choose another --out"
        raise ValueError(f"{folder} holds {CONFIG_FILE} of a run, but {missing} is missing: {remedy}")
    if any(not path.name.startswith(".") for path in folder.iterdir()):
        raise ValueError(f"out must be a new folder or the folder of a run, but {folder} holds other files")


def _refuse_other_settings(
    folder: Path, settings: Mapping[str, Any], defaults: Mapping[str, Any], earlier: Mapping[str, Any]
) -> None:
    stored = read_json(folder / CONFIG_FILE, dict)
    if not stored:
        return
    if 2 * len(settings.keys() & stored.keys()) < len(settings):  # an older run lacks at most a few settings
        raise ValueError(
            f"out must be a new folder or the folder of a run, but {folder} holds a run of another command"
        )
    before = _with_defaults(stored, defaults)
    for name, value in settings.items():
        if before.get(name) not in (value, earlier.get(name, value)):
            raise ValueError(
                f"{folder} holds a run with other settings: {name} is {before.get(name)!r} there, "
                f"{value!r} here; choose another --out"
            )


def _with_defaults(stored: Any, defaults: Any) -> Any:
    """Returns stored settings; settings that did not exist when they were stored get their defaults."""
    if not isinstance(stored, Mapping) or not isinstance(defaults, Mapping):
        return stored
    return {**defaults, **{name: _with_defaults(value, defaults.get(name)) for name, value in stored.items()}}


@contextmanager
def _checked_and_locked(folder: Path, check: Callable[[], None]) -> Iterator[None]:
    check()  # before anything is written
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        check()  # another process may have written into it in the meantime
        yield


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Locks a folder against other processes; does nothing if the system has no such locks.

    The lock file is never followed as a link or cut to nothing: a folder may come from somebody else.

    Raises:
        ValueError: Another process uses the folder, or its lock is not a regular file.
    """
    try:
        import fcntl
    except ImportError:  # Windows does not have it
        yield
        return
    path = folder / LOCK_FILE
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ValueError(f"{path} is not a regular file: delete it, or choose another --out")
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise ValueError(f"another process is using {folder}: wait, or choose another --out") from error
    try:
        yield
    finally:
        os.close(handle)
