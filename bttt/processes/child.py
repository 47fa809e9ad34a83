"""A Python process of one's own that answers requests, and that can be stopped at any time.

Requests are pickles and answers are JSON, in pipes, each with a number and its length before it. A child runs
somebody's code: what it sends creates no objects here, and no more memory than its length allows.

A child leads a session of its own: Ctrl-C on the terminal does not reach it, and `stop` ends what it started
too. It ends with its parent, however that ended: a *guard*, a second small process, waits for that.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

HEAD = struct.Struct("<QQ")
"""Number and length of a message."""
MOST_BYTES, MOST_TIMES = 2**20, 16
"""Maximum length of an answer: so many bytes, and so many times the length of its request."""
TICK_SECONDS = 0.1
"""How often a child is looked after where the system cannot report its end."""


class ChildEndedError(Exception):
    """A child ended before it answered; the message says how, for example "ended with code 7"."""


class ChildLateError(Exception):
    """A child was stopped because its answer did not come in time."""


class Child:
    """A process that runs a function of a module: `module.function(read, write)`, see `serve`.

    Args:
        module: The module.
        function: The function's name.
    """

    def __init__(self, module: str, function: str):
        requests, self._write = os.pipe()
        self._read, answers = os.pipe()
        life, self._life = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _first_words(module, function, requests, answers, life)],
                stdin=subprocess.DEVNULL,
                stdout=2,  # prints must not mix with results
                pass_fds=(requests, answers, life),
                start_new_session=True,
            )
        except BaseException:
            for each in (self._write, self._read, self._life):
                os.close(each)
            raise
        finally:
            for each in (requests, answers, life):
                os.close(each)
        os.set_blocking(self._write, False)
        os.set_blocking(self._read, False)
        self._end = _end_of(self._process.pid)
        self._number = 0
        self._open = True

    def request(self, message: object, seconds: float | None = None) -> Any:
        """Returns the answer to a message; its tuples have become lists.

        Raises:
            ChildEndedError: The process ended, or its answer cannot be read. It is stopped.
            ChildLateError: There was no answer within `seconds`. The process is stopped.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        self._number += 1
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        try:
            self._send(HEAD.pack(self._number, len(data)) + data, deadline)
            while True:
                number, length = HEAD.unpack(self._receive(HEAD.size, deadline))
                if number > self._number or length > MOST_BYTES + MOST_TIMES * len(data):
                    raise ChildEndedError("sent an answer that cannot be read")
                answer = self._receive(length, deadline)
                if number == self._number:  # else a forked copy of the child answered once more
                    return _plain(answer)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the process, and those that it started, at once."""
        if self._open:
            self._open = False
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            for each in (self._write, self._read, self._life, *([] if self._end is None else [self._end])):
                os.close(each)

    def __del__(self) -> None:
        with suppress(Exception):  # an object that was not made completely, or the end of the interpreter
            self.stop()

    def _send(self, data: bytes, deadline: float | None) -> None:
        left = memoryview(data)
        while left:
            self._await(self._write, select.POLLOUT, deadline)
            try:
                left = left[os.write(self._write, left[:65536]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise ChildEndedError(self._how()) from None

    def _receive(self, length: int, deadline: float | None) -> bytes:
        parts: list[bytes] = []
        while length:
            self._await(self._read, select.POLLIN, deadline)
            try:
                part = os.read(self._read, min(length, 2**20))
            except BlockingIOError:
                continue
            if not part:
                raise ChildEndedError(self._how())
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _await(self, pipe: int, event: int, deadline: float | None) -> None:
        """Returns when a pipe is ready; raises if the process has ended or the time is up."""
        poll = select.poll()
        poll.register(pipe, event)
        if self._end is not None:
            poll.register(self._end, select.POLLIN)
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise ChildLateError
            if self._end is None:
                left = TICK_SECONDS if left is None else min(left, TICK_SECONDS)
            ready = poll.poll(None if left is None else 1000 * left)
            if any(number == pipe for number, _ in ready):
                return
            # A process that the child started may hold the pipe open, so its end is no sign.
            if self._process.poll() is not None:
                raise ChildEndedError(self._how())

    def _how(self) -> str:
        """Returns how the process ended, or that it closed its pipe, after which it is stopped."""
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return "closed its connection"
        if code >= 0:
            return f"ended with code {code}"
        with suppress(ValueError):
            return f"was killed by signal {-code} ({signal.Signals(-code).name})"
        return f"was killed by signal {-code}"


def serve(read: int, write: int, answer: Any) -> None:
    """Answers requests with `answer(message)` until the parent ends: what a child's function calls.

    The answers must be what JSON can hold: numbers, strings, None, and lists and dicts of them.
    """
    own = os.getpid()
    for each in (read, write):
        os.set_inheritable(each, False)
    with open(read, "rb") as requests:
        while head := requests.read(HEAD.size):
            number, length = HEAD.unpack(head)
            found = answer(pickle.loads(requests.read(length)))
            if os.getpid() != own:  # a copy that the user's code has forked
                os._exit(0)
            data = json.dumps(found).encode("ascii")
            left = memoryview(HEAD.pack(number, len(data)) + data)
            while left:
                left = left[os.write(write, left) :]


def guard(life: int) -> None:
    """Starts the guard: a process that kills this session's processes when the parent closes `life`."""
    session = os.getpid()
    if os.fork():
        os.wait()
        os.close(life)
        return
    if os.fork():
        os._exit(0)
    os.setpgid(0, 0)  # not among those that are killed
    for number in range(256):
        if number != life:
            with suppress(OSError):
                os.close(number)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    os.read(life, 1)
    with suppress(OSError):
        os.killpg(session, signal.SIGKILL)
    os._exit(0)


def _first_words(module: str, function: str, requests: int, answers: int, life: int) -> str:
    """Returns the code with which a child begins: it searches modules where its parent does."""
    return (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        f"from bttt.processes.child import guard; guard({life})\n"
        f"from {module} import {function}; {function}({requests}, {answers})"
    )


def _end_of(pid: int) -> int | None:
    """Returns a file descriptor that is readable once the process has ended; None where there is none."""
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):
            return os.pidfd_open(pid)
    return None


def _plain(data: bytes) -> Any:
    try:
        return json.loads(data.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ChildEndedError("sent an answer that cannot be read") from error
