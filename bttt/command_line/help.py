"""The help: the list of commands, and for one command an example and the options used most."""

from __future__ import annotations

import re
import shutil
import textwrap

from bttt.command_line.catalogue import COMMANDS, HEADINGS
from bttt.command_line.options import Option, command_options, summary

LEAST_WIDTH, MOST_WIDTH = 80, 110
"""Columns of the help of a command; in between, those of the terminal."""
NAMES_WIDTH = 24
"""Columns of the names of options; a longer name has a line of its own."""
KEPT_SPACE = "\N{NO-BREAK SPACE}"
"""Stands for a space at which no line ends."""
LONGEST_DEFAULT = 60
"""Characters of a default that the short help prints in full."""


def list_of_commands() -> str:
    """Returns the help of `bttt`: all commands under their headings, a line each."""
    lines = ["usage: bttt COMMAND [OPTIONS]"]
    for heading in HEADINGS:
        own = [(name, each) for name, each in COMMANDS.items() if each.heading == heading]
        lines += ["", heading, *(f"  {name:16}{each.summary}" for name, each in own)]
    lines += [
        "",
        "bttt COMMAND --help shows the options used most, bttt COMMAND --help-all shows all options.",
    ]
    return "\n".join(lines)


def short_help(name: str, config: type, width: int | None = None) -> str:
    """Returns the help of a command: one sentence, an example, and the options used most.

    Args:
        name: Name of the command.
        config: Its configuration class.
        width: Columns of the text; by default those of the terminal.
    """
    columns = shutil.get_terminal_size((MOST_WIDTH, 24)).columns if width is None else width
    columns = min(max(columns, LEAST_WIDTH), MOST_WIDTH)
    command, options = COMMANDS[name], command_options(config)
    by_name = {option.name: option for option in options}
    shown = [by_name[each] for each in command.options]
    lines = [*textwrap.wrap(summary(config), columns), "", usage(name, options)]
    lines += [f"example: bttt {name} {command.example}".rstrip()]
    lines += ["", *(line for option in shown for line in _entry(option, columns))] if shown else []
    return "\n".join([*lines, "", f"all options: bttt {name} --help-all"])


def usage(name: str, options: tuple[Option, ...]) -> str:
    """Returns how the command is called, for example `usage: bttt replay RUN GAME [OPTIONS]`."""
    words = [f"usage: bttt {name}"]
    for option in options:
        if option.positional:
            text = f"{option.flag} ..." if option.several else option.flag
            words.append(text if option.required else f"[{text}]")
    others = any(not option.positional for option in options)
    return " ".join([*words, *(["[OPTIONS]"] if others else [])])


def _entry(option: Option, width: int) -> list[str]:
    """Returns the lines of an option: its name and type, what it does, its default."""
    flags = ", ".join([option.flag, *option.aliases])
    name = flags if option.positional else f"{flags} {option.kind_text}".rstrip()
    text = f"{first_sentence(option.text)}{_default_text(option)}"
    lines = textwrap.wrap(text, width - NAMES_WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    lines = [line.replace(KEPT_SPACE, " ") for line in lines]
    if len(name) > NAMES_WIDTH:
        return [f"  {name}", *(f"  {'':{NAMES_WIDTH}}  {line}" for line in lines)]
    names = [name, *[""] * (len(lines) - 1)]
    return [f"  {name:{NAMES_WIDTH}}  {line}" for name, line in zip(names, lines, strict=True)]


def first_sentence(text: str) -> str:
    """Returns the first sentence of a docstring, and the one on the default where there is one."""
    sentences = re.split(r"(?<=\.) +(?=[A-Z0-9-])", text)
    return " ".join([sentences[0], *(each for each in sentences[1:] if each.startswith("Default: "))])


def _default_text(option: Option) -> str:
    """Returns " (default: ...)", or nothing where the docstring says it or the option is a flag."""
    if option.required or option.is_flag or option.default in (None, "", ()):
        return ""
    values = [str(each) for each in option.default] if option.several else [str(option.default)]
    text = " ".join(values)
    if len(text) > LONGEST_DEFAULT:
        text = f"{values[0]} {values[1]} ... {values[-1]}"
    return f" (default:{KEPT_SPACE}{text})"
