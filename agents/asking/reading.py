"""What an isolated agent's process sends, checked: the agent's code may have written it (see `serving`)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from agents.agent import Decision
from agents.asking.answers import MOST_NUMBER, Decided, Shown
from agents.asking.failure import PROCESS, AgentError

UNREADABLE = f"{PROCESS}sent an answer that cannot be read"
MOST_SPAWNED = 2**20
"""Maximum number of generators that an agent spawns from one generator in a query."""


@dataclass(frozen=True)
class Made:
    """What a process says about the agent that it has made; see `IsolatedAgent`."""

    batched: bool
    digest: str | None
    fingerprint: str | None
    trained_on: str | list[str] | None


def read_made(found: Any) -> Made | str:
    """Returns what a process says about its agent, or why the agent cannot be made.

    Raises:
        ValueError: It is neither.
    """
    _check(isinstance(found, dict))
    if found.keys() == {"error"}:
        _check(isinstance(found["error"], str))
        return str(found["error"])
    _check(found.keys() == set(Made.__dataclass_fields__))
    made = Made(**found)
    boards = made.trained_on if isinstance(made.trained_on, list) else [made.trained_on]
    _check(isinstance(made.batched, bool))
    _check(all(isinstance(each, str | None) for each in (made.digest, made.fingerprint, *boards)))
    return made


def read_decided(found: Any, rngs: Sequence[np.random.Generator]) -> Decided:
    """Returns an agent's decisions, one for each generator, and advances the generators.

    Raises:
        AgentError: The process says why the agent did not decide.
        ValueError: It says something else. The generators are as they were.
    """
    _check(isinstance(found, dict))
    if found.keys() == {"reason", "traceback"}:
        _check(isinstance(found["reason"], str) and isinstance(found["traceback"], str | None))
        raise AgentError(found["reason"], found["traceback"])
    _check(found.keys() == {"decisions", "seconds", "states"})
    decisions, states, seconds = found["decisions"], found["states"], found["seconds"]
    for each in (decisions, states):
        _check(isinstance(each, list) and len(each) == len(rngs))
    _check(isinstance(seconds, float) and isfinite(seconds) and seconds >= 0)
    answer = Decided([_decision(each) for each in decisions], seconds)
    for rng, state in zip(rngs, states, strict=True):
        _check_state(rng, state)
    for rng, (state, children) in zip(rngs, states, strict=True):
        _advance(rng, state, children)
    return answer


def _check(allowed: bool) -> None:
    if not allowed:
        raise ValueError(UNREADABLE)


def _decision(found: Any) -> Decision:
    _check(isinstance(found, list) and len(found) == 4)
    cell, value, nodes, proven = found
    if isinstance(cell, list):
        _check(len(cell) == 1 and isinstance(cell[0], str))
        cell = Shown(cell[0])
    else:
        _check(isinstance(cell, str) or _is_number(cell))
    _check(value is None or isinstance(value, float))
    _check(nodes is None or _is_number(nodes))
    _check(proven is None or isinstance(proven, bool))
    return Decision(cell, value=value, nodes=nodes, proven=proven)


def _is_number(found: Any) -> bool:
    return isinstance(found, int) and abs(found) <= MOST_NUMBER


def _check_state(rng: np.random.Generator, found: Any) -> None:
    """Raises ValueError unless a generator like `rng` can be advanced to what was found."""
    _check(isinstance(found, list) and len(found) == 2 and _is_number(found[1]))
    _check(_missing(rng, found[1]) <= MOST_SPAWNED)
    trial = deepcopy(rng.bit_generator)
    try:
        trial.state = found[0]
    except Exception:  # NumPy raises a different one for each part
        _check(False)


def _missing(rng: np.random.Generator, children: int) -> int:
    return children - int(getattr(rng.bit_generator.seed_seq, "n_children_spawned", children))


def _advance(rng: np.random.Generator, state: Any, children: int) -> None:
    """Brings a generator to the state, and the number of spawned children, that a copy has reached."""
    rng.bit_generator.state = state
    missing = _missing(rng, children)
    if missing > 0:
        seeds: Any = rng.bit_generator.seed_seq
        seeds.spawn(missing)
