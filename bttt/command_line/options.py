"""The options of a command, read from its configuration: a dataclass with a docstring under each field.

This is a second view of what `tyro` makes the parser from, for the help and for messages about mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

KINDS = {int: "INT", float: "FLOAT", str: "TEXT", Path: "PATH"}


@dataclass(frozen=True)
class Option:
    """An option of a command, or an argument that is given by its place.

    Attributes:
        name: Its name without dashes in front; options of a part are named `part.name`.
        kind: Type of its value, or of each of its values.
        several: Whether it takes any number of values.
        optional: Whether None is a value.
        default: Its default; MISSING for a required argument.
        text: Its docstring as one line.
        positional: Whether it is given by its place.
        aliases: Other ways to write it, for example `--network`.
    """

    name: str
    kind: Any
    several: bool
    optional: bool
    default: Any
    text: str
    positional: bool
    aliases: tuple[str, ...] = ()

    @property
    def is_flag(self) -> bool:
        """Whether it is switched on and off and takes no value."""
        return self.kind is bool and not self.optional and not self.several and not self.positional

    @property
    def required(self) -> bool:
        """Whether the command cannot run without it."""
        return self.default is MISSING

    @property
    def flag(self) -> str:
        """How it is written: `--seed`, or `RUN` for an argument given by its place."""
        return self.name.upper() if self.positional else f"--{self.name}"

    @property
    def off(self) -> str:
        """How a flag is switched off: `--no-csv`, `--search.no-reuse`."""
        part, dot, last = self.name.rpartition(".")
        return f"--{part}{dot}no-{last}"

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that it allows; empty where it allows any of its kind."""
        if self.kind is bool:
            return ("True", "False")
        return tuple(map(str, get_args(self.kind))) if get_origin(self.kind) is Literal else ()

    @property
    def kind_text(self) -> str:
        """The type of its value in the help: INT, {small,base,paper}; empty for a flag."""
        if self.is_flag:
            return ""
        text = f"{{{','.join(self.choices)}}}" if self.choices else KINDS[self.kind]
        return f"{text} ..." if self.several else text


def command_options(config: type) -> tuple[Option, ...]:
    """Returns the options of a configuration class in their order, those of its parts in their places."""
    return tuple(_options(config, None, ""))


def summary(config: type) -> str:
    """Returns the first line of a configuration's docstring."""
    return (config.__doc__ or "").partition("\n")[0]


def _options(config: type, defaults: Any, prefix: str) -> Iterator[Option]:
    hints = get_type_hints(config, include_extras=True)
    texts = _texts(config)
    for field in fields(config):
        kind, markers = _unwrapped(hints[field.name])
        default = _default(field) if defaults is None else getattr(defaults, field.name)
        name = prefix + field.name.replace("_", "-")
        if is_dataclass(kind):
            joined = any(getattr(marker, "name", None) == "" for marker in markers)
            yield from _options(kind, default, prefix if joined else f"{name}.")
            continue
        optional, kind = _without_none(kind)
        several = get_origin(kind) is tuple
        kind = get_args(kind)[0] if several else kind
        positional = any(str(marker) == "Positional" for marker in markers)
        aliases = tuple(alias for marker in markers for alias in getattr(marker, "aliases", None) or ())
        text = texts.get(field.name, "")
        yield Option(name, kind, several, optional, default, text, positional, aliases)


def _texts(config: type) -> dict[str, str]:
    """Returns the docstring of each field, inherited ones too, as one line."""
    import docstring_parser

    found = {}
    for each in reversed(config.__mro__):
        if is_dataclass(each):
            for parameter in docstring_parser.parse_from_object(each).params:
                found[parameter.arg_name] = re.sub(r"\s+", " ", parameter.description or "")
    return found


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Returns a type without its annotations, and these."""
    return (get_args(hint)[0], hint.__metadata__) if get_origin(hint) is Annotated else (hint, ())


def _without_none(kind: Any) -> tuple[bool, Any]:
    """Returns whether None is a value of the type, and the type without it."""
    if get_origin(kind) not in (Union, UnionType):
        return False, kind
    (other,) = (each for each in get_args(kind) if each is not NoneType)
    return True, other
