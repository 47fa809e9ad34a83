"""Players of Brick Tic-Tac-Toe: random, human, Minimax, MCTS, and any class of the user's own."""

from agents.agent import AGENTS, Agent, Decision, make_agent

__all__ = ["AGENTS", "Agent", "Decision", "make_agent"]
