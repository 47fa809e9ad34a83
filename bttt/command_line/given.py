"""The options that a user gave: none twice, none without effect, each with a value that programs can hold.

A configuration says which of its options have no effect under its own values, and why, in a method
`without_effect() -> dict[str, str]`. The default of such an option is harmless, so only options that are on
the command line, or in an agent's spec, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bttt.command_line.mistakes import Given, sort_arguments
from bttt.command_line.options import Option
from bttt.runs import useless_options

MOST_INT = 2**63 - 1
"""Largest whole number that files and random-number generators hold."""
MOST_WORKERS = 1024
"""Largest number of worker processes: more than any one machine has a use for."""
NO_LIMIT = ("nodes", "cell-nodes")
"""Options that limit a search: a number larger than any search is no limit."""

NEEDED = ("players", "bricks")
"""Options of several values of which nothing is left without a value; for others that may be meant."""


def refuse_useless(options: Sequence[Option], arguments: Sequence[str], config: Any) -> None:
    """Raises ValueError if an option is given twice, has no effect, or has a value that nothing can hold.

    Args:
        options: All options of the command.
        arguments: The arguments, which the parser has accepted.
        config: The configuration that they give.
    """
    given = sort_arguments(options, arguments)
    useless = useless_options(config)
    seen: set[str] = set()
    for flag, option, values in given.options:
        if option.name in seen:
            raise ValueError(f"{flag} is given twice: give it once" + (", with all values" * option.several))
        seen.add(option.name)
        if not values and option.default and option.name in NEEDED:
            raise ValueError(f"{flag} needs at least one value, for example {option.default[0]}")
        for value in values:
            _check_value(flag, option, value)
        if option.name in useless:
            raise ValueError(f"{flag} has no effect {useless[option.name]}: leave it out")
    for option, value in zip((each for each in options if each.positional), given.places, strict=False):
        _check_value(option.flag, option, value)
        if option.name in useless:
            raise ValueError(f"{option.flag} has no effect {useless[option.name]}: leave it out")


def _check_value(flag: str, option: Option, value: str) -> None:
    bounded = option.kind is int and option.name not in NO_LIMIT and value != "None"
    if bounded and abs(int(value)) > MOST_INT:
        raise ValueError(f"{flag} must be at most {MOST_INT}, got {value}")
    if bounded and option.name.rpartition(".")[2] == "workers" and int(value) > MOST_WORKERS:
        raise ValueError(f"{flag} must be at most {MOST_WORKERS}, got {value}")
    if option.kind is Path and not value.strip():
        raise ValueError(f"{flag} needs a path, got {value!r}")
    if "\0" in value:
        raise ValueError(f"{flag} must not contain a null character, got {value!r}")


def as_typed(message: str, options: Sequence[Option], arguments: Sequence[str]) -> str:
    """Returns a message that names options as users type them: --opening-plies for opening_plies.

    Args:
        message: The message of an error, which may name fields of a configuration.
        options: All options of the command.
        arguments: The arguments; an option that is given has precedence over others of the same name.
    """
    given = sort_arguments(options, arguments)
    flags = _flags(options, given)
    first = re.match(r"([a-z_][a-z0-9_.]*)(?= (?:must|needs|is|has|takes|allows)\b)", message)
    if first and first[1] in flags:
        message = flags[first[1]] + message[first.end() :]
    return re.sub(
        r"(?<![\w./:=,'\"-])([a-z]+(?:[_.][a-z_]+)*)=(?=[^\s'])",
        lambda found: f"{flags[found[1]]} " if found[1] in flags else found[0],
        message,
    )


def _flags(options: Sequence[Option], given: Given) -> Mapping[str, str]:
    """Returns the flag of each option by the names that messages use: its whole name, or its last part."""
    found: dict[str, str] = {}
    ordered = [option for _, option, _ in given.options]
    ordered += [option for option in options if not option.positional]
    for option in ordered:
        found.setdefault(option.name.replace("-", "_"), option.flag)
    for option in ordered:
        found.setdefault(option.name.rpartition(".")[2].replace("-", "_"), option.flag)
    return found
