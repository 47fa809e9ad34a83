"""Bounded reading: any file ends in a value or in a ValueError, before it costs much time or memory."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

MOST_BYTES = 2**30
"""Maximum size of a file that is read whole, in bytes."""
MOST_RATIO = 200
"""Largest ratio of a compressed file's content to its size, above `FREE` bytes of content."""
FREE = 2**26
MOST_NESTED = 100
"""Maximum depth of nested JSON."""


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
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{path} is not a regular file")
        if found.st_size > most:
            raise ValueError(f"{path} is too large: expected at most {most:,} bytes, found {found.st_size:,}")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(handle)


def require_plausible(path: Path, content: int, size: int) -> None:
    """Raises ValueError if a compressed file promises much more than its size allows.

    Args:
        path: The file.
        content: Bytes after decompression.
        size: Bytes of the file.
    """
    if content > MOST_BYTES or content > max(FREE, MOST_RATIO * size):
        raise ValueError(f"{path} promises {content:,} bytes in a file of {size:,}: it is not read")


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
