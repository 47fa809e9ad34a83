"""Processes that work in step with this one for as long as it needs them, and end with it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bttt.processes.signals import leave_to_parent

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

LOOK_SECONDS = 0.5
"""How often a process looks whether the one that started it is alive, in seconds."""


class Peer:
    """A process that runs a function of a module: `module.function(receive, send)`.

    The function gets the messages given to `send` by calling `receive()`, and gives its own to `send(...)`;
    it ends when `receive` raises EOFError. Messages are pickled, so a peer must be code of this program.

    Args:
        module: The module.
        function: The function's name.
    """

    def __init__(self, module: str, function: str):
        ours, theirs = socket.socketpair()
        code = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            f"from bttt.processes.peers import work; from {module} import {function} as own\n"
            f"work(own, {theirs.fileno()}, {os.getpid()})"
        )
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=2,  # prints must not mix with results
                pass_fds=(theirs.fileno(),),
            )
        self._connection = _connection(ours.detach())

    def send(self, message: object) -> None:
        """Sends a message; raises OSError if the process has ended."""
        try:
            self._connection.send(message)
        except (BrokenPipeError, ConnectionError) as error:
            raise self._died() from error

    def receive(self) -> Any:
        """Waits for a message and returns it; an exception of the function is raised here.

        Raises:
            OSError: The process has ended.
        """
        try:
            message = self._connection.recv()
        except (EOFError, ConnectionError) as error:
            raise self._died() from error
        if isinstance(message, _Failure):
            raise message.error
        return message

    def stop(self) -> None:
        """Ends the process at once."""
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def __del__(self) -> None:
        with suppress(Exception):  # an object that was not made completely, or the end of the interpreter
            self.stop()

    def _died(self) -> OSError:
        return OSError(
            "a worker process has died (killed, out of memory, or ended by a plug-in); "
            "stored results are kept: rerun the command to resume"
        )


class _Failure:
    def __init__(self, error: Exception):
        self.error = error


def work(
    function: Callable[[Callable[[], Any], Callable[[object], None]], None], number: int, parent: int
) -> None:
    """Runs a peer's function on the connection with this file descriptor."""
    os.set_inheritable(number, False)
    leave_to_parent()
    end_after(parent)
    connection = _connection(number)
    try:
        function(connection.recv, connection.send)
    except (EOFError, ConnectionError):  # the other process has ended, or needs this one no longer
        return
    except Exception as error:
        with suppress(ConnectionError):
            connection.send(_Failure(error))


def end_after(parent: int) -> None:
    """Ends this process within a second after `parent`, the process that started it, has ended.

    A thread looks. It runs during long searches too, since kernels release the interpreter's lock.
    """

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=look, name="end with the parent", daemon=True).start()


def _connection(number: int) -> Connection:
    from multiprocessing.connection import Connection  # here, for the start of the commands

    return Connection(number)
