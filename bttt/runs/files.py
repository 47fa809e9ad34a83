"""Files of a run: atomic writes, and bounded reading: any file ends in a value or in one line.

A reader takes only regular files of a limited size. A device, a pipe, a huge file or deeply nested JSON is
refused before it costs time or memory.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

MOST_BYTES = 2**30
"""Maximum size of a file that is read whole, in bytes."""
MOST_JSON = 2**27
"""Maximum size of a JSON file, in bytes; the largest files of the commands have a hundredth of it."""
JSON_KINDS: dict[type, str] = {dict: "a JSON object", list: "a JSON list"}
"""The kinds of JSON values, in words."""
MOST_NESTED = 100
"""Maximum depth of nested JSON."""


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file atomically: a killed process leaves the old or the new content, never a mixture.

    Raises:
        OSError: The folder does not exist, the path is a folder, a device or a pipe, or it cannot be written.
            The error names the path.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():  # a rename would replace the device itself
        raise OSError(f"{path} is not a regular file: choose another path")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path}: its folder does not exist: make it, or choose another path"
        ) from None
    except OSError as error:  # which names the temporary file
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def refuse_other_file(path: Path, mark: str, remedy: str, *, lines: int = 1) -> None:
    """Raises ValueError if a path is a file that this program has not written; it may be empty or absent.

    Args:
        path: The file to be replaced.
        mark: The beginning of a line in each file of its kind.
        remedy: End of the message: what the file is not, and what to do.
        lines: Number of first lines, one of which has the mark.
    """
    if not path.exists() or path.is_dir():
        return
    content = read_bytes(path)
    if content and not any(line.startswith(mark.encode()) for line in content.split(b"\n", lines)[:lines]):
        raise ValueError(f"{path} {remedy}")


def write_json(path: Path, value: Any, *, indent: int = 2) -> None:
    """Writes `value` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=indent) + "\n")


def lined_json(head: Mapping[str, Any], lists: Mapping[str, Iterable[str]]) -> str:
    """Returns the text of a JSON object whose long lists have one item per line.

    Args:
        head: The first entries of the object.
        lists: The other entries, each a list of items as JSON.
    """
    entries = [json.dumps(head, indent=1)[:-2]]
    for name, items in lists.items():
        lines = ",\n".join(f"  {item}" for item in items)
        entries.append(f" {json.dumps(name)}: [\n{lines}\n ]")
    return ",\n".join(entries) + "\n}\n"


def read_bytes(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """Returns the content of a regular file.

    Args:
        path: The file.
        most: Maximum size in bytes.

    Raises:
        ValueError: It is not a regular file, or it is larger.
        OSError: It cannot be read.
    """
    wait_for_nobody = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe has no writer
    handle = os.open(path, os.O_RDONLY | wait_for_nobody)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError(f"{path} is not a regular file")
        if os.fstat(handle).st_size > most:
            raise ValueError(f"{path} is too large: at most {most:,} bytes are read")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(handle)


def read_text(path: Path, *, most: int = MOST_BYTES) -> str:
    """Returns the content of a text file in UTF-8; raises the errors of `read_bytes`, or ValueError."""
    try:
        return read_bytes(path, most=most).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file in UTF-8 ({error})") from error


def json_value(text: str | bytes) -> Any:
    """Returns the value of a JSON text; ValueError if it is not JSON, or nested too deeply."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(f"nested more than {MOST_NESTED} deep") from None
    level = [value]
    for _ in range(MOST_NESTED):
        level = [each for outer in level for each in _inside(outer)]
        if not level:
            return value
    raise ValueError(f"nested more than {MOST_NESTED} deep")


def _inside(value: Any) -> list[Any]:
    """Returns the objects and lists directly inside a JSON value."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in items if isinstance(each, dict | list)]


def read_json(path: Path, kind: type) -> Any:
    """Returns the JSON value in a file, or an empty `kind` if there is no file.

    Raises:
        ValueError: The file does not hold JSON of this kind.
    """
    if not path.exists():
        return kind()
    try:
        value = json_value(read_bytes(path, most=MOST_JSON))
    except ValueError as error:
        raise ValueError(f"{path} is corrupt ({error}): repair or delete it") from error
    if not isinstance(value, kind):
        name = JSON_KINDS.get(kind, kind.__name__)
        raise ValueError(f"{path} is corrupt (expected {name}): repair or delete it")
    return value


def plain(value: Any) -> Any:
    """Returns a value of nested dicts, lists and tuples in JSON's types: paths become strings."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value
