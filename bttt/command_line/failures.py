"""The sentence of each expected failure: wrong input, a file, the machine. Any other error is a bug."""

from __future__ import annotations

import errno
import sqlite3

REPORT_IT = (
    "this is a bug of bttt, not a mistake of yours: please report it with the command and the lines above "
    "(pip show brick-tic-tac-toe names the project's address)"
)
REMEDIES = {
    errno.EACCES: "you have no permission: choose another path",
    errno.EPERM: "you have no permission: choose another path",
    errno.EROFS: "its file system is read-only: choose another path",
    errno.ENOENT: "there is no such file or folder",
    errno.EISDIR: "it is a folder, expected a file: move it away, or choose another path",
    errno.ENOTDIR: "a part of the path is a file, expected a folder: choose another path",
    errno.EEXIST: "it exists already: move it away, or choose another path",
    errno.ENOTEMPTY: "it is a folder with files, expected a file: move it away, or choose another path",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter path",
    errno.ELOOP: "it is a link to itself: remove it, or choose another path",
    errno.ENOSPC: "the disk is full: free some space, then rerun the command",
    errno.EDQUOT: "your quota of disk space is used up: free some space, then rerun the command",
    errno.EMFILE: "too many files are open: use fewer --workers, or raise the limit (ulimit -n)",
}
"""What each error of the operating system means, and what to do."""
NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def sentence(error: BaseException) -> str | None:
    """Returns the message of an expected failure as one line, or None if the error is a bug."""
    if isinstance(error, OSError) and error.errno in REMEDIES:
        path = error.filename2 if error.filename2 is not None else error.filename
        return f"{path}: {REMEDIES[error.errno]}" if path is not None else REMEDIES[error.errno]
    if isinstance(error, ValueError | OSError):
        return " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, MemoryError) or _is_torch_memory(error):
        return f"there is not enough memory: use smaller numbers, or fewer workers ({_first(error)})"
    if isinstance(error, sqlite3.Error):
        return f"the run's database cannot be used ({_first(error)}): restore it, or choose another --out"
    return None


def _is_torch_memory(error: BaseException) -> bool:
    """Returns whether torch, which has no exception of its own on the CPU, could not allot memory."""
    return isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)


def _first(error: BaseException) -> str:
    """Returns the first sentence of a message that may have many lines."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text.partition(". ")[0]
