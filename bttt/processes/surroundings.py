"""What a user's code may change in this process: the current folder and the standard streams."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

STREAMS = {1: "stdout", 2: "stderr"}


@contextmanager
def unharmed() -> Iterator[None]:
    """Restores the current folder and the standard streams after the block.

    In the block `sys.stdout` writes to stderr, so that prints do not mix with results, and closing the
    streams closes copies. File descriptors 0, 1 and 2 that were closed or replaced come back.
    """
    folder = _folder()
    files = {number: (os.dup(number), _identity(number)) for number in (0, 1, 2) if _identity(number)}
    streams = {name: getattr(sys, name) for name in STREAMS.values()}
    sys.stdout = sys.stderr = _Shared(streams["stderr"])
    try:
        yield
    finally:
        for number, (copy, identity) in files.items():
            if _identity(number) != identity:
                os.dup2(copy, number)
            os.close(copy)
        for number, name in STREAMS.items():
            setattr(sys, name, _open(streams[name], number))
        _return_to(folder)


class _Shared(io.TextIOBase):
    """A stream that writes to another one, and whose end is not the other's."""

    def __init__(self, stream: TextIO | None):
        self._stream = stream

    def write(self, text: str) -> int:
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        return self._stream.write(text) if self._stream else len(text)

    def flush(self) -> None:
        if self._stream:
            self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno() if self._stream else super().fileno()

    def isatty(self) -> bool:
        return self._stream.isatty() if self._stream else False

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        with suppress(OSError):
            super().close()


def _identity(number: int) -> tuple[int, int] | None:
    """Returns what a file descriptor is open on; None if it is closed."""
    try:
        found = os.fstat(number)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _open(stream: TextIO | None, number: int) -> TextIO | None:
    """Returns a stream, or a new one in its place if it was closed."""
    if stream is None or not stream.closed:
        return stream
    return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


def _folder() -> str | None:
    """Returns the current folder; None if it was deleted."""
    with suppress(FileNotFoundError):
        return os.getcwd()
    return None


def _return_to(folder: str | None) -> None:
    if folder is not None and _folder() != folder:
        os.chdir(folder)
