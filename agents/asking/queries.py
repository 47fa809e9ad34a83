"""Asking an agent: it gets copies, may fail in any way, and harms neither the game nor this process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np

from agents.agent import Agent, Decision
from agents.asking.answers import Decided, ask_here, is_ours
from agents.asking.failure import AgentError
from agents.asking.isolated import IsolatedAgent
from agents.asking.thinking import watched
from bttt import Board, Position
from bttt.processes import unharmed


def query(
    agent: Agent,
    positions: Sequence[Position],
    rngs: Sequence[np.random.Generator],
    *,
    name: str | None = None,
) -> Decided:
    """Returns an agent's decisions through `bttt.ask`, without their policies.

    A user's agent gets copies of the positions: editing them changes nothing here. What it does to the
    current folder, the standard streams and settings is undone (`bttt.processes.unharmed`), and its prints
    go to stderr.

    Args:
        agent: The agent.
        positions: Unfinished positions.
        rngs: One generator per position; the agent draws from these, not from copies.
        name: The agent's name, for a line on stderr if it thinks for long. Default: no such line.

    Raises:
        AgentError: The agent raised any exception, ended its process, took too long, or returned something
            else than one decision per position.
    """
    with watched(name) if name else nullcontext():
        if isinstance(agent, IsolatedAgent):
            return agent.answer(positions, rngs)
        if is_ours(agent):
            return ask_here(agent, positions, rngs)
        own = copies(positions)
        with unharmed():
            return ask_here(agent, own, rngs)


def ask_by_name(name: str, agent: Agent, position: Position, rng: np.random.Generator) -> Decision:
    """Returns the agent's decision in one position; if the agent fails, raises ValueError with its name."""
    try:
        return query(agent, [position], [rng]).decisions[0]
    except AgentError as error:
        raise ValueError(f"agent {name!r} {error}") from error


def copies(positions: Sequence[Position]) -> list[Position]:
    """Returns copies that share nothing with the positions, not even their boards."""
    boards: dict[int, Board] = {}
    found = []
    for position in positions:
        board = position.board
        own = boards.setdefault(id(board), Board(board.rows, board.cols, board.win_length, board.bricks))
        found.append(Position(own, position.first, position.second, position.outcome, position.last_move))
    return found
