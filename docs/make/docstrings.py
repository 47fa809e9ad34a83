"""What Sphinx reads of docstrings, mended where the source says it in another way than reST wants."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path

from sphinx.domains.python import PyObject

from docs.make.reference import imported_from


def connect(app: object) -> None:
    """Connects the functions of this module to Sphinx."""
    whole: dict[str, list[str]] = {}

    def keep(_app: object, _what: str, name: str, _thing: object, _options: object, lines: list[str]) -> None:
        whole[name] = lines.copy()

    def restore(
        _app: object, _what: str, name: str, _thing: object, _options: object, lines: list[str]
    ) -> None:
        if any(line.startswith(":type:") for line in lines):  # "Bits of a row: ..." is not a type
            lines[:] = whole[name]

    app.connect("autodoc-process-docstring", keep, priority=400)  # before Napoleon, whose priority is 500
    app.connect("autodoc-process-docstring", restore, priority=600)
    app.connect("autodoc-process-docstring", process, priority=700)
    app.connect("autodoc-process-signature", name_no_factory)
    app.connect("autodoc-skip-member", skip_plain_fields)
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"


def process(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Describes a constant by the string below it, and turns Markdown (Gymnasium's form) into reST."""
    if what == "data":
        door, _, own = name.rpartition(".")
        module = import_module(imported_from(import_module(door)).get(own, door))
        lines[:] = dict(data_docstrings(Path(module.__file__))).get(own, "").splitlines()
    elif any(line.startswith("## ") for line in lines):
        lines[:] = from_markdown(lines)


def data_docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """The names assigned at the top of a file whose next statement is a string, and that string."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for statement, below in pairwise(body):
        if not (isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)):
            continue
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        else:
            targets = [statement.target] if isinstance(statement, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(below.value.value, str):
                yield target.id, inspect.cleandoc(below.value.value)


def from_markdown(lines: Iterable[str]) -> list[str]:
    """Returns Markdown lines in reST: headings as rubrics, fenced blocks as code blocks."""
    found, fenced = [], False
    for line in lines:
        if line.startswith("```"):
            fenced = not fenced
            found += ["", f".. code-block:: {line[3:]}", ""] if fenced else [""]
        elif fenced:
            found.append(f"   {line}")
        elif line.startswith("## "):
            found += ["", f".. rubric:: {line[3:]}", ""]
        else:
            found.append(line)
    return found


def name_no_factory(
    app: object,
    what: str,
    name: str,
    thing: object,
    options: object,
    signature: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """Writes `...` for a default that a dataclass makes anew: Sphinx cannot parse `<factory>`."""
    return (signature and signature.replace("<factory>", "..."), returned)


def skip_plain_fields(
    app: object, what: str, name: str, thing: object, skip: bool, options: object
) -> bool | None:
    """Leaves out fields of named tuples: their class's docstring describes them."""
    return True if (inspect.getdoc(thing) or "").startswith("Alias for field number") else None
