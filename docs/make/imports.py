"""What the project's files import from each other, read from their sources, lazy imports included."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path


@cache
def imports(source: str, path: Path) -> tuple[str, ...]:
    """All modules that a file imports, wherever: in functions, for type checkers, by name."""
    return tuple(_imports(source, path))


def _imports(source: str, path: Path) -> Iterator[str]:
    package = path.parts[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            yield from (value.value for value in node.args if isinstance(value, ast.Constant))


def modules(root: Path, packages: Iterable[str]) -> dict[str, Path]:
    """The modules of some packages by dotted name, with their paths relative to `root`."""
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            relative = path.relative_to(root)
            parts = relative.parts[:-1] if path.name == "__init__.py" else relative.with_suffix("").parts
            found[".".join(parts)] = relative
    return found


def module_graph(root: Path, packages: Iterable[str]) -> dict[str, set[str]]:
    """For each module the modules of the project that it imports from, itself left out."""
    known = modules(root, packages)
    graph = {}
    for name, path in known.items():
        found = imports((root / path).read_text(encoding="utf-8"), path)
        graph[name] = {nearest for each in found if (nearest := module_of(each, known))} - {name}
    return graph


def module_of(dotted: str, known: Mapping[str, Path]) -> str | None:
    """The module that an imported name belongs to: `a.b.Name` is of `a.b`; None for others' modules."""
    parts = dotted.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in known), None)


def circles(graph: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """The groups of two or more nodes that reach each other, each sorted; Tarjan's algorithm."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(node: str) -> None:
        numbers[node] = lowest[node] = len(numbers)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in numbers:
                visit(other)
            if other in stack:
                lowest[node] = min(lowest[node], lowest[other])
        if lowest[node] == numbers[node]:
            place = stack.index(node)
            group = stack[place:]
            del stack[place:]
            if len(group) > 1:
                found.append(tuple(sorted(group)))

    for node in graph:
        if node not in numbers:
            visit(node)
    return sorted(found)
