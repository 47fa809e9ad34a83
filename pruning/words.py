"""Words of error messages: the nearest known name, and the article of a class."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_AN = re.compile("[AEIOaeio]|[Uu]n(?!i)|[Uu]p|[FHLMNRSX][A-Z0-9]|nd")
"""Beginnings of names that are spoken with a vowel first, also letter by letter: an LSTM, an Unfold."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns " (did you mean ...?)" with the known name closest to a name, or "" if none is close."""
    spelled = {each.lower(): each for each in known}
    match = difflib.get_close_matches(name.lower(), list(spelled), n=1)
    return f" (did you mean {spelled[match[0]]!r}?)" if match else ""


def kind_of(value: object) -> str:
    """Returns a value's class with its article: "an Embedding", "a Linear"."""
    name = type(value).__name__
    return f"{'an' if _AN.match(name) else 'a'} {name}"
