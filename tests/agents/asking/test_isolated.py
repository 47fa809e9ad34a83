"""Agents in processes of their own: the same games, and whatever the agent does costs it the game only."""

import os
import pickle
import time
from dataclasses import replace
from pathlib import Path

import hostile_agents
import numpy as np
import pytest

from agents import make_agent
from agents.asking import AgentError, IsolatedAgent, query
from agents.asking import isolated as module
from agents.random_agent import RandomAgent
from bttt import Board, Position
from tournaments.play import Conditions, play_games, schedule_games

BOARDS = [Board(bricks="D4"), Board(5, 4, 3)]
START = Position.start(BOARDS[0])


def spec(name):
    return f"python:hostile_agents:{name}"


@pytest.fixture
def isolated():
    """Makes isolated agents, and ends their processes."""
    made = []

    def make(name, **options):
        made.append(IsolatedAgent(spec(name), **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def ask(agent, position=START, seed=0):
    return query(agent, [position], [np.random.default_rng(seed)])


def games(agent):
    agents = {"it": agent, "random": RandomAgent()}
    schedule = schedule_games("round-robin", list(agents), BOARDS, 1)
    records = play_games(schedule, agents, Conditions())
    return sorted((replace(record, seconds=()) for record in records), key=lambda record: record.index)


@pytest.mark.parametrize("name", ["Uniform", "Batched", "Strays", "Edits", "Fickle", "Empties", "ByName"])
def test_games_are_the_same_with_and_without_a_process(isolated, name):
    assert games(isolated(name)) == games(make_agent(spec(name)))


def test_an_agent_of_the_package_plays_the_same_and_keeps_its_traits(isolated):
    ours = make_agent("mcts:iterations=20")
    theirs = IsolatedAgent("mcts:iterations=20")
    assert theirs.batched
    assert ask(theirs).decisions[0] == ask(ours).decisions[0]
    theirs.stop()


def test_an_agent_that_ends_its_process_loses_that_game_and_plays_the_next(isolated):
    records = games(isolated("Leaves"))
    assert {record.forfeit for record in records} == {"its process ended with code 7"}
    assert {len(record.cells) for record in records} == {3, 4}
    with pytest.raises(AgentError, match=r"its process was killed by signal 11 \(SIGSEGV\)"):
        ask(isolated("Crashes"))


def test_an_agent_that_hangs_is_stopped_with_what_it_started(isolated):
    agent = isolated("Hangs", limit=0.2)
    group = agent._child._process.pid
    begun = time.monotonic()
    with pytest.raises(AgentError, match=r"took more than 0\.2 s for a move, the limit, and was stopped"):
        ask(agent)
    assert time.monotonic() - begun < 5
    assert not alive(group)


def alive(group):
    """Whether a group of processes has members that are no zombies, within a second."""
    for _ in range(50):
        states = []
        for each in filter(str.isdigit, os.listdir("/proc")):
            try:
                fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            states += [fields[0]] if int(fields[2]) == group else []
        if set(states) <= {"Z"}:
            return False
        time.sleep(0.02)
    return True


def test_an_answer_in_another_form_is_a_failure_and_the_process_starts_again(isolated, monkeypatch):
    agent = isolated("Uniform", limit=9)
    with monkeypatch.context() as patch:
        patch.setattr(agent._child, "request", lambda *_: 7)
        with pytest.raises(AgentError, match=r"^its process sent an answer that cannot be read$"):
            ask(agent)
    assert ask(agent).decisions == ask(make_agent(spec("Uniform"))).decisions
    monkeypatch.setattr(module, "WARM_SECONDS", 0.0)
    with pytest.raises(AgentError, match=r"^took more than 0 s to warm up and was stopped$"):
        agent.warm_up(BOARDS)


def test_numbers_that_no_process_can_send_are_the_same_illegal_decision_in_both(isolated):
    for name in ("Huge", "Long"):
        one, other = (ask(each).decisions[0] for each in (isolated(name), make_agent(spec(name))))
        assert repr(one.cell) == repr(other.cell) and len(repr(one.cell)) <= 100
        assert one.nodes == other.nodes


def test_copies_of_a_process_answer_nothing(isolated):
    agent = isolated("Forks")
    expected = [ask(make_agent(spec("Uniform")), seed=seed).decisions for seed in range(3)]
    assert [ask(agent, seed=seed).decisions for seed in range(3)] == expected


def test_an_agent_that_cannot_be_made_in_time_is_an_error_and_later_a_forfeit(isolated, monkeypatch):
    monkeypatch.setattr(module, "MAKE_SECONDS", 1.0)
    with pytest.raises(ValueError, match=r"HangsWhenMade' cannot be made: it took more than 1 s"):
        IsolatedAgent(spec("HangsWhenMade"), limit=1)
    with pytest.raises(ValueError, match="module 'hostile_agents' has no class 'Nobody'"):
        IsolatedAgent(spec("Nobody"))
    agent = isolated("Uniform", limit=1)
    agent.stop()
    monkeypatch.setattr(module, "MAKE_SECONDS", 0.0)
    for _ in range(2):  # it is not tried again
        with pytest.raises(AgentError, match="its process cannot be started again: AgentError: it took"):
            ask(agent)
        monkeypatch.setattr(module, "MAKE_SECONDS", 100.0)


def test_a_copy_starts_a_process_of_its_own_when_it_is_queried(isolated):
    agent = isolated("Uniform")
    copy = pickle.loads(pickle.dumps(agent))
    assert copy == agent and copy._child is None
    assert copy.digest == agent.digest is not None
    assert ask(copy).decisions == ask(agent).decisions
    assert copy._child._process.pid != agent._child._process.pid
    copy.stop()


def test_the_failure_names_class_file_and_line_and_has_a_traceback(isolated):
    found = []
    for agent in (isolated("Raises"), make_agent(spec("Raises"))):
        with pytest.raises(AgentError) as failed:
            ask(agent)
        found.append((str(failed.value), failed.value.traceback))
    assert found[0] == found[1]
    reason, traceback = found[0]
    source = Path(hostile_agents.__file__).read_text().splitlines()
    line = next(number for number, text in enumerate(source, 1) if "self.error(" in text)
    assert reason == f"raised Own: no idea (hostile_agents.py:{line})"
    assert traceback.splitlines()[-1] == "hostile_agents.Own: no idea"
    assert "answers.py" not in traceback
