"""Batched tree search guided by a network: PUCT, or Gumbel AlphaZero for few simulations.

>>> import numpy as np
>>> from agents.alphazero import SearchConfig
>>> from agents.alphazero.search import Search, roots_of
>>> from bttt import Board, Position
>>> def uniform(planes):
...     return np.zeros((len(planes), 49), np.float32), np.zeros(len(planes), np.float32)
>>> search = Search(uniform, SearchConfig(simulations=50), bricks_plane=False)
>>> found = search.run(roots_of([Position.start(Board(bricks="D4"))]))
>>> found.policy.shape, found.simulations.tolist()
((1, 49), [50])

Modules: `batched` is the Python interface. Its kernels are in `trees` (nodes and proofs), `selection`,
`simulation` and `conclusion` (the policy that results). `reuse` keeps the subtree of the move played.
"""

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
