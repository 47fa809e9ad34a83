"""The fingerprint of a task: what its results depend on, in named parts, to notice that a task has changed.

A task can state it, as an attribute `fingerprint`: a text, or a mapping of names to texts and numbers. For
others it is made of what can be had: the source of the class, of its bases outside torch and of what it uses
of its own module, and the numbers, texts, tensors, arrays, data sets and networks among its attributes and
among the global and enclosing variables that its methods use; not its device or number of workers. The
network that it starts from counts too. Only parts that a cycle did not change are stored with it: a counter
is no property of a task.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import sys
import textwrap
import tokenize
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from types import CodeType, FunctionType
from typing import Any

from torch import Tensor, nn

from pruning.digests import digest_of, settings_of
from pruning.loop.task import Task

Fingerprint = Mapping[str, str | int | float]
FOREIGN = ("torch", "typing", "abc", "collections", "enum", "numpy", "types")
"""Packages whose classes do not belong to a task's source."""
IGNORED = ("device", "workers", "num_workers", "verbose")
"""Attributes that say how a task runs, not what it computes."""
FEW = 16
"""Entries of a list or mapping up to which each is a part of its own."""


def fingerprint(task: Task) -> dict[str, str | int | float]:
    """Returns the parts of a task's fingerprint by name; never fails: what has no digest is left out."""
    own = getattr(task, "fingerprint", None)
    if isinstance(own, Mapping):
        return _parts({str(name): value for name, value in own.items()})
    if own is not None and not callable(own):
        return {"fingerprint": str(own)}
    kinds = [
        kind
        for kind in type(task).__mro__
        if kind is not object and kind.__module__.partition(".")[0] not in FOREIGN
    ]
    slots = [name for kind in kinds for name in vars(kind).get("__slots__", ()) if hasattr(task, name)]
    attributes = {name: getattr(task, name) for name in slots} | dict(getattr(task, "__dict__", {}))
    definitions: dict[str, type | FunctionType] = {kind.__qualname__: kind for kind in kinds}
    definitions |= {name: value for name, value in attributes.items() if isinstance(value, FunctionType)}
    found, data = _defined(definitions)
    for kind in reversed(kinds):
        data |= {name: value for name, value in vars(kind).items() if not name.startswith("__")}
    data |= attributes
    data = {name: value for name, value in data.items() if name not in IGNORED}
    if isinstance(example := data.pop("example", None), Tensor):  # its values decide nothing
        found["example"] = f"{str(example.dtype).removeprefix('torch.')} {[*example.shape]}"
    return found | _parts(data)


def with_dense(parts: Fingerprint, trained: nn.Module | None) -> dict[str, str | int | float]:
    """Adds the network that a task's `dense` returned, unless the task states its fingerprint."""
    more = {} if trained is None or not any(map(_is_source, parts)) else _parts({"dense": trained})
    return {**parts, **more}


def _defined(
    definitions: Mapping[str, type | FunctionType],
) -> tuple[dict[str, str | int | float], dict[str, Any]]:
    """Returns digests of the sources of classes and functions, and the variables from outside that they use.

    Classes and functions of the same module that they use count too, for example a network or a helper.
    """
    found: dict[str, str | int | float] = {}
    data: dict[str, Any] = {}
    waiting, seen = list(definitions.items()), set[int]()
    while waiting:
        name, defined = waiting.pop(0)
        if id(defined) in seen:
            continue
        seen.add(id(defined))
        members = [*vars(defined).values()] if isinstance(defined, type) else [defined]
        found |= _source(name, defined, members)
        for function in _functions(members):
            used = _used(function)
            data |= used
            waiting += [
                (each.__qualname__, each)
                for each in used.values()
                if isinstance(each, type | FunctionType) and each.__module__ == function.__module__
            ]
    return found, data


def difference(stored: Fingerprint, ours: Fingerprint, changing: Collection[str] | None = ()) -> str:
    """Returns a part in which two fingerprints differ, or ""; values are preferred to sources.

    A source or a stated text that only one of them has is a difference: the class is another. An attribute
    that only one of them has is none, since tasks make some when they are used; one with other entries is. A
    stated fingerprint may get more names, but no longer lists.

    Args:
        stored: The fingerprint of the task that began the run; an empty one differs from none.
        ours: The fingerprint of the task that goes on.
        changing: Names of what a cycle may change (see `changes`); None if an earlier version, which did not
            store them, began the run.
    """
    names = sorted(dict.fromkeys((*stored, *ours)), key=_is_source) if stored else []
    for name in names:
        if name in stored and name in ours:
            differs = stored[name] != ours[name]
        else:
            differs = _is_missed(name, ours if name in stored else stored, changing)
        if differs and _is_source(name):
            change = (
                "has changed"
                if name in stored and name in ours
                else f"is only {'there' if name in stored else 'here'}"
            )
            return f"the {name} {change}"
        if differs:
            one, other = (repr(each[name]) if name in each else "missing" for each in (stored, ours))
            return f"{name} is {one} there, {other} here"
    return ""


