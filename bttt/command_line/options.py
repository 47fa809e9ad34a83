"""The options of a command, read from its configuration: a dataclass with a docstring under each field.

`tyro` makes the parser from the same configuration. This view is for the help and for error messages.
"""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from inspect import getdoc
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

KINDS = {int: "INT", float: "FLOAT", str: "TEXT", Path: "PATH"}


@dataclass(frozen=True)
class Option:
    """An option or a positional argument of a command.

    Attributes:
        name: Its name without leading dashes; options of a part are named `part.name`.
        kind: Type of its value, or of each of its values.
        several: Whether it takes any number of values.
        optional: Whether None is allowed.
        default: Its default; MISSING for a required argument.
        text: Its docstring as one line.
        positional: Whether it is a positional argument.
        aliases: Other names, for example `--network`.
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
        """Whether it is a flag, which takes no value."""
        return self.kind is bool and not self.optional and not self.several and not self.positional

    @property
    def required(self) -> bool:
        """Whether it is required."""
        return self.default is MISSING

    @property
    def flag(self) -> str:
        """Its form on the command line: `--seed`, or `RUN` for a positional argument."""
        return self.name.upper() if self.positional else f"--{self.name}"

    @property
    def off(self) -> str:
        """The option that switches a flag off: `--no-csv`, `--search.no-reuse`."""
        part, dot, last = self.name.rpartition(".")
        return f"--{part}{dot}no-{last}"

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed values; empty if any value of its type is allowed."""
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


@dataclass(frozen=True)
class OptionGroup:
    """A group of options in the help of a command.

    Attributes:
        name: Prefix of their names, for example `train.`; empty for the command's own options.
        text: Description of the group; for the command's own options, the command's docstring.
        options: The options.
    """

    name: str
    text: str
    options: list[Option]


def command_parts(config: type) -> tuple[OptionGroup, ...]:
    """Returns the options of a configuration class by part, the command's own options first."""
    parts = {"": OptionGroup("", getdoc(config) or "", [])}
    _collect(config, None, "", parts)
    return tuple(parts.values())


def command_options(config: type) -> tuple[Option, ...]:
    """Returns all options of a configuration class."""
    return tuple(option for part in command_parts(config) for option in part.options)


def _collect(config: type, defaults: Any, prefix: str, parts: dict[str, OptionGroup]) -> None:
    """Adds the options of a configuration class, and of its nested classes, to their parts."""
    hints = get_type_hints(config, include_extras=True)
    texts = _texts(config)
    for field in fields(config):
        kind, markers = _unwrapped(hints[field.name])
        default = _default(field) if defaults is None else getattr(defaults, field.name)
        name = prefix + field.name.replace("_", "-")
        told = (getattr(marker, "help", None) for marker in markers)
        text = next(filter(None, told), texts.get(field.name, ""))
        if isinstance(kind, type) and is_dataclass(kind):
            joined = any(getattr(marker, "name", None) == "" for marker in markers)
            inner = prefix if joined else f"{name}."
            parts.setdefault(inner, OptionGroup(inner, text or first_line(kind), []))
            _collect(kind, default, inner, parts)
            continue
        optional, kind = _without_none(kind)
        several = get_origin(kind) is tuple
        kind = get_args(kind)[0] if several else kind
        positional = any(str(marker) == "Positional" for marker in markers)
        aliases = tuple(alias for marker in markers for alias in getattr(marker, "aliases", None) or ())
        option = Option(name, kind, several, optional, default, text, positional, aliases)
        parts[prefix].options.append(option)


def first_line(config: type) -> str:
    """Returns the first line of a configuration's docstring."""
    return (getdoc(config) or "").partition("\n")[0]


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
    """Returns a type without its annotations, and the annotations."""
    return (get_args(hint)[0], hint.__metadata__) if get_origin(hint) is Annotated else (hint, ())


def _without_none(kind: Any) -> tuple[bool, Any]:
    """Returns whether the type allows None, and the type without None."""
    if get_origin(kind) not in (Union, UnionType):
        return False, kind
    (other,) = (each for each in get_args(kind) if each is not NoneType)
    return True, other
