"""The start of the `bttt` command: an ending signal then ends the process with one line.

Importing this module has that effect, in the process of the command only. `bttt` imports it before everything
else, since the other imports take half a second.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from bttt.processes.signals import end_at_once

COMMAND = "bttt"
WITH_VALUE = ("-X", "-W")
"""Options of Python that are followed by a value."""


def is_command(words: Sequence[str]) -> bool:
    """Returns whether these words start the command: `bttt ...` or `python -m bttt ...`."""
    rest = iter(words[1:])
    for word in rest:
        if word == "-m":
            return next(rest, None) == COMMAND
        if not word.startswith("-"):
            return os.path.splitext(os.path.basename(word))[0] == COMMAND
        if word == "-c":
            return False
        if word in WITH_VALUE:
            next(rest, None)
    return False


if is_command(sys.orig_argv):
    end_at_once()
