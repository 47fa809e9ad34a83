"""Front doors that load a module at the first use of one of its names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any


def on_first_use(package: str, names: Sequence[str], modules: Sequence[str]) -> Callable[[str], Any]:
    """Returns a `__getattr__` for a package's `__init__`, which imports a name when it is first asked for.

    Args:
        package: The package, its `__name__`.
        names: The names that it offers, its `__all__`.
        modules: Its modules that define them, in the order in which they are searched: light ones first.
    """

    def find(name: str) -> Any:
        if name in names:
            for module in modules:
                found = import_module(f"{package}.{module}")
                if hasattr(found, name):
                    return getattr(found, name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find
