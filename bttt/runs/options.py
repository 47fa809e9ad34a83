"""The options in an agent's spec: keyword arguments of its class, converted to their annotated types.

A value becomes an int, a float, a bool (true or false), a str, a choice of a `Literal`, or None (none). If
the annotation allows several types, None is tried first, then the others in order. Without an annotation, a
value becomes None, a bool or a number if it reads like one. All other types get the string. The first value
needs no option name if the class names that option in `positional`. Values of earlier versions, and what
replaces them, are in its `removed_values`, by option.
"""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any

KIND_TEXTS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    types.NoneType: "none",
}
"""The types of values, in words."""
UNANNOTATED = None | bool | int | float | str


def parse_options(text: str, factory: Callable[..., Any]) -> dict[str, Any]:
    """Returns the keyword arguments of "option=value,option=value" for `factory`, a class or a function.

    Raises:
        ValueError: The text has another form, or an option is unknown, given twice, or has a wrong value.
    """
    known, takes_any = _option_types(factory)
    options: dict[str, Any] = {}
    parts = [part.strip() for part in text.split(",")]
    positional = getattr(factory, "positional", None)
    if positional and parts[0] and "=" not in parts[0]:
        parts[0] = f"{positional}={parts[0]}"
    for part in filter(None, parts):
        option, equals, value = (side.strip() for side in part.partition("="))
        if not equals:
            raise ValueError(f"option {part!r} does not have the form option=value")
        if option not in known and not takes_any:
            raise ValueError(
                f"unknown option {option!r}{nearest(option, list(known))}; "
                f"options are {', '.join(known) or 'none'}"
            )
        if option in options:
            raise ValueError(f"option {option!r} is given twice")
        if instead := getattr(factory, "removed_values", {}).get(option, {}).get(value):
            raise ValueError(f"option {option}={value!r} was removed: use {option}={instead}")
        options[option] = _convert(option, value, known.get(option, UNANNOTATED))
    return options


def _option_types(factory: Callable[..., Any]) -> tuple[dict[str, Any], bool]:
    """Returns the types of a factory's keyword arguments, and whether it accepts any others as well."""
    parameters = inspect.signature(factory).parameters.values()
    hints = _hints(factory)
    if inspect.isclass(factory):
        hints |= _hints(factory.__init__)
    known = {
        parameter.name: hints.get(parameter.name, UNANNOTATED)
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    return known, any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters)


def _hints(annotated: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(annotated)
    except Exception:  # for example a name that is imported for type checkers only, or no annotations
        return {}


def _convert(option: str, value: str, kind: Any) -> Any:
    """Returns `value` as None if the option allows it, otherwise as the first of its types that fits."""
    kinds = typing.get_args(kind) if typing.get_origin(kind) in (types.UnionType, typing.Union) else (kind,)
    for each in sorted(kinds, key=lambda each: each is not types.NoneType):
        try:
            return _convert_to(each, value)
        except ValueError:
            continue
    choices = [
        str(each)
        for one in kinds
        if typing.get_origin(one) is typing.Literal
        for each in typing.get_args(one)
    ]
    allowed = " or ".join(map(_kind_text, kinds))
    raise ValueError(f"option {option}={value!r} must be {allowed}{nearest(value, choices)}")


def _convert_to(kind: Any, value: str) -> Any:
    """Returns `value` converted to a type; types not handled here get the string."""
    if typing.get_origin(kind) is typing.Literal:
        choices = {str(choice): choice for choice in typing.get_args(kind)}
    elif kind is bool:
        choices, value = {"true": True, "false": False}, value.lower()
    elif kind is types.NoneType:
        choices, value = {"none": None}, value.lower()
    else:
        return _number(kind, value) if kind in (int, float) else value
    if value not in choices:
        raise ValueError
    return choices[value]


def _number(kind: type, value: str) -> float:
    number: float = kind(value)
    if kind is int and abs(number) >= 2**63:
        raise ValueError
    return number


def _kind_text(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(map(str, typing.get_args(kind)))
    return KIND_TEXTS.get(kind, getattr(kind, "__name__", str(kind)))


def nearest(name: str, known: Sequence[str]) -> str:
    """Returns " (did you mean ...?)" with the known name closest to `name`; empty if none is close."""
    match = difflib.get_close_matches(name.lower(), [each.lower() for each in known], n=1)
    meant = next((each for each in known if match and each.lower() == match[0]), None)
    return f" (did you mean {meant!r}?)" if meant else ""
