"""Runs the Python blocks of pages, and prints what went wrong as JSON: python run_blocks.py PAGE ...

In a process of its own: what examples register or change is gone at its end.
"""

import contextlib
import io
import json
import sys
import traceback
from pathlib import Path

from blocks import python_blocks


def outcome(path):
    """Runs a page's blocks as one session and returns the traceback of what it raised, or ""."""
    session = {"__name__": "__main__"}
    try:
        for block in python_blocks(path.read_text(encoding="utf-8")):
            source = "\n" * (block.line - 1) + block.text  # a traceback has the line of the page
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(source, str(path), "exec"), session)
    except Exception:
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))  # agents of a page's own modules
    print(json.dumps({path: outcome(Path(path)) for path in sys.argv[1:]}))
