"""Opponents of an environment: any agent or callable that chooses a cell.

An agent may be given by its spec, for example "minimax:depth=2". It has a method `decide(positions, rng)`,
which returns one decision with a `cell` per position. A callable takes `(position, rng)` and returns a cell.
Cells may be names ("D4") or indices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from itertools import islice
from typing import Any

import numpy as np

from bttt.position import Position
from bttt.runs import load_plugin

RANDOM = "random"
Opponent = Any
"""`RANDOM`, an agent's spec, an agent with a method `decide(positions, rng)`, or a callable
`(position, rng) -> cell`."""
MAKER = "python:agents:make_agent"
"""The function that makes the agent of a spec. It is named here as `bttt.command_line` names the commands'
modules: the game knows no agent, and the module is imported when an environment is first given a spec."""


def random_cell(position: Position, rng: np.random.Generator) -> int:
    """Returns a uniformly random legal cell."""
    cells = position.legal_cells()
    return cells[int(rng.integers(len(cells)))]


def as_player(opponent: Opponent) -> Any:
    """Returns the agent or callable for an `opponent` argument.

    Raises:
        TypeError: It is none of the things that an `Opponent` may be.
        ValueError: No agent has this spec.
    """
    if isinstance(opponent, str):
        return random_cell if opponent == RANDOM else _agent(opponent)
    if not callable(getattr(opponent, "decide", opponent)):
        raise TypeError(
            "opponent must be the spec of an agent, an agent with a method decide(positions, rng) or a "
            f"callable (position, rng) -> cell, got {opponent!r}"
        )
    return opponent


def _agent(spec: str) -> Any:
    if spec.strip().partition(":")[0] == "human":
        raise ValueError("opponent 'human' cannot play in an environment: try bttt play")
    make_agent = load_plugin(MAKER, "function")
    try:
        return make_agent(spec)
    except ValueError as error:
        allowed = f"{RANDOM!r}, the spec of an agent or, in the vector environment, 'self'"
        raise ValueError(f"opponent must be {allowed}, got {spec!r}: {error}") from error


def ask(agent: Any, positions: Sequence[Position], rngs: Sequence[np.random.Generator]) -> list[Any]:
    """Returns an agent's decisions, one per position, each drawing only from its own position's generator.

    An agent with a true attribute `batched` gets all positions and generators in one call. Any other agent
    gets one position and its generator at a time.

    Raises:
        TypeError: The agent did not return a sequence of objects with a `cell`.
        ValueError: The agent returned more or fewer decisions than there are positions.
    """
    if getattr(agent, "batched", False):
        return _decisions(agent, positions, rngs)
    return [
        decision
        for position, rng in zip(positions, rngs, strict=True)
        for decision in _decisions(agent, [position], rng)
    ]


def _decisions(agent: Any, positions: Sequence[Position], rng: Any) -> list[Any]:
    answer = agent.decide(positions, rng)
    if isinstance(answer, Iterable) and not isinstance(answer, Sized):
        answer = islice(answer, len(positions) + 1)  # a generator may never end
    decisions = list(answer) if isinstance(answer, Iterable) else [answer]
    for decision in decisions:
        if not hasattr(decision, "cell"):
            raise TypeError(f"decide must return a list of agents.Decision, got {decision!r} in it")
    if len(decisions) != len(positions):
        raise ValueError(f"decide returned {len(decisions)} decisions for {len(positions)} positions")
    return decisions


def replies(player: Any, positions: Sequence[Position], rngs: Sequence[np.random.Generator]) -> list[int]:
    """Returns the cells that an agent or callable plays, one per position, each with its own generator.

    Raises:
        ValueError: A cell is not free in its position, or there are not as many cells as positions.
    """
    if hasattr(player, "decide"):
        answers = [decision.cell for decision in ask(player, positions, rngs)]
    else:
        answers = [player(position, rng) for position, rng in zip(positions, rngs, strict=True)]
    return [_checked(player, *pair) for pair in zip(positions, answers, strict=True)]


def _checked(player: Any, position: Position, answer: Any) -> int:
    try:
        cell = position.board.cell(answer)
    except ValueError as error:
        raise ValueError(f"opponent {player!r} played an illegal cell: {error}") from error
    if not position.board.bit(cell) & position.free:
        name = position.board.cell_name(cell)
        raise ValueError(f"opponent {player!r} played {name}, which is not free, in {position}")
    return cell
