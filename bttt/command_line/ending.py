"""The last line of a command: what to do next."""

from __future__ import annotations

import shlex
import sys


def suggest(*arguments: object, why: str) -> None:
    """Prints a suggested next command, in one line on stderr, separate from the results.

    Args:
        arguments: The arguments of `bttt`.
        why: What the suggested command does.
    """
    command = shlex.join(["bttt", *map(str, arguments)])
    sys.stdout.flush()
    print(f"next: {command}  # {why}", file=sys.stderr, flush=True)
