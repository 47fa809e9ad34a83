"""Processes in step: messages there and back, exceptions, and a process that dies."""

import os

import numpy as np
import pytest

from bttt.processes import Peer


def double(receive, send):
    """What the peer of these tests does."""
    while True:
        message = receive()
        if isinstance(message, str):
            raise ValueError(f"no number: {message}")
        if message is None:
            os._exit(3)
        send((2 * message, os.getpid()))


@pytest.fixture
def peer(monkeypatch):
    monkeypatch.syspath_prepend(os.path.dirname(__file__))
    peer = Peer("test_peers", "double")
    yield peer
    peer.stop()


def test_messages_go_there_and_back(peer):
    peer.send(3)
    six, process = peer.receive()
    assert six == 6 and process != os.getpid()
    large = np.arange(100_000)
    peer.send(large)
    assert (peer.receive()[0] == 2 * large).all()
    peer.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_an_exception_there_is_raised_here(peer):
    peer.send("x")
    with pytest.raises(ValueError, match="no number: x"):
        peer.receive()


def test_a_process_that_dies_is_an_error_of_one_line(peer):
    peer.send(None)
    with pytest.raises(OSError, match=r"a worker process has died .* rerun the command to resume"):
        peer.receive()
