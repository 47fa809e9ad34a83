"""A process that answers requests: answers, ends of all kinds, and time."""

import os
import time

import pytest

from bttt.processes import Child, ChildEndedError, ChildLateError, serve


def echo(read, write):
    def answer(message):
        kind, value = message
        if kind == "exit":
            os._exit(value)
        if kind == "sleep":
            time.sleep(value)
        return object() if kind == "odd" else value

    serve(read, write, answer)


@pytest.fixture
def child(monkeypatch):
    monkeypatch.syspath_prepend(os.path.dirname(__file__))
    found = Child("test_child", "echo")
    yield found
    found.stop()


def test_answers_are_plain_data_of_any_size(child):
    for value in (None, 3, [1, (2, "x")], {"a": b"x" * 10**6}):
        assert child.request(("say", value)) == value
    with pytest.raises(ChildEndedError, match="sent an answer that cannot be read"):
        child.request(("odd", 0))


def test_an_end_and_a_late_answer_stop_it(child):
    with pytest.raises(ChildLateError):
        child.request(("sleep", 60), seconds=0.1)
    assert child._process.returncode == -9
    other = Child("test_child", "echo")
    with pytest.raises(ChildEndedError, match="ended with code 7"):
        other.request(("exit", 7))