def unchanged(before: Fingerprint, after: Fingerprint) -> dict[str, str | int | float]:
    """Returns the parts that are the same in both."""
    return {name: value for name, value in before.items() if after.get(name) == value}


def changes(before: Fingerprint, after: Fingerprint) -> list[str]:
    """Returns the sorted names of attributes and sources that are not the same in both."""
    return sorted({_head(name) for name in {*before, *after} if before.get(name) != after.get(name)})


def _is_source(name: str) -> bool:
    return name.startswith("source of ")


def _head(name: str) -> str:
    """Returns the name of the attribute or source that a part belongs to, for any version of Python."""
    return name.partition(" (compiled")[0] if _is_source(name) else name.partition(".")[0]


def _is_missed(name: str, others: Fingerprint, changing: Collection[str] | None) -> bool:
    """Returns whether it is a difference that the other fingerprint lacks a part."""
    head = _head(name)
    if head in (changing or ()):
        return False
    known = any(_head(each) == head for each in others)
    if _is_source(name):
        return not known  # known, but compiled by another Python or without its source, tells nothing
    entry = name.removeprefix(f"{head}.")
    open_ended = not any(map(_is_source, others)) and not entry.isdigit() and entry != head
    return name == "fingerprint" or (known and changing is not None and not open_ended)


def _parts(data: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Returns the digests of values by name; each entry of a short list or mapping has its own.

    That a value is None counts as well: a network may take its place.
    """
    found: dict[str, str | int | float] = {}
    for name, value in data.items():
        entries: Mapping[Any, Any] = {"": value}
        if isinstance(value, Mapping) and 0 < len(value) <= FEW:
            entries = value
        elif isinstance(value, list | tuple) and 0 < len(value) <= FEW:
            entries = dict(enumerate(value))
        elif settings := settings_of(value):
            entries = settings
        for key, each in entries.items():
            digest = "None" if each is None else digest_of(each)
            if digest is not None:
                found[f"{name}.{key}".removesuffix(".")] = digest
    return found


def _source(name: str, defined: Any, functions: Iterable[Any]) -> dict[str, str]:
    """Returns the digest of the source of a class or function, or of its compiled code without a source."""
    try:
        text = _without_comments(textwrap.dedent(inspect.getsource(defined)))
    except (OSError, TypeError, SyntaxError, tokenize.TokenError):
        version = ".".join(map(str, sys.version_info[:2]))  # another version compiles to other code
        name, text = f"{name} (compiled, Python {version})", "\n".join(_code(functions))
    return {f"source of {name}": hashlib.blake2b(text.encode(), digest_size=8).hexdigest()} if text else {}


def _without_comments(source: str) -> str:
    skipped = (tokenize.COMMENT, tokenize.NL)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return "".join(
        f"<{token.type}>" if token.type in (tokenize.INDENT, tokenize.DEDENT) else token.string
        for token in tokens
        if token.type not in skipped
    )


def _functions(values: Iterable[Any]) -> Iterator[FunctionType]:
    """Yields the functions among some members of a class, also those of properties and class methods."""
    for value in values:
        plain = getattr(value, "__func__", getattr(value, "fget", getattr(value, "func", value)))
        if isinstance(plain, FunctionType):
            yield inspect.unwrap(plain)


def _code(values: Iterable[Any]) -> Iterator[str]:
    for function in _functions(values):
        for code in _nested(function.__code__):
            constants = [each for each in code.co_consts if not isinstance(each, CodeType)]
            plain = [sorted(map(repr, each)) if isinstance(each, frozenset) else each for each in constants]
            yield f"{code.co_code.hex()} {code.co_names} {plain}"


def _nested(code: CodeType) -> Iterator[CodeType]:
    """Yields a function's code and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _used(function: FunctionType) -> dict[str, Any]:
    """Returns the global and enclosing variables that a function names."""
    named = {name for code in _nested(function.__code__) for name in code.co_names}
    known = {name: value for name, value in function.__globals__.items() if name in named}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not yet assigned
            known[name] = cell.cell_contents
    return dict(sorted(known.items()))
