"""Decorators that compile numba kernels, cache the code on disk, and announce a compilation.

`kernel` is for functions called by other kernels, `entry_point` for functions called from Python.
`lean_kernel` and `lean_entry_point` are their variants for functions that take many arrays and create none.
If an entry point has no compiled code on disk, its first call reports on stderr that it compiles. A new user
then knows why the terminal is silent.

Numba considers cached code valid while the function's own file is unchanged, although code from other files
was compiled into it. The cache is therefore also stamped with the sources of all kernels.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import cache, update_wrapper
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

import numba

_P = ParamSpec("_P")
_R = TypeVar("_R")

_announced = False


def kernel(function: Callable[_P, _R], *, lean: bool = False) -> Callable[_P, _R]:
    """Returns `function` compiled on first use; its code is cached on disk if possible."""
    try:
        compiled = _compiled(function, cache=True, lean=lean)
    except RuntimeError:  # no cache folder is writable
        return _compiled(function, cache=False, lean=lean)
    index = _index(compiled)
    if index is None:  # this version of numba cannot be stamped: slow code is better than stale code
        return _compiled(function, cache=False, lean=lean)
    index._source_stamp = (index._source_stamp, _kernel_sources(function.__module__.partition(".")[0]))
    return compiled


def lean_kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Returns `function` as a kernel without reference counts for arrays; such a kernel cannot create arrays.

    Counting is atomic. With a dozen arrays passed from kernel to kernel it takes longer than the work itself.
    """
    return kernel(function, lean=True)


def _compiled(function: Callable[_P, _R], *, cache: bool, lean: bool) -> Callable[_P, _R]:
    options = {"_nrt": False} if lean else {}
    # Numba's annotations leave out the option _nrt, which turns reference counting off.
    return numba.njit(cache=cache, nogil=True, error_model="numpy", **options)(function)  # type: ignore[call-overload]


class EntryPoint(Generic[_P, _R]):
    """A kernel that Python calls; `kernel` is the compiled function itself."""

    def __init__(self, function: Callable[_P, _R], *, lean: bool = False):
        self.kernel = kernel(function, lean=lean)
        self._called = False
        update_wrapper(self, function)

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Calls the kernel and returns its result."""
        if not self._called:
            self._called = True
            self._announce()
        return self.kernel(*args, **kwargs)

    def _announce(self) -> None:
        global _announced
        index = _index(self.kernel)
        if _announced or (index is not None and index._load_index()):
            return
        _announced = True
        print("bttt: compiling its kernels (once, about a minute)", file=sys.stderr, flush=True)


def entry_point(function: Callable[_P, _R]) -> EntryPoint[_P, _R]:
    """Returns `function` as a kernel that Python calls."""
    return EntryPoint(function)


def lean_entry_point(function: Callable[_P, _R]) -> EntryPoint[_P, _R]:
    """Returns `function` as a lean kernel that Python calls."""
    return EntryPoint(function, lean=True)


def cache_folder() -> Path | None:
    """Returns the folder of the compiled kernels of `bttt.kernels`, or None if none is writable."""
    index = _index(kernel(_probe))
    return None if index is None else Path(index._cache_path)


def _probe() -> None:
    """Is never called: its cache tells where numba keeps compiled code of this folder."""


def _index(compiled: Any) -> Any:
    """Returns numba's index of a kernel's cached code (private to numba), or None without a cache."""
    index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    return index if hasattr(index, "_source_stamp") and hasattr(index, "_load_index") else None


@cache
def _kernel_sources(package: str) -> str:
    """Returns a digest of all modules in `bttt` and `package` that define kernels."""
    digest = hashlib.sha256()
    for name in sorted({"bttt", package}):
        for folder in getattr(sys.modules.get(name), "__path__", ()):
            for path in sorted(Path(folder).rglob("*.py")):
                source = path.read_bytes()
                if b"bttt.kernels" in source:
                    digest.update(source)
    return digest.hexdigest()
