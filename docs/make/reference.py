"""Pages of the API reference, one for each public package, made from the names in its `__all__`."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path

PACKAGES = ("bttt", "agents", "tournaments", "pruning")
LONGEST_VALUE = 60
"""Characters of a value that is still shown beside its name."""
KINDS = {"exception": "Exceptions", "class": "Classes", "function": "Functions", "data": "Data"}


def doors(root: Path) -> list[str]:
    """Returns the dotted names of all packages whose `__init__` has an `__all__`, the outer ones first."""
    found = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("__init__.py"), key=lambda path: path.parts):
            if "\n__all__ = " in path.read_text(encoding="utf-8"):
                found.append(".".join(path.parent.relative_to(root).parts))
    return sorted(found, key=lambda name: (PACKAGES.index(name.partition(".")[0]), name.split(".")))


def write_pages(root: Path, folder: Path) -> None:
    """Writes a page for each door into `folder`; pages that did not change keep their time stamps."""
    names = doors(root)
    pages = {f"{name}.rst": page(name, names) for name in names}
    for stale in {path.name for path in folder.glob("*.rst")} - set(pages):
        (folder / stale).unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def page(door: str, doors_known: list[str]) -> str:
    """Returns the page of one door: its docstring, and its own names by kind.

    A name that another door owns is a link to that door's page.
    """
    package = import_module(door)
    owners = imported_from(package)
    own: dict[str, list[str]] = {kind: [] for kind in KINDS}
    links = []
    for name in package.__all__:
        owner = owners.get(name, door)
        if owner != door and owner in doors_known:
            links.append(f"- ``{name}``: :doc:`{owner}`")
        else:
            kind = kind_of(getattr(package, name))
            own[kind] += [f".. auto{kind}:: {door}.{name}", *_options(kind, getattr(package, name)), ""]
    title = f"``{door}``"
    lines = [title, "=" * len(title), "", f".. automodule:: {door}", "   :no-members:", ""]
    if links:
        lines += ["From other packages", "-------------------", "", *links, ""]
    for kind, heading in KINDS.items():
        if own[kind]:
            lines += [heading, "-" * len(heading), "", *own[kind]]
    return "\n".join(lines)


def kind_of(thing: object) -> str:
    """Returns the suffix of the autodoc directive that documents an object."""
    if inspect.isclass(thing):
        return "exception" if issubclass(thing, Exception) else "class"
    return "function" if inspect.isroutine(thing) else "data"


def _options(kind: str, thing: object) -> list[str]:
    if kind in ("class", "exception"):
        return ["   :members:"]
    if kind == "data" and (len(repr(thing)) > LONGEST_VALUE or " at 0x" in repr(thing)):
        return ["   :no-value:"]
    return []


def imported_from(package: object) -> dict[str, str]:
    """Returns the module that each name of a package's `__init__` is imported from, lazily or not."""
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
