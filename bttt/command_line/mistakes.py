"""One-line messages about wrong arguments: the value given, the allowed values, the nearest name.

The parser decides whether arguments are wrong; this module explains the most frequent mistakes. It reads
arguments like the parser: `--name value`, `--name=value`, or several values after an option that allows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from bttt.command_line.catalogue import COMMANDS
from bttt.command_line.options import Option
from bttt.runs import is_number, nearest

MOST_LISTED = 12
"""Maximum number of options that a message lists; with more, only similar names are given."""
CELLS = r"[A-Za-z]+[0-9]+([+][A-Za-z]+[0-9]+)*"
"""A brick set that names its cells."""
KIND_NAMES = {int: "a whole number", float: "a number", str: "text", Path: "a path"}


@dataclass
class Given:
    """The arguments of a command, sorted.

    Attributes:
        options: Each option, as the user wrote it, with its values.
        places: Values of the positional arguments.
        before: The option, as in `options`, that comes before each of `places`; None before the first option.
        first_unknown: The first option that the command does not have.
    """

    options: list[tuple[str, Option, list[str]]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    before: list[tuple[str, Option, list[str]] | None] = field(default_factory=list)
    first_unknown: str | None = None


def explain(options: Sequence[Option], arguments: Sequence[str]) -> str | None:
    """Returns the first mistake in a command's arguments; None if there is none of the known kinds."""
    given = sort_arguments(options, arguments)
    return next(_mistakes(options, given), None)


def unknown_command(name: str) -> str:
    """Returns the message about an unknown command."""
    return f"unknown command {name!r}{nearest(name, list(COMMANDS))}; commands are {', '.join(COMMANDS)}"


def sort_arguments(options: Sequence[Option], arguments: Sequence[str]) -> Given:
    """Returns the arguments of a command by the options that they belong to."""
    by_flag = {option.flag: option for option in options if not option.positional}
    by_flag |= {option.off: option for option in options if option.is_flag}
    by_flag |= {alias: option for option in options for alias in option.aliases}
    given = Given()
    room, several = given.places, True  # the list that the next value belongs to, and whether more may follow
    for argument in arguments:
        if not argument.startswith("-") or is_number(argument):
            room.append(argument)
            if room is given.places:
                given.before.append(given.options[-1] if given.options else None)
            if not several:
                room, several = given.places, True
            continue
        flag, equals, value = argument.partition("=")
        option = by_flag.get(flag.replace("_", "-"))
        if option is None:
            given.first_unknown = flag
            break
        values = [value] if equals else []
        given.options.append((flag, option, values))
        if option.is_flag or (values and not option.several):
            room, several = given.places, True
        else:
            room, several = values, option.several
    return given


def _mistakes(options: Sequence[Option], given: Given) -> Iterator[str]:
    for flag, option, values in given.options:
        if not values and not option.is_flag and not option.several:
            yield f"{flag} needs a value, {_allowed(option)}"
        yield from (_wrong_value(flag, option, value) for value in values if not _fits(option, value))
    places = [option for option in options if option.positional]
    for option, value in zip(places, given.places, strict=False):
        if not option.several and not _fits(option, value):
            yield _wrong_value(option.flag, option, value)
    if given.first_unknown is not None:
        yield _unknown_option(given.first_unknown, options)
    if len(given.places) > len(places) and not any(option.several for option in places):
        yield _left_over(len(places), given, options)
    for option in places[len(given.places) :]:
        if option.required and not option.several:
            yield f"{option.flag} is missing: {option.text[:1].lower()}{option.text[1:]}"


def _fits(option: Option, value: str) -> bool:
    """Returns whether an option takes a value."""
    if option.is_flag:
        return False
    if option.optional and value == "None":
        return True
    if option.choices:
        return value in option.choices
    try:
        option.kind(value)
    except ValueError:
        return False
    return True


def _wrong_value(flag: str, option: Option, value: str) -> str:
    if option.is_flag:
        return f"{flag} takes no value, got {value!r}; {option.flag} switches it on, {option.off} off"
    return f"{flag} must be {_allowed(option)}, got {value!r}{nearest(value, option.choices)}"


def _allowed(option: Option) -> str:
    """Returns a description of an option's allowed values."""
    if option.choices:
        return " or ".join(", ".join(option.choices).rsplit(", ", 1))
    return KIND_NAMES[option.kind]


def _unknown_option(flag: str, options: Sequence[Option]) -> str:
    name = flag.lstrip("-").replace("_", "-")
    own = [option.name for option in options if not option.positional]
    if near := _near(name, own):
        return f"unknown option {flag} (did you mean {' or '.join(f'--{each}' for each in near)}?)"
    if 0 < len(own) <= MOST_LISTED:
        return f"unknown option {flag}; options are {', '.join(f'--{each}' for each in own)}"
    others = [command for command, each in COMMANDS.items() if name in each.options]
    return f"unknown option {flag}" + (f"; it belongs to bttt {', bttt '.join(others)}" if others else "")


def _near(name: str, own: Sequence[str]) -> list[str]:
    """Returns the options that a name may mean: those whose last part equals it, else the nearest one."""
    same = [each for each in own if each.rpartition(".")[2] == name.rpartition(".")[2]]
    return same[:3] or get_close_matches(name, own, n=1, cutoff=0.7)


def _left_over(place: int, given: Given, options: Sequence[Option]) -> str:
    """Returns the message about a value, one of `given.places`, that belongs to no option."""
    value, before = given.places[place], given.before[place]
    by_name = {option.name: option for option in options if not option.positional}
    if value in by_name:
        return f"unexpected argument {value!r} (did you mean --{value}?)"
    taken = [flag for flag, option, _ in given.options if option.is_flag]
    if taken and value.lower() in ("true", "false", "yes", "no", "on", "off"):
        return f"{taken[-1]} takes no value, got {value!r}"
    if before is None or not before[2] or (place and given.before[place - 1] is before):
        return f"unexpected argument {value!r}"
    return f"unexpected argument {value!r}: {_one_only(*before, value)}"


def _one_only(flag: str, option: Option, values: Sequence[str], more: str) -> str:
    """Returns that an option takes one value; two bricks are joined."""
    if option.name.rpartition(".")[2] != "bricks":
        return f"{flag} takes one value, got {values[0]!r} already"
    joined = f"{values[0]}+{more}"
    hint = f", or {joined} for one board with these bricks" if re.fullmatch(CELLS, joined) else ""
    return f"{flag} takes one brick set here: give {values[0]}{hint}"
