"""Players of Brick Tic-Tac-Toe: random, human, Minimax, MCTS, AlphaZero, perfect, and any class of yours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from agents.agent import (
        AGENTS,
        FAILURES,
        USER_AGENT,
        Agent,
        Decision,
        ask_by_name,
        make_agent,
        one_line,
        source_digest,
    )
    from agents.alpha_beta import FOUND_END, LEAVES, AlphaBetaRules, Passes, empty_scratch, search_moves
    from agents.mcts import MctsAgent
    from agents.minimax import MinimaxAgent

__all__ = [
    "AGENTS",
    "FAILURES",
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
    "one_line",
    "search_moves",
    "source_digest",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("agent", "alpha_beta", "mcts", "minimax"))
