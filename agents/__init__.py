"""Players of Brick Tic-Tac-Toe: random, human, Minimax, MCTS, perfect, AlphaZero, and your own classes.

>>> import numpy as np
>>> from agents import make_agent
>>> from bttt import Board, Position
>>> agent = make_agent("mcts:iterations=500")
>>> [decision] = agent.decide([Position.start(Board(bricks="D4"))], np.random.default_rng(0))
>>> decision.nodes, decision.policy.shape
(500, (49,))

Modules: `agent` has the protocol and `make_agent`. Each player has a module with its name; `alpha_beta`,
`heuristic` and `mcts_kernels` are their compiled searches. `asking` queries an agent that may fail or hang.
`play` and `listing` are commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from agents.agent import (
        AGENTS,
        USER_AGENT,
        Agent,
        Decision,
        make_agent,
        source_digest,
    )
    from agents.alpha_beta import FOUND_END, LEAVES, AlphaBetaRules, Passes, empty_scratch, search_moves
    from agents.asking import ask_by_name
    from agents.mcts import MctsAgent
    from agents.minimax import MinimaxAgent

__all__ = [
    "AGENTS",
    "FOUND_END",
    "LEAVES",
    "USER_AGENT",
    "Agent",
    "AlphaBetaRules",
    "Decision",
    "MctsAgent",
    "MinimaxAgent",
    "Passes",
    "ask_by_name",
    "empty_scratch",
    "make_agent",
    "search_moves",
    "source_digest",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("agent", "asking", "alpha_beta", "mcts", "minimax"))
