"""agents/alphazero/search."""

from agents.alphazero.search.batched import Evaluator, Found, RootNoise, Roots, Search, roots_of
from agents.alphazero.search.trees import NONE, OPEN

__all__ = [
    "NONE",
    "OPEN",
    "Evaluator",
    "Found",
    "RootNoise",
    "Roots",
    "Search",
    "roots_of",
]
