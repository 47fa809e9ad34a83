"""A line on stderr for an agent that has been thinking, or starting, for long: which one it is."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LONG_SECONDS = 60.0
"""Time after which an agent is named, once for each query."""
LOOK_SECONDS = 1.0


class _Watch:
    """A thread that looks at the query in progress; one for each process."""

    def __init__(self) -> None:
        self.process: int | None = None
        self.query: tuple[str, float] | None = None

    def start(self) -> None:
        if self.process != os.getpid():  # a forked process has no threads of its parent
            self.process = os.getpid()
            threading.Thread(target=self._look, name="long thinking", daemon=True).start()

    def _look(self) -> None:
        named = None
        while True:
            time.sleep(LOOK_SECONDS)
            query = self.query
            if query is not None and query is not named and time.monotonic() - query[1] > LONG_SECONDS:
                named = query
                with suppress(OSError, ValueError, AttributeError):  # the stream is gone
                    text = f"\n{query[0]} for more than {LONG_SECONDS:g} s\n"
                    print(text, end="", file=sys.stderr, flush=True)


_watch = _Watch()


@contextmanager
def watched(name: str, doing: str = "thinking") -> Iterator[None]:
    """Names the agent on stderr, and what it is doing, if the block takes more than `LONG_SECONDS`."""
    _watch.start()
    before, _watch.query = _watch.query, (f"{name} has been {doing}", time.monotonic())
    try:
        yield
    finally:
        _watch.query = before
