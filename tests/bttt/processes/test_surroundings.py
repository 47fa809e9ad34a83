"""What a user's code changes in this process comes back."""

import os
import signal
import sys

import numpy as np
import pytest

from bttt.processes import unharmed


def state():
    mask = os.umask(0o077)
    os.umask(mask)
    signals = [
        signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD)
    ]
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    return mask, signals, blocked, np.geterr(), sys.getrecursionlimit(), list(sys.path), dict(os.environ)


def ignore():
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(each, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


HARM = {
    "umask": lambda: os.umask(0o777),
    "handlers": ignore,
    "blocked": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]),
    "numpy": lambda: np.seterr(all="raise"),
    "recursion": lambda: sys.setrecursionlimit(sys.getrecursionlimit() - 1),
    "environ": lambda: os.environ.clear(),
    "variable": lambda: os.environ.update(PATH="/nowhere"),
    "path": lambda: sys.path.clear(),
}


@pytest.mark.parametrize("name", HARM)
def test_the_settings_of_the_process_come_back(name):
    before = state()
    with pytest.raises(KeyError), unharmed():
        HARM[name]()
        changed = state() != before
        raise KeyError
    assert changed and state() == before


def test_replaced_objects_come_back_and_additions_stay(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    before, objects = state(), (os.environ, sys.path)
    with unharmed():
        setattr(os, "environ", {})  # noqa: B010
        sys.path = ["/nowhere"]
    assert (os.environ, sys.path) == objects and os.environ is objects[0]
    assert (sys.path[:-1], sys.path[-1]) == (before[-2], "/nowhere")
    with unharmed():
        sys.path.insert(0, "/first")
        os.environ["BTTT_ADDED"] = "1"
    assert sys.path[0] == "/first" and os.environ.pop("BTTT_ADDED") == "1"
    assert dict(os.environ) == before[-1]
