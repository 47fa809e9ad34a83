"""Compilation of numba kernels: cached on disk, announced when it happens.

`kernel` marks a function that other kernels call; `entry_point` one that Python calls. The first call
of an entry point that has no compiled code on disk says on stderr that it compiles, so that a new
user does not stare at a silent terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import Any

import numba

_announced = False


def kernel(function: Callable) -> Any:
    """Returns `function` compiled on first use, with its code cached on disk where that is possible."""
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no folder for the cache can be written: compile in each process
        return numba.njit(nogil=True, error_model="numpy")(function)


class EntryPoint:
    """A kernel that Python calls; `kernel` is the compiled function itself."""

    def __init__(self, function: Callable):
        self.kernel = kernel(function)
        self._called = False
        update_wrapper(self, function)

    def __call__(self, *args):
        """Returns what the kernel returns."""
        if not self._called:
            self._called = True
            self._announce()
        return self.kernel(*args)

    def _announce(self) -> None:
        global _announced
        if _announced or _has_cached_code(self.kernel):
            return
        _announced = True
        print("bttt: compiling its kernels (once, under 30 s)", file=sys.stderr, flush=True)


def entry_point(function: Callable) -> EntryPoint:
    """Returns `function` as a kernel that Python calls."""
    return EntryPoint(function)


def _has_cached_code(dispatcher: Any) -> bool:
    """Returns whether numba's cache folder holds an index of this kernel."""
    folder = getattr(dispatcher.stats, "cache_path", None)
    name = f"{Path(dispatcher.py_func.__code__.co_filename).stem}.{dispatcher.py_func.__qualname__}-"
    return folder is not None and any(
        file.name.startswith(name) and file.suffix == ".nbi" for file in _files(Path(folder))
    )


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
