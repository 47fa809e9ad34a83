"""Failures of users' code: what it may raise, and what it raised as one line."""

from __future__ import annotations

import textwrap

FAILURES = (Exception, SystemExit, GeneratorExit)
"""What a user's code may raise that is its own failure; Ctrl-C is the user's."""
MOST_TEXT = 300
"""Characters of a message that are kept."""


def one_line(error: BaseException) -> str:
    """Returns the message of an error on one line; its type comes first unless it is a ValueError."""
    try:
        text = str(error)
    except Exception:
        text = "(its message cannot be read)"
    printable = "".join(symbol if symbol.isprintable() else " " for symbol in text)
    text = textwrap.shorten(printable, MOST_TEXT, placeholder=" ...")
    return text if text and isinstance(error, ValueError) else f"{type(error).__name__}: {text}"
