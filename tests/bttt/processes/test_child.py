"""A process that answers requests: answers, ends of all kinds, and time."""

import os
import time

import pytest

from bttt.processes import Child, ChildEndedError, ChildLateError, serve
from bttt.processes.child import HEAD


def echo(read, write):
    def answer(message):
        kind, value = message
        if kind == "exit":
            os._exit(value)
        if kind == "sleep":
            time.sleep(value)
        if kind == "raw":
            os.write(write, value)
        return object() if kind == "odd" else value

    serve(read, write, answer)


@pytest.fixture
def child(monkeypatch):
    monkeypatch.syspath_prepend(os.path.dirname(__file__))
    found = Child("test_child", "echo")
    yield found
    found.stop()


def test_answers_are_plain_data_of_any_size(child):
    for value in (None, 2**128, [1, [0.1, "\ud800"]], {"a": "x" * 10**6}):
        assert child.request(("say", value)) == value
    with pytest.raises(ChildEndedError, match="ended with code 1"):
        child.request(("odd", 0))


def test_an_end_and_a_late_answer_stop_it(child):
    with pytest.raises(ChildLateError):
        child.request(("sleep", 60), seconds=0.1)
    assert child._process.returncode == -9
    other = Child("test_child", "echo")
    with pytest.raises(ChildEndedError, match="ended with code 7"):
        other.request(("exit", 7))


@pytest.mark.parametrize(
    "content",
    [
        HEAD.pack(1, 10) + b"\x80\x02Nr" + (2**29).to_bytes(4, "little") + b"." + b" ",  # a pickle of 8 GB
        HEAD.pack(1, 2**24),
        HEAD.pack(2, 1) + b"7",
        HEAD.pack(1, 10**5) + b"[" * 10**5,
        HEAD.pack(1, 2) + b"\xff\xfe",
    ],
)
def test_what_a_users_code_writes_into_the_pipe_is_read_as_plain_data_of_bounded_size(child, content):
    with pytest.raises(ChildEndedError, match="sent an answer that cannot be read"):
        child.request(("raw", content), seconds=20)
