"""The last line of a command: what to do next."""

from __future__ import annotations

import shlex
import sys


def suggest(*arguments: object, why: str) -> None:
    """Prints a command as the next step, in one line on stderr: it is no part of a command's results.

    Args:
        arguments: The arguments of `bttt`.
        why: What the command is good for.
    """
    command = shlex.join(["bttt", *map(str, arguments)])
    sys.stdout.flush()
    print(f"next: {command}  # {why}", file=sys.stderr, flush=True)
