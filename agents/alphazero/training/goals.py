"""Goals that end a training run: an opponent to beat as the first player on every training board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agents.agent import make_agent
from agents.alphazero.configs import GoalName, SearchConfig
from agents.alphazero.search import Evaluator, Search, roots_of
from bttt import Board, Outcome, Position
from bttt.solver import Solver

NODE_LIMIT = 1_000_000
"""Positions that the solver searches for a board's value."""


class Goal(NamedTuple):
    """What a network must do.

    Attributes:
        opponent: Spec of the second player.
        simulations: Simulations of the network's search; 0 plays the raw policy.
    """

    opponent: str
    simulations: int


GOALS: dict[GoalName, Goal] = {
    "minimax": Goal("minimax:depth=2", 0),
    "perfect": Goal("perfect", 100),
    "perfect-raw": Goal("perfect", 0),
}


class GoalGames:
    """Plays the games of a goal, one on each board.

    The opponent's random choices are the same in each call. A network that reaches a goal in one of many
    calls may lose a game with other choices.

    Args:
        boards: The training boards.
        name: The goal.
        bricks_plane: Whether the network's third plane shows the bricks.
        seed: Seed of the opponent's choices.

    Raises:
        ValueError: It is not proven of some board that its first player can win.
    """

    def __init__(self, boards: Sequence[Board], name: GoalName, bricks_plane: bool, seed: int):
        solver = Solver()
        for board in boards:
            if solver.solve(Position.start(board), NODE_LIMIT, plies=False, cells=False).value != 1:
                raise ValueError(
                    f"until={name} needs boards that the first player wins, and proves nothing of {board} "
                    f"within {NODE_LIMIT:,} positions: leave the board or the option out"
                )
        self.boards = tuple(boards)
        self._goal = GOALS[name]
        self._opponent = make_agent(self._goal.opponent)
        self._config = SearchConfig(simulations=self._goal.simulations, leaves=4)
        self._bricks_plane = bricks_plane
        self._seed = seed

    def won(self, evaluate: Evaluator) -> int:
        """Returns how many of the games the network wins."""
        search = Search(evaluate, self._config, self._bricks_plane)
        games = {number: Position.start(board) for number, board in enumerate(self.boards)}
        rngs = [np.random.default_rng(seed) for seed in np.random.SeedSequence(self._seed).spawn(len(games))]
        won = 0
        while games:
            positions = list(games.values())
            if positions[0].plies % 2 == 0:
                cells = search.run(roots_of(positions)).cells.tolist()
            else:
                decisions = self._opponent.decide(positions, [rngs[number] for number in games])
                cells = [decision.cell for decision in decisions]
            after = [position.play(cell) for position, cell in zip(positions, cells, strict=True)]
            won += sum(position.outcome == Outcome.FIRST_WINS for position in after)
            games = {
                number: position
                for number, position in zip(games, after, strict=True)
                if not position.outcome
            }
        return won
