"""Checks of numbers that a user gives, and of records that a file holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from math import isinf
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from bttt.runs.files import JSON_KINDS

Record = TypeVar("Record")
JSON_TYPES: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    NoneType: "null",
}
"""The types of single JSON values, in words."""


def require_at_least(least: float, /, *, below: float | None = None, **values: float | None) -> None:
    """Raises ValueError if a value is out of range; None, for an option that is not set, is allowed.

    Args:
        least: The smallest allowed value.
        below: Values must also be smaller than this; infinity requires finite values.
        **values: The values by name; the message gives the name.
    """
    allowed = f"at least {least}"
    if below is not None:
        allowed += " and finite" if isinf(below) else f" and below {below}"
    for name, value in values.items():
        if value is not None and not (least <= value and (below is None or value < below)):
            raise ValueError(f"{name} must be {allowed}, got {value}")


@contextmanager
def checking(path: Path, remedy: str = "repair or delete it") -> Iterator[None]:
    """Turns any error of a stored value's form into one line; for the few lines that take a value apart.

    Args:
        path: The file of the value.
        remedy: What to do about it.

    Raises:
        ValueError: The block met a missing entry, a wrong type or a number out of range.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
        kind = "" if isinstance(error, ValueError) else "an entry is missing or has a wrong type: "
        raise ValueError(f"{path} is corrupt ({kind}{' '.join(str(error).split())}): {remedy}") from error


def as_record(kind: Callable[..., Record], values: object) -> Record:
    """Returns a dataclass with the entries of a JSON object, whose types must fit.

    Args:
        kind: The dataclass. Fields annotated as numbers, text, booleans or None are checked.
        values: The JSON value.

    Raises:
        ValueError: It is not an object, or an entry is missing, unknown, or has a wrong type.
    """
    if not isinstance(values, dict):
        raise ValueError(f"expected {JSON_KINDS[dict]}")
    hints = _hints(kind)
    for name, value in values.items():
        kinds = [each for each in get_args(hints.get(name)) or (hints.get(name),) if each in JSON_TYPES]
        if kinds and not any(_has_type(value, each) for each in kinds):
            raise ValueError(
                f"{name} must be {' or '.join(JSON_TYPES[each] for each in kinds)}, got {value!r}"
            )
    try:
        return kind(**values)
    except TypeError as error:
        wrong = sorted(set(hints) ^ set(values))
        raise ValueError(f"the entry {wrong[0]!r} is missing or unknown" if wrong else str(error)) from error


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _has_type(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
