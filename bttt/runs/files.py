"""Files of a run: atomic writes, and JSON that is checked as it is read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file atomically: a killed process leaves the old or the new content, never a mixture."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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


def read_json(path: Path, kind: type) -> Any:
    """Returns the JSON value in a file, or an empty `kind` if there is no file.

    Raises:
        ValueError: The file does not hold JSON of this kind.
    """
    if not path.exists():
        return kind()
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is corrupt ({error}): repair or delete it") from error
    if not isinstance(value, kind):
        raise ValueError(f"{path} is corrupt (not a {kind.__name__}): repair or delete it")
    return value


def plain(value: Any) -> Any:
    """Returns a value of nested dicts, lists and tuples in JSON's types: paths become strings."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value
