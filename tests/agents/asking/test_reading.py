"""What an agent's process sends: the one right form is read, and every other one is refused."""

from copy import deepcopy

import numpy as np
import pytest

from agents import Decision
from agents.asking import AgentError
from agents.asking.reading import Made, read_decided, read_made

STATE = np.random.default_rng(1).bit_generator.state
RIGHT = {"decisions": [["D4", 0.5, 7, None]], "seconds": 0.1, "states": [[STATE, 2]]}
MADE = {"batched": True, "digest": None, "fingerprint": "ab", "trained_on": ["7x7x4:D4"]}


def test_a_right_answer_is_read_and_advances_the_generator():
    rng = np.random.default_rng(0)
    answer = read_decided(RIGHT, [rng])
    assert answer.decisions == [Decision("D4", value=0.5, nodes=7)] and answer.seconds == 0.1
    assert rng.bit_generator.state == STATE
    assert rng.bit_generator.seed_seq.n_children_spawned == 2
    assert read_made(MADE) == Made(**MADE)
    assert read_made({"error": "no file"}) == "no file"


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("decisions", 7),
        ("decisions", []),
        ("decisions", [7]),
        ("decisions", [["D4", 0.5, 7]]),
        ("decisions", [[None, 0.5, 7, None]]),
        ("decisions", [[[7], 0.5, 7, None]]),
        ("decisions", [["D4", "high", 7, None]]),
        ("decisions", [["D4", 0.5, 10**101, None]]),
        ("decisions", [["D4", 0.5, 7, 3]]),
        ("seconds", None),
        ("seconds", -1.0),
        ("seconds", float("nan")),
        ("states", {}),
        ("states", [[STATE, 2, 3]]),
        ("states", [[STATE, 2**31]]),  # so many generators would fill the memory
        ("states", [[{}, 2]]),
        ("states", [[7, 2]]),
        ("states", [[STATE | {"state": {"state": -1, "inc": 1}}, 2]]),
        ("more", 7),
    ],
)
def test_another_form_of_decisions_is_refused_and_changes_no_generator(part, value):
    rng = np.random.default_rng(0)
    before = deepcopy(rng.bit_generator.state)
    with pytest.raises(ValueError, match="sent an answer that cannot be read"):
        read_decided(RIGHT | {part: value}, [rng])
    assert rng.bit_generator.state == before


@pytest.mark.parametrize(
    "found", [7, None, [], "reason", {}, {"reason": "x"}, {"reason": 7, "traceback": None}]
)
def test_anything_else_is_refused(found):
    for read in (lambda: read_decided(found, [np.random.default_rng(0)]), lambda: read_made(found)):
        with pytest.raises(ValueError, match="sent an answer that cannot be read"):
            read()
    with pytest.raises(AgentError, match="no idea"):
        read_decided({"reason": "no idea", "traceback": None}, [])


@pytest.mark.parametrize(
    "change", [{"batched": 7}, {"digest": 7}, {"trained_on": [7]}, {"trained_on": 7}, {"error": 7}]
)
def test_another_form_of_what_is_said_about_an_agent_is_refused(change):
    with pytest.raises(ValueError, match="sent an answer that cannot be read"):
        read_made(MADE | change)
