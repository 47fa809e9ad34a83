"""Players of Brick Tic-Tac-Toe: random, human, Minimax, MCTS, AlphaZero, perfect, and any class of yours."""

from agents.agent import AGENTS, Agent, Decision, make_agent

__all__ = ["AGENTS", "Agent", "Decision", "make_agent"]
