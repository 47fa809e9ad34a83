"""Failures of agents: the reason as one line, with the place in the agent's code, and the traceback."""

from __future__ import annotations

import os
import sys
import sysconfig
import traceback
from pathlib import Path
from types import TracebackType

from bttt.processes import is_interrupt
from bttt.runs import one_line

RAISED = "raised "
PROCESS = "its process "
MOST_TRACEBACK = 4000
"""Maximum length of a traceback's text, in characters; its end is kept."""
OUR_FILES = (str(Path(__file__).parent), str(Path(__file__).parents[2] / "bttt"))
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class AgentError(Exception):
    """An agent did not decide. Its text is the reason, as a forfeit states it.

    Attributes:
        traceback: The traceback of the agent's exception, as text; None if it raised none.
    """

    def __init__(self, reason: str, traceback: str | None = None):
        super().__init__(reason)
        self.traceback = traceback


def is_breakdown(reason: str) -> bool:
    """Returns whether a reason is an exception of the agent or the end of its process.

    The others, an illegal decision and a move that took too long, are bad play rather than broken code.
    """
    return reason.startswith((RAISED, PROCESS))


def failed(error: BaseException) -> AgentError:
    """Returns the failure of an agent that raised an exception: its class, its message, and file and line."""
    name = type(error).__name__
    text = one_line(error)
    if not text.startswith(f"{name}:"):
        text = f"{name}: {text}"
    return AgentError(f"{RAISED}{text}{place(error)}", _text(error))


def place(error: BaseException) -> str:
    """Returns " (file:line)" of the last frame in the user's code, or "" if that code was not running."""
    found = _place(error.__traceback__)
    return f" ({found})" if found else ""


def _place(trace: TracebackType | None) -> str | None:
    frames = [frame for frame in traceback.extract_tb(trace) if not frame.filename.startswith(OUR_FILES)]
    own = [frame for frame in frames if not frame.filename.startswith(LIBRARIES)] or frames
    return f"{_short(own[-1].filename)}:{own[-1].lineno}" if own else None


def _short(file: str) -> str:
    """Returns a file's path from the folder where Python found it, or its whole path."""
    folders = [folder for folder in sys.path if folder and file.startswith(os.path.join(folder, ""))]
    return os.path.relpath(file, max(folders, key=len)) if folders else file


def _text(error: BaseException) -> str:
    """Returns the traceback without the frames that called the agent, in printable characters."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(OUR_FILES):
        trace = trace.tb_next
    try:
        text = "".join(traceback.format_exception(type(error), error, trace))
    except BaseException as other:  # the exception's own text fails
        if is_interrupt(other):
            raise
        text = "".join(traceback.format_tb(trace))
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text[-MOST_TRACEBACK:])
