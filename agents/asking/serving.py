"""The process of an isolated agent: it makes the agent and answers queries (see `isolated`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from agents.agent import Agent, make_agent, source_digest
from agents.asking.answers import Shown, ask_here
from agents.asking.failure import AgentError
from agents.asking.warming import warm_up
from bttt import Board, Outcome, Position
from bttt.processes import leave_to_parent, serve, unharmed


def serve_agent(read: int, write: int) -> None:
    """Makes an agent and answers queries, in the agent's own process."""
    leave_to_parent()
    agents: list[Agent] = []

    def answer(message: Any) -> Any:
        if message[0] == "make":
            try:
                agents.append(make_agent(message[1]))
            except ValueError as error:
                return {"error": str(error)}
            return _about(agents[0])
        if message[0] == "warm up":
            warm_up(agents[0], [Board.parse(text) for text in message[1]])
            return {}
        return _decided(agents[0], *message[1:])

    serve(read, write, answer)


def _decided(agent: Agent, words: Any, rngs: Sequence[np.random.Generator]) -> dict[str, Any]:
    """Returns an agent's decisions and the states of the generators after them, or why it failed."""
    positions = [
        Position(Board(*size), first, second, Outcome(outcome), last)
        for size, first, second, outcome, last in words
    ]
    try:
        with unharmed():
            found = ask_here(agent, positions, rngs)
    except AgentError as error:
        return {"reason": str(error), "traceback": error.traceback}
    decisions = [(_sent(each.cell), each.value, each.nodes, each.proven) for each in found.decisions]
    states = [(rng.bit_generator.state, _children(rng)) for rng in rngs]
    return {"decisions": decisions, "seconds": found.seconds, "states": states}


def _children(rng: np.random.Generator) -> int:
    return int(getattr(rng.bit_generator.seed_seq, "n_children_spawned", 0))


def _about(agent: Agent) -> dict[str, Any]:
    """Returns what others want to know of an agent, as plain data."""
    fingerprint, boards = getattr(agent, "fingerprint", None), getattr(agent, "trained_on", None)
    return {
        "batched": bool(getattr(agent, "batched", False)),
        "digest": source_digest(agent),
        "fingerprint": str(fingerprint) if isinstance(fingerprint, str) else None,
        "trained_on": _texts(boards) if boards else None,
    }


def _texts(boards: Any) -> Any:
    """Returns training boards as strings, or something that is no list of boards, as text."""
    if isinstance(boards, str) or not isinstance(boards, Iterable):
        return repr(boards)
    return [str(board) for board in boards]


def _sent(cell: Any) -> Any:
    """Returns a cell as plain data; what is no cell becomes a tuple of its text."""
    return (cell.text,) if isinstance(cell, Shown) else cell
