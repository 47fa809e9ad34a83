"""Lazy package interfaces, which import a module only when one of its names is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any


def on_first_use(package: str, names: Sequence[str], modules: Sequence[str]) -> Callable[[str], Any]:
    """Returns a `__getattr__` for a package's `__init__` that imports a name on first use.

    Args:
        package: The package's `__name__`.
        names: The names it offers, its `__all__`.
        modules: The modules that define these names, in search order; light modules first.
    """

    def find(name: str) -> Any:
        if name in names:
            for module in modules:
                found = import_module(f"{package}.{module}")
                if hasattr(found, name):
                    return getattr(found, name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find
