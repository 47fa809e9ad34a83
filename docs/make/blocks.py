"""Blocks of a page that are made from stored results.

A block stands between two comments, of which the first says how it is made: a maker and its arguments, in the
words of a shell::

    <!-- made: table results/methods/methods.txt method rows=dense,snip -->
    ...
    <!-- end -->
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping

BLOCK = re.compile(
    r"(?P<head><!-- made: (?P<call>[^\n]+?) -->\n)(?P<body>.*?)(?P<foot><!-- end -->)", re.DOTALL
)
OPTION = re.compile(r"(?P<name>[a-z]+)=(?P<value>.*)", re.DOTALL)

Maker = Callable[..., str]


def filled(page: str, makers: Mapping[str, Maker]) -> str:
    """Returns a page with all its blocks made anew.

    Raises:
        ValueError: A block names no maker, or its maker fails; the message has the block's call.
    """

    def fill(found: re.Match[str]) -> str:
        return f"{found['head']}\n{_made(found['call'], makers)}\n\n{found['foot']}"

    return BLOCK.sub(fill, page)


def _made(call: str, makers: Mapping[str, Maker]) -> str:
    name, *words = shlex.split(call)
    if name not in makers:
        raise ValueError(f"{call!r}: no maker {name!r}; there are: {', '.join(makers)}")
    positional = [word for word in words if not OPTION.fullmatch(word)]
    options = {found["name"]: found["value"] for word in words if (found := OPTION.fullmatch(word))}
    try:
        return makers[name](*positional, **options).strip("\n")
    except (TypeError, ValueError, LookupError, OSError) as error:
        raise ValueError(f"{call!r}: {error}") from error
