"""Training by self-play: games, and the loop that plays and learns, which can resume.

>>> import numpy as np
>>> from agents.alphazero import SearchConfig, SelfPlayConfig
>>> from agents.alphazero.training import SelfPlay
>>> from bttt import Board
>>> def uniform(planes):
...     return np.zeros((len(planes), 49), np.float32), np.zeros(len(planes), np.float32)
>>> rng = np.random.default_rng(0)
>>> games = SelfPlay([Board(bricks="D4")], SelfPlayConfig(games=4), SearchConfig(simulations=8), False, rng)
>>> games.run(uniform, plies=30, rng=rng).samples.dtype.names
('playable', 'mine', 'theirs', 'policy', 'value')

Modules: `selfplay` plays and `loop` lets `agents.alphazero.learning` learn from the samples. `state` stores a
run, `budget` ends it, and `solver_errors` measures the network's error rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from agents.alphazero.training.config import TrainConfig
    from agents.alphazero.training.loop import train
    from agents.alphazero.training.selfplay import SelfPlay
    from agents.alphazero.training.solver_errors import SolverErrors
    from agents.alphazero.training.state import METRICS_NAME

__all__ = [
    "METRICS_NAME",
    "SelfPlay",
    "SolverErrors",
    "TrainConfig",
    "train",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("config", "loop", "selfplay", "state", "solver_errors"))
