"""Asking agents: copies, failures of all kinds, and surroundings that stay as they were."""

import os
import sys

import numpy as np
import pytest

from agents import make_agent
from agents.asking import AgentError, query, thinking
from bttt import Board, Position
from bttt.processes import signals

START = Position.start(Board(bricks="D4"))


def ask(name, position=START, **options):
    agent = make_agent(f"python:hostile_agents:{name}")
    return query(agent, [position], [np.random.default_rng(0)], **options)


def test_editing_a_position_or_its_board_changes_nothing_here():
    text = str(START)
    assert ask("Edits").decisions == ask("Uniform").decisions
    assert str(START) == text and START.board == Board(bricks="D4")
    assert START.legal_cells() == tuple(cell for cell in range(49) if cell != 24)


def test_a_decision_is_read_once():
    decision = ask("Fickle").decisions[0]
    assert decision.cell == decision.cell == 1  # `ask` has looked whether there is a cell


def test_an_agent_that_empties_its_lists_has_returned_too_few_decisions():
    with pytest.raises(AgentError, match=r"raised ValueError: decide returned 0 decisions for 1 positions"):
        ask("Empties")


@pytest.mark.parametrize("kind", ["Own", "KeyboardInterrupt", "ValueError"])
def test_any_exception_of_the_agent_is_its_failure(monkeypatch, kind):
    monkeypatch.setattr(signals, "_taken", True)  # a command: it knows that no signal came
    with pytest.raises(AgentError, match=rf"^raised {kind}: no idea \(hostile_agents\.py:\d+\)$"):
        ask(f"Raises,kind={kind}")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Silent", r"raised MuteError: \(its message cannot be read\)"),
        ("Late", "illegal decision: KeyboardInterrupt: "),
        ("Endless", "raised ValueError: decide returned 2 decisions for 1 positions"),
    ],
)
def test_so_is_what_its_objects_raise_when_they_are_read(monkeypatch, name, reason):
    monkeypatch.setattr(signals, "_taken", True)
    with pytest.raises(AgentError, match=f"^{reason}"):
        ask(name)


def test_ctrl_c_interrupts_also_where_the_agent_has_caught_it(monkeypatch):
    with pytest.raises(KeyboardInterrupt):  # no command: every KeyboardInterrupt may be a person's
        ask("Raises,kind=KeyboardInterrupt")
    monkeypatch.setattr(signals, "_taken", True)
    monkeypatch.setattr(signals, "_received", 2)
    for name in ("Raises,kind=KeyboardInterrupt", "Uniform"):
        with pytest.raises(KeyboardInterrupt):
            ask(name)


def test_folder_and_streams_are_as_before(capfd):
    folder, streams = os.getcwd(), (sys.stdout, sys.stderr)
    identity = os.fstat(1).st_ino
    for _ in range(2):
        ask("Strays")
    assert os.getcwd() == folder
    assert (sys.stdout, sys.stderr) == streams and not sys.stdout.closed
    assert os.fstat(1).st_ino == identity
    print("a table")
    out, err = capfd.readouterr()
    assert (out, err) == ("a table\n", "thinking aloud\n" * 2)


def test_an_agent_that_thinks_for_long_is_named_once(monkeypatch, capsys):
    monkeypatch.setattr(thinking, "LONG_SECONDS", 0.05)
    monkeypatch.setattr(thinking, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(thinking, "_watch", thinking._Watch())
    import time

    with thinking.watched("slow:one"):
        time.sleep(0.3)
    with thinking.watched("quick:one"):
        pass
    time.sleep(0.1)
    assert capsys.readouterr().err.split("\n") == ["", "slow:one has been thinking for more than 0.05 s", ""]
