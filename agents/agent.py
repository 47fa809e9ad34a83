"""The `Agent` protocol, and `make_agent`, which makes agents from specs such as "mcts:iterations=1000,c=1.0".

An agent decides on many positions in one call, so that a network sees batches; one position is a batch of
one. Randomness is an argument, so a game depends only on its own generator.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from bttt import OUTCOME_TEXT, Position
from bttt.processes import is_interrupt, unharmed
from bttt.runs import load_plugin, nearest, one_line, parse_options, without_effect

AGENTS: dict[str, str] = {
    "alphazero": "agents.alphazero.player:AlphaZeroAgent",
    "human": "agents.human:HumanAgent",
    "mcts": "agents.mcts:MctsAgent",
    "minimax": "agents.minimax:MinimaxAgent",
    "perfect": "agents.perfect:PerfectAgent",
    "random": "agents.random_agent:RandomAgent",
}
"""The agents by name, each given as "module:class"; a module is imported when its agent is made."""

USER_AGENT = "python"
Rng = np.random.Generator | Sequence[np.random.Generator]
"""One generator for all positions, or one generator per position."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An agent's decision in one position.

    Attributes:
        cell: The cell to play.
        policy: `[cells] float32`, the agent's preference for each cell, sums to 1; or None.
        value: Expected result for the player to move, in [-1, 1]; or None.
        nodes: Positions searched; or None.
        proven: Whether the cell is proven to keep the position's value and to win fastest or lose slowest;
            None for an agent that proves nothing.
    """

    cell: int
    policy: np.ndarray | None = None
    value: float | None = None
    nodes: int | None = None
    proven: bool | None = None


@runtime_checkable
class Agent(Protocol):
    """A player, called through `bttt.ask`.

    The attribute `batched = True` declares that `rng` may be a sequence with one generator per position. An
    agent without it is called for one position at a time, with that game's generator. Its games are then
    reproducible regardless of how many are played at once.
    """

    def decide(self, positions: Sequence[Position], rng: Rng) -> Sequence[Decision]:
        """Returns one decision per position; positions are unfinished and may be on different boards."""
        ...


def generators(rng: Rng, positions: Sequence[Position]) -> list[np.random.Generator]:
    """Returns one generator for each of `positions`; a single generator is repeated.

    Raises:
        ValueError: There are not as many generators as positions, or a position is finished.
    """
    for position in positions:
        if position.outcome:
            raise ValueError(f"no move in a finished game ({OUTCOME_TEXT[position.outcome]}): {position}")
    if isinstance(rng, np.random.Generator):
        return [rng] * len(positions)
    if len(rng) != len(positions):
        raise ValueError(
            f"got {len(rng)} generators for {len(positions)} positions: give one, or one per position"
        )
    return list(rng)


def make_agent(spec: str) -> Agent:
    """Returns the agent of a spec "name" or "name:option=value,option=value".

    "python:package.module:Class" loads any class with a `decide` method, including classes in the current
    folder. Its options follow after a comma, for example "python:package.module:Class,temperature=0.5".
    Options are keyword arguments of the class (see `bttt.runs.options`).

    Raises:
        ValueError: The agent or an option is unknown, a value is not allowed, or the class cannot be loaded
            or instantiated; the message lists what exists.
    """
    name, colon, rest = spec.strip().partition(":")
    if name not in (*AGENTS, USER_AGENT):
        known = [*sorted(AGENTS), f"{USER_AGENT}:package.module:Class"]
        hint = nearest(name, [*AGENTS, USER_AGENT])
        raise ValueError(f"unknown agent {name!r}{hint}; agents are {', '.join(known)}")
    if colon and not rest.strip():
        raise ValueError(f"agent {spec!r} ends with a colon: options follow it, or leave it out")
    target, _, options = rest.partition(",") if name == USER_AGENT else (AGENTS[name], "", rest)
    with unharmed() if name == USER_AGENT else nullcontext():
        try:
            factory = load_plugin(f"{USER_AGENT}:{target.strip()}", "class")
            arguments = parse_options(options, factory)
        except ValueError as error:
            raise ValueError(f"agent {spec!r}: {error}") from error
        try:
            agent: Agent = factory(**arguments)
        except BaseException as error:
            if is_interrupt(error):
                raise
            reason = one_line(error, own=name != USER_AGENT)
            raise ValueError(f"agent {spec!r} cannot be made: {reason}") from error
    if not callable(getattr(agent, "decide", None)):
        raise ValueError(f"agent {spec!r} has no method decide(positions, rng)")
    if useless := [(option, why) for option, why in without_effect(agent).items() if option in arguments]:
        option, why = useless[0]
        raise ValueError(f"agent {spec!r}: option {option!r} has no effect {why}: leave it out")
    return agent


def source_digest(agent: Agent) -> str | None:
    """Returns a digest of the file that defines the agent's class, or None if there is no such file."""
    try:
        source = Path(inspect.getfile(type(agent))).read_bytes()
    except (OSError, TypeError):
        return None
    return hashlib.sha256(source).hexdigest()[:16]
