"""Signals that end a command: Ctrl-C, SIGTERM and SIGHUP, each with the cleanup of Ctrl-C.

A command interrupts itself with `KeyboardInterrupt`, whichever of the signals came. Its exit code is 128 plus
the number of the signal, as shells have it. A signal that was ignored when the command started stays ignored:
`nohup` ignores SIGHUP, and a shell script ignores SIGINT for what it starts in the background.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that end a command; Windows has no SIGHUP."""
_taken = False
"""Whether the signals of this process come here."""
_received: int | None = None


def end_at_once() -> None:
    """Lets an ending signal end this process with one line: for its start, when there is nothing to clean up.

    An exception is of no use there: modules that are being imported turn it into errors of their own.
    """
    _take(_end)


def interrupt() -> None:
    """Lets an ending signal raise KeyboardInterrupt in the main thread, and a second one end at once.

    Only where `end_at_once` came before: a program that calls a command keeps its own handlers.
    """
    if _taken:
        _take(_interrupt)


def end_despite_threads(code: int) -> None:
    """Ends the process of a command at once if threads that an agent has started would keep it alive.

    Python waits at its end for all threads but daemons. Does nothing in other programs, and without such
    threads.
    """
    others = [each for each in threading.enumerate() if each is not threading.main_thread()]
    if not _taken or all(each.daemon for each in others):
        return
    with suppress(OSError, ValueError):
        print("ended while threads of an agent were running", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def leave_to_parent() -> None:
    """Lets this process ignore Ctrl-C and SIGHUP: they reach its parent too, which ends it."""
    global _taken
    _taken = True
    if threading.current_thread() is threading.main_thread():
        for each in ENDING:
            if each != signal.SIGTERM:
                signal.signal(each, signal.SIG_IGN)


def exit_code(interrupted: int) -> int:
    """Returns the exit code of an interrupted command: `interrupted`, or that of the signal that came."""
    return interrupted if _received is None else 128 + _received


def is_interrupt(error: BaseException) -> bool:
    """Returns whether an exception out of a user's code is an interrupt, and no failure of that code.

    It is a KeyboardInterrupt and a signal came. If the signals of this process are not taken (by
    `end_at_once`), that cannot be known, and every KeyboardInterrupt counts.
    """
    return isinstance(error, KeyboardInterrupt) and (not _taken or _received is not None)


def came() -> bool:
    """Returns whether an ending signal came."""
    return _received is not None


def raise_interrupt() -> None:
    """Raises KeyboardInterrupt if a signal came: a user's code may have caught the first one."""
    if _received is not None:
        raise KeyboardInterrupt


def _take(handler: object) -> None:
    global _taken
    _taken = True
    for each in ENDING:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, handler)  # type: ignore[arg-type]


def _end(number: int, frame: FrameType | None) -> None:
    with suppress(OSError):  # the terminal may be gone
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"interrupted\n")
    os._exit(128 + number)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _received
    if _received is not None:
        _end(number, frame)
    _received = number
    raise KeyboardInterrupt
