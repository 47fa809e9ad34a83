"""The `bttt` command run in this process."""

import re
import shlex
import signal
from importlib import import_module

import tyro

from bttt.__main__ import main
from bttt.command_line import COMMANDS


def heed_interrupts():
    """Lets a process that is about to start heed Ctrl-C, also where the shell of the tests ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


HELP = {"--help", "--help-all", "-h", "--version"}


def bttt(*arguments, capsys):
    """Returns exit code, stdout and stderr of one command run in this process.

    A command that has done its work must end with the next step: a command that parses.
    """
    try:
        code = main(last_of_each([str(argument) for argument in arguments]))
    except SystemExit as stop:  # as --help-all does
        code = stop.code
    captured = capsys.readouterr()
    if code == 0 and HELP.isdisjoint(arguments):
        name, config = next_step(captured.err)
        assert isinstance(config, config_class(name))
    return code, captured.out, captured.err


def last_of_each(arguments):
    """Returns the arguments without options that are given again later: tests change some of a tiny line."""
    groups = [[]]
    for argument in arguments:
        if argument.startswith("--"):
            groups.append([])
        groups[-1].append(argument)
    last = {group[0]: number for number, group in enumerate(groups[1:], 1)}
    kept = [group for number, group in enumerate(groups) if not number or last[group[0]] == number]
    return [argument for group in kept for argument in group]


def config_class(name):
    """Returns the configuration class of a command."""
    command = COMMANDS[name]
    return getattr(import_module(command.module), command.config)


def next_step(err):
    """Returns the command that the last line of stderr suggests, and its configuration."""
    line = err.splitlines()[-1]
    assert line.startswith("next: bttt "), err
    name, *arguments = shlex.split(line.removeprefix("next: bttt "), comments=True)
    return name, tyro.cli(config_class(name), args=arguments)


def refused(*arguments, capsys):
    """Returns the one-line error of a command that must exit with code 2, and say nothing else on stderr."""
    return _refused(arguments, capsys, lambda line: True)


def refused_at_work(*arguments, capsys):
    """The same of a command that may have begun: its boards, bars and news of compiling may be there."""
    begun = re.compile(r"compiling|%\||^(plays|measures|trains|solves)\b.* \d+ boards?\b")
    return _refused(arguments, capsys, lambda line: not begun.search(line))


def _refused(arguments, capsys, counts):
    code, _, err = bttt(*arguments, capsys=capsys)
    assert code == 2
    lines = [line for line in err.splitlines() if line.strip() and counts(line)]
    assert len(lines) == 1, err
    return lines[0]
