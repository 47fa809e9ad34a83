"""The `bttt` command: the composition root, which imports each command only when it runs."""

from __future__ import annotations

import io
import os
import re
import sys
import traceback
from contextlib import redirect_stderr, suppress
from importlib import import_module
from typing import Any

from bttt.command_line import (
    COMMANDS,
    REPORT_IT,
    as_typed,
    command_options,
    explain,
    full_help,
    list_of_commands,
    refuse_foreign_agents,
    refuse_useless,
    sentence,
    short_help,
    unknown_command,
)
from bttt.processes import came, end_despite_threads, exit_code, interrupt
from bttt.runs import BUG, CLOSED_PIPE, INTERRUPTED, OK, USAGE_ERROR


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code; wrong input is one line on stderr and code 2.

    With the environment variable BTTT_TRACEBACK=1 errors show a traceback instead.
    """
    code = _ended(sys.argv[1:] if arguments is None else arguments)
    end_despite_threads(code)
    return code


def _ended(arguments: list[str]) -> int:
    """Runs one command and returns its exit code; output that nobody reads is no error."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may lack some letters of a player's name
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _main(arguments)
        sys.stdout.flush()
        return exit_code(code) if code == INTERRUPTED else code
    except BrokenPipeError:  # `bttt ... | head`
        _forget_output()
        return CLOSED_PIPE
    except OSError:
        if not came():
            raise
        _forget_output()  # the terminal is gone, after SIGHUP
        return exit_code(INTERRUPTED)


def _forget_output() -> None:
    """Points the output elsewhere: text left in the buffers must not raise at exit."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # not a file
            stream.flush()
            continue
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(list_of_commands())
        return OK if arguments else USAGE_ERROR
    if arguments[0] == "--version":
        print(import_module("bttt").__version__)
        return OK
    try:
        return _run(arguments[0], arguments[1:])
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("BTTT_TRACEBACK"):
            raise
        if came():  # an error in the wake of the signal, for example that the workers have gone
            return _interrupted()
        return _failed(arguments[0], arguments[1:], error)
    except KeyboardInterrupt:
        return _interrupted()


def _interrupted() -> int:
    print("interrupted", file=sys.stderr)
    return INTERRUPTED


def _failed(name: str, arguments: list[str], error: Exception) -> int:
    """Prints the sentence of an expected failure, or the traceback of a bug; returns the exit code."""
    told = sentence(error)
    if told is None:
        traceback.print_exception(error)
        print(f"bttt {name}: error: {REPORT_IT}", file=sys.stderr)
        return BUG
    if name in COMMANDS:
        told = as_typed(told, command_options(_config_class(name)), arguments)
    print(f"bttt {name}: error: {told}", file=sys.stderr)
    return USAGE_ERROR


def _run(name: str, arguments: list[str]) -> int:
    if name not in COMMANDS:
        raise ValueError(unknown_command(name))
    refuse_foreign_agents()
    config_class = _config_class(name)
    if "--help-all" in arguments:
        print(full_help(name, config_class))
        return OK
    if "--help" in arguments or "-h" in arguments:
        print(short_help(name, config_class))
        return OK
    config = _parse(config_class, f"bttt {name}", arguments)
    refuse_useless(command_options(config_class), arguments, config)
    interrupt()
    code: int = import_module(COMMANDS[name].module).run(config)
    return code


def _config_class(name: str) -> Any:
    command = COMMANDS[name]
    return getattr(import_module(command.module), command.config)


def _parse(config_class: type, program: str, arguments: list[str]) -> Any:
    """Returns the configuration.

    Raises:
        ValueError: An argument is wrong; the message is one line.
    """
    import tyro

    said = io.StringIO()
    try:
        with redirect_stderr(said):
            return tyro.cli(config_class, prog=program, args=arguments)
    except SystemExit as stop:
        if not stop.code:
            raise
    message = explain(command_options(config_class), arguments) or _boxed_message(said.getvalue())
    raise ValueError(f"{message} (see {program} --help)")


def _boxed_message(box: str) -> str:
    """Returns the parser's message, without its frame and without the parts that repeat the help."""
    parts = [""]
    for line in box.splitlines()[1:-1]:
        text = line.strip(" |\u2502")
        if set(text) <= set("-\u2500"):
            parts.append("")
        else:
            parts[-1] += f" {text}"
    told = (part.strip() for part in parts)
    message = " ".join(
        each for each in told if each and not each.startswith(("Argument help", "For full help"))
    )
    return re.sub(r"^Error parsing [\w.-]+: ", "", message)  # raised by the configuration's own checks


if __name__ == "__main__":
    sys.exit(main())
