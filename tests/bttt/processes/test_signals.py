"""Signals that end commands, while they start and later, and processes that end with their parents."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from bttt.processes import starting

ROOT = Path(__file__).parents[3]
STARTING = "print('importing', flush=True)\nimport time\ntime.sleep(60)\n"
PARENT = """
import pathlib, sys, time
from bttt.processes import Child, Peer, spread
def work(number):
    pathlib.Path(str(number)).touch()
    time.sleep(60)
def answer(read, write):
    work(0)
def peer(receive, send):
    work(0)
if __name__ == "__main__" and "child" in sys.argv:
    Child("parent", "answer").request(None)
elif __name__ == "__main__" and "peer" in sys.argv:
    Peer("parent", "peer").receive()
elif __name__ == "__main__":
    list(spread(work, [(0,), (1,)], workers=2))
"""
BUSY = """
import threading, time
from agents import Decision
class Busy:
    def __init__(self):
        threading.Thread(target=time.sleep, args=(60,)).start()
    def decide(self, positions, rng):
        return [Decision(position.legal_cells()[0]) for position in positions]
"""


def begin(*arguments, folder, ignored=()):
    """Starts Python in a folder whose modules come first."""
    actions = [(each, signal.SIG_IGN if each in ignored else signal.SIG_DFL) for each in ENDING]
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        preexec_fn=partial(list, map(signal.signal, *zip(*actions, strict=True))),
    )


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("sent", ENDING)
def test_a_signal_while_the_command_imports_its_modules_is_one_line(tmp_path, sent):
    (tmp_path / "gymnasium.py").write_text(STARTING)
    process = begin("-m", "bttt", "tournament", folder=tmp_path)
    assert process.stdout.readline() == "importing\n"
    process.send_signal(sent)
    assert process.communicate(timeout=30) == ("", "interrupted\n")
    assert process.returncode == 128 + sent


def test_a_signal_that_was_ignored_stays_ignored(tmp_path):
    (tmp_path / "gymnasium.py").write_text(STARTING)
    process = begin("-m", "bttt", "tournament", folder=tmp_path, ignored=(signal.SIGINT, signal.SIGHUP))
    process.stdout.readline()
    for sent in (signal.SIGINT, signal.SIGHUP):
        process.send_signal(sent)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[1] == "interrupted\n"
    assert process.returncode == 143


def test_an_agents_thread_does_not_keep_the_command_alive(tmp_path):
    (tmp_path / "busy.py").write_text(BUSY)
    words = "tournament --players python:busy:Busy random --board 3x3x3 --bricks none --workers 1"
    process = begin("-m", "bttt", *words.split(), folder=tmp_path)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and "2 of 2 games" in out
    assert err.endswith("ended while threads of an agent were running\n")


@pytest.mark.parametrize("kind", ["workers", "child", "peer"])
def test_processes_end_with_their_parent_and_let_go_of_its_output(tmp_path, kind):
    (tmp_path / "parent.py").write_text(PARENT)
    process = begin("parent.py", kind, folder=tmp_path)
    deadline = time.monotonic() + 60
    while not (tmp_path / "0").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (tmp_path / "0").exists()
    process.kill()
    process.communicate(timeout=5)  # the output ends: nobody else has it open
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("python -m bttt play", True),
        ("python -X importtime -u -m bttt play", True),
        ("/opt/venv/bin/python /opt/venv/bin/bttt play", True),
        ("python -m joblib.externals.loky.backend.popen_loky_posix --process-name bttt", False),
        ("python -c bttt", False),
        ("python mine.py bttt", False),
        ("python", False),
    ],
)
def test_only_the_command_takes_its_signals(words, found):
    assert starting.is_command(words.split()) is found
