"""Lazy package interfaces, which import a module only when one of its names is used, and their like."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
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


def when_imported(name: str, action: Callable[[ModuleType], None]) -> None:
    """Calls `action` with a package once somebody imports it, or at once if it is imported already.

    For registering something with a package that is slow to import and not needed otherwise.

    Args:
        name: The package's name, without dots.
        action: Function that gets the imported package.
    """
    if name in sys.modules:
        action(sys.modules[name])
    else:
        sys.meta_path.insert(0, _Watcher(name, action))


class _Watcher(MetaPathFinder):
    """Waits for one package: finds it as usual, and acts when it has been executed."""

    def __init__(self, name: str, action: Callable[[ModuleType], None]):
        self.name, self.action = name, action

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """Returns the package's spec, or None for all other modules."""
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_act(module: ModuleType) -> None:
                execute(module)
                self.action(module)

            spec.loader.exec_module = execute_and_act  # type: ignore[method-assign]
        return spec
