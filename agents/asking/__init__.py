"""Asking agents: copies of positions, failures as one line, processes of their own, warming up.

>>> import numpy as np
>>> from agents import make_agent
>>> from agents.asking import query
>>> from bttt import Board, Position
>>> start = Position.start(Board.parse("3x3x3"))
>>> answer = query(make_agent("random"), [start], [np.random.default_rng(0)])
>>> answer.decisions[0].cell
7

Modules: `queries` asks and `answers` holds what comes back; `failure` says why an agent did not decide.
`isolated` runs an agent in a process of its own, `serving` is that process, and `reading` checks what it
sends. `thinking` names an agent that thinks for long, `warming` compiles before the games.
"""

from agents.asking.answers import Decided
from agents.asking.failure import AgentError, is_breakdown, place
from agents.asking.isolated import IsolatedAgent
from agents.asking.queries import ask_by_name, query
from agents.asking.thinking import watched
from agents.asking.warming import warm_up

__all__ = [
    "AgentError",
    "Decided",
    "IsolatedAgent",
    "ask_by_name",
    "is_breakdown",
    "place",
    "query",
    "warm_up",
    "watched",
]
