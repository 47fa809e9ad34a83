"""The help: the list of commands, and for each command an example and its most used options."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Sequence
from itertools import chain

from bttt.command_line.catalogue import COMMANDS, HEADINGS
from bttt.command_line.options import Option, command_options, command_parts, first_line

LEAST_WIDTH, MOST_WIDTH = 80, 110
"""Minimum and maximum width of a command's help, in columns; between them the terminal's width is used."""
NAMES_WIDTH = 24
"""Width of the column of option names; a longer name gets its own line."""
KEPT_SPACE = "\N{NO-BREAK SPACE}"
"""Placeholder for a space at which a line must not break."""
LONGEST_DEFAULT = 60
"""Maximum length of a default that the short help prints in full, in characters."""


def list_of_commands() -> str:
    """Returns the help of `bttt`: all commands under their headings, one line each."""
    lines = ["usage: bttt COMMAND [OPTIONS]"]
    for heading in HEADINGS:
        own = [(name, each) for name, each in COMMANDS.items() if each.heading == heading]
        lines += ["", heading, *(f"  {name:16}{each.summary}" for name, each in own)]
    lines += [
        "",
        "bttt COMMAND --help shows the most used options, bttt COMMAND --help-all shows all options.",
    ]
    return "\n".join(lines)


def short_help(name: str, config: type, width: int | None = None) -> str:
    """Returns the help of a command: one sentence, an example, and its most used options.

    Args:
        name: Name of the command.
        config: Its configuration class.
        width: Width of the text in columns; default: the width of the terminal.
    """
    columns = _columns(width)
    options = command_options(config)
    by_name = {option.name: option for option in options}
    entries = [_entry(by_name[each], columns, short=True) for each in COMMANDS[name].options]
    lines = [*_filled(first_line(config), columns), "", *_calls(name, options)]
    lines += ["", *chain(*entries)] if entries else []
    return "\n".join([*lines, "", f"all options: bttt {name} --help-all"])


def full_help(name: str, config: type, width: int | None = None) -> str:
    """Returns the full help of a command, with all options; arguments as in `short_help`."""
    columns = _columns(width)
    own, *parts = command_parts(config)
    lines = [line for paragraph in own.text.split("\n\n") for line in [*_paragraph(paragraph, columns), ""]]
    lines += _calls(name, own.options)
    for part in (own, *parts):
        about = [] if part is own else ["", *_filled(f"--{part.name}*: {part.text}", columns)]
        in_order = sorted(part.options, key=lambda option: not option.positional)
        entries = [_entry(option, columns, short=False) for option in in_order]
        lines += [*about, "", *chain(*entries)] if entries else []
    return "\n".join(lines)


def _columns(width: int | None) -> int:
    terminal = shutil.get_terminal_size((MOST_WIDTH, 24)).columns
    return min(max(terminal if width is None else width, LEAST_WIDTH), MOST_WIDTH)


def _calls(name: str, options: Sequence[Option]) -> list[str]:
    """Returns the usage line of a command and its examples."""
    own = COMMANDS[name].own_example
    examples = [COMMANDS[name].example, *([own] if own else [])]
    return [usage(name, options), *(f"example: bttt {name} {example}".rstrip() for example in examples)]


def _paragraph(text: str, width: int) -> list[str]:
    """Returns a paragraph of a docstring, or its list items, wrapped to the width."""
    items = re.split(r"\n(?=- )", text)
    return [line for item in items for line in _filled(item, width, "  " if item.startswith("- ") else "")]


def _filled(text: str, width: int, indent: str = "") -> list[str]:
    """Returns the lines of a text, with placeholders turned back into spaces."""
    text = re.sub(r"[ \n]+", " ", text)
    lines = textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(KEPT_SPACE, " ") for line in lines]


def usage(name: str, options: Sequence[Option]) -> str:
    """Returns the usage line, for example `usage: bttt replay RUN GAME [OPTIONS]`."""
    words = [f"usage: bttt {name}"]
    for option in options:
        if option.positional:
            text = f"{option.flag} ..." if option.several else option.flag
            words.append(text if option.required else f"[{text}]")
    others = any(not option.positional for option in options)
    return " ".join([*words, *(["[OPTIONS]"] if others else [])])


def _entry(option: Option, width: int, *, short: bool) -> list[str]:
    """Returns the lines of an option: its name and type, what it does, its default."""
    flags = ", ".join([option.flag, *option.aliases])
    name = flags if option.positional else f"{flags} {option.kind_text}".rstrip()
    text = first_sentence(option.text) if short else option.text
    lines = _filled(f"{text}{_default_text(option, short=short)}", width - NAMES_WIDTH - 4)
    if len(name) > NAMES_WIDTH:
        return [f"  {name}", *(f"  {'':{NAMES_WIDTH}}  {line}" for line in lines)]
    names = [name, *[""] * (len(lines) - 1)]
    return [f"  {name:{NAMES_WIDTH}}  {line}" for name, line in zip(names, lines, strict=True)]


def first_sentence(text: str) -> str:
    """Returns the first sentence of a docstring, and the sentence about the default if there is one."""
    sentences = re.split(r"(?<=\.) +(?=[A-Z0-9-])", text)
    return " ".join([sentences[0], *(each for each in sentences[1:] if each.startswith("Default: "))])


def _default_text(option: Option, *, short: bool) -> str:
    """Returns " (default: ...)", or "" if the docstring states the default or the flag is off."""
    stated = "Default: " in option.text
    if stated or option.required or option.default in (None, "", ()) or option.default is False:
        return ""
    if option.is_flag:
        return f" (default:{KEPT_SPACE}on; {option.off} switches it off)"
    values = [str(each) for each in option.default] if option.several else [str(option.default)]
    text = " ".join(values)
    if short and len(text) > LONGEST_DEFAULT:
        text = f"{values[0]} {values[1]} ... {values[-1]}"
    return f" (default:{KEPT_SPACE}{text})"
