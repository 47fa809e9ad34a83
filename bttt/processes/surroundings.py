"""What a user's code may change in this process: the folder, the standard streams, and settings."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import numpy as np

from bttt.processes.signals import ENDING

STREAMS = {1: "stdout", 2: "stderr"}
SIGNALS = (*ENDING, *(getattr(signal, name) for name in ("SIGPIPE", "SIGCHLD") if hasattr(signal, name)))
"""Signals whose handlers come back; the others, for example a timer's, are a user's own affair."""


@contextmanager
def unharmed() -> Iterator[None]:
    """Restores the current folder, the standard streams and the process's settings after the block.

    In the block `sys.stdout` writes to stderr, so that prints do not mix with results, and closing the
    streams closes copies. File descriptors 0, 1 and 2 that were closed or replaced come back.

    So do the mode of new files, the signals that end a command, NumPy's reaction to floating-point errors,
    a recursion limit that was lowered, and lost or changed environment variables and entries of `sys.path`.
    New variables and entries stay: the code may import more later. All this takes about 25 microseconds.
    """
    settings = _Settings()
    folder = _folder()
    files = {number: (os.dup(number), _identity(number)) for number in (0, 1, 2) if _identity(number)}
    streams = {name: getattr(sys, name) for name in STREAMS.values()}
    sys.stdout = sys.stderr = _Shared(streams["stderr"])
    try:
        with np.errstate():
            yield
    finally:
        settings.restore()
        for number, (copy, identity) in files.items():
            if _identity(number) != identity:
                os.dup2(copy, number)
            os.close(copy)
        for number, name in STREAMS.items():
            setattr(sys, name, _open(streams[name], number))
        _return_to(folder)


class _Settings:
    """The settings of this process when the object was made."""

    def __init__(self) -> None:
        self._mask = os.umask(0o077)  # it can only be read by setting it
        os.umask(self._mask)
        self._handlers = {each: signal.getsignal(each) for each in SIGNALS}
        self._blocked = _block()
        self._recursion = sys.getrecursionlimit()
        self._path = sys.path, list(sys.path)
        self._environ = os.environ, _variables(os.environ)

    def restore(self) -> None:
        """Brings the settings back."""
        os.umask(self._mask)
        if threading.current_thread() is threading.main_thread():  # no other one can set handlers
            for each, handler in self._handlers.items():
                if handler is not None and signal.getsignal(each) != handler:
                    signal.signal(each, handler)
        if _block() != self._blocked:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked)
        if sys.getrecursionlimit() < self._recursion:
            sys.setrecursionlimit(self._recursion)
        now, (sys.path, entries) = sys.path, self._path
        if now is not sys.path or now != entries:
            sys.path[:] = _with_lost(now, entries)
        os.environ, variables = self._environ
        if _variables(os.environ) != variables:
            os.environ.update({os.fsdecode(name): os.fsdecode(value) for name, value in variables.items()})


def _block() -> set[Any]:
    """Returns the signals that are blocked."""
    return signal.pthread_sigmask(signal.SIG_BLOCK, ()) if hasattr(signal, "pthread_sigmask") else set()


def _variables(environ: Any) -> dict[Any, Any]:
    """Returns the environment variables as `os` stores them: decoding them would take 15 microseconds."""
    return dict(vars(environ).get("_data", environ))


def _with_lost(now: Any, entries: list[str]) -> list[str]:
    """Returns the entries of `sys.path` as they are now, or with all earlier ones first if one was lost."""
    found = list(now) if isinstance(now, list) else []
    return (
        found
        if all(each in found for each in entries)
        else entries + [each for each in found if each not in entries]
    )


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
