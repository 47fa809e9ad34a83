"""Warming agents up: kernels are compiled or loaded before the games, without the work of a decision."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import numpy as np

from agents.agent import Agent
from agents.asking.answers import is_ours
from agents.asking.failure import AgentError
from agents.asking.isolated import IsolatedAgent
from agents.asking.queries import query
from bttt import Board, Position


def warm_up(agent: Agent, boards: Iterable[Board]) -> None:
    """Lets a batched agent compile what its decisions need, on one of `boards` of each size.

    An agent of this package has a method `warm_up(position)`, which compiles without the work of a decision.
    A user's agent decides in a position in which every move ends the game. A failure is ignored: the agent
    will fail again, and forfeit its games.
    """
    if not getattr(agent, "batched", False):
        return
    sizes = {(board.rows, board.cols, board.win_length): board for board in boards}
    if isinstance(agent, IsolatedAgent):
        with suppress(AgentError):
            agent.warm_up(sizes.values())
        return
    own = getattr(agent, "warm_up", None) if is_ours(agent) else None
    for board in sizes.values():
        with suppress(AgentError, ValueError):  # ValueError: a network does not fit the board
            if own is not None:
                own(Position.start(board))
            else:
                query(agent, [last_choice(board)], [np.random.default_rng(0)])


def last_choice(board: Board) -> Position:
    """Returns an unfinished position in which every move ends the game."""
    position = Position.start(board)
    while True:
        after = (position.play(cell) for cell in position.legal_cells())
        unfinished = next((each for each in after if not each.outcome), None)
        if unfinished is None:
            return position
        position = unfinished
