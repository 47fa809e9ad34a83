"""An agent's answer to a query, as numbers that nobody can change afterwards."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from agents.agent import Agent, Decision
from agents.asking.failure import RAISED, AgentError, failed
from bttt import Position, ask
from bttt.processes import is_interrupt, raise_interrupt
from bttt.runs import one_line

MOST_SHOWN = 100
"""Maximum length of a cell's name, and of the text in place of something that is no cell."""
MOST_NUMBER = 10**100
"""Numbers up to this one are sent and shown as they are; Python cannot write those of thousands of digits."""


@dataclass(frozen=True, slots=True)
class Decided:
    """An agent's decisions, one for each position, and the time it took, in seconds."""

    decisions: list[Decision]
    seconds: float


def is_ours(agent: Agent) -> bool:
    """Returns whether an agent's class is one of this package."""
    return type(agent).__module__.partition(".")[0] == __name__.partition(".")[0]


def ask_here(agent: Agent, positions: Sequence[Position], rngs: Sequence[np.random.Generator]) -> Decided:
    """Returns an agent's decisions; it gets these very positions, in this process (see `query`)."""
    start = perf_counter()
    try:
        found = ask(agent, list(positions), list(rngs))
    except BaseException as error:
        if is_interrupt(error) or (isinstance(error, KeyboardInterrupt) and is_ours(agent)):
            raise
        raise failed(error) from error
    seconds = perf_counter() - start
    raise_interrupt()
    if len(found) != len(positions):  # the agent has shortened the list that it was given
        raise AgentError(
            f"{RAISED}ValueError: decide returned {len(found)} decisions for {len(positions)} positions"
        )
    return Decided([_plain(decision) for decision in found], seconds)


class Shown:
    """Something that is no cell; it looks like the answer that an agent gave."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _plain(decision: Any) -> Decision:
    """Returns a decision of numbers only, each read once: a user's object may say something else next."""
    try:
        cell, value, nodes = decision.cell, decision.value, decision.nodes
        return Decision(
            _cell(cell),
            value=None if value is None else float(value),
            nodes=None if nodes is None else max(-MOST_NUMBER, min(int(nodes), MOST_NUMBER)),
            proven=None if decision.proven is None else bool(decision.proven),
        )
    except BaseException as error:
        if is_interrupt(error):
            raise
        raise AgentError(f"illegal decision: {one_line(error)}") from error


def _cell(cell: Any) -> Any:
    """Returns a cell's number or name; anything that cannot be one, as it looks."""
    if isinstance(cell, str):
        return text if len(text := str(cell)) <= MOST_SHOWN else Shown(repr(text)[:MOST_SHOWN])
    try:
        number = operator.index(cell)
    except TypeError:
        return Shown(repr(cell)[:MOST_SHOWN])
    return number if abs(number) < MOST_NUMBER else Shown(hex(number)[:MOST_SHOWN])
