"""The solver error rate during training: value-losing moves on seen, mirror and novel boards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.alphazero.configs import SearchConfig
from agents.alphazero.search import Evaluator, Roots, Search
from bttt import NOVELTIES, Board, Suite, load_suite, split

SUITE = "single"


class SolverErrors:
    """Measures error rates on the suite of single bricks, whose boards are seen, mirror or novel.

    The error rate is the fraction of decisions that are value-losing moves.

    Args:
        boards: The training boards.
        bricks_plane: Whether the network's third plane shows the bricks.
    """

    def __init__(self, boards: Sequence[Board], bricks_plane: bool):
        self.suite: Suite = load_suite(SUITE)
        self.bricks_plane = bricks_plane
        sorted_boards = split(boards, self.suite.boards)
        members = {name: getattr(sorted_boards, name) for name in NOVELTIES}
        of_board = [
            next(i for i, name in enumerate(NOVELTIES) if board in members[name])
            for board in self.suite.boards
        ]
        self.novelty = np.array(of_board)[self.suite.board_numbers]
        records = self.suite.records
        second = self.suite.plies % 2 == 1
        self.roots = Roots(
            self.suite.size,
            np.uint64(self.suite.size.playable) & ~records["bricks"],
            np.where(second, records["second"], records["first"]),
            np.where(second, records["first"], records["second"]),
        )

    @staticmethod
    def fits(board: Board) -> bool:
        """Returns whether the suite has positions on boards of this size."""
        return load_suite(SUITE).size == board.with_bricks(())

    def losing(self, evaluate: Evaluator, search: SearchConfig) -> np.ndarray:
        """Returns whether the decision in each position is a value-losing move, `[N] bool`."""
        cells = Search(evaluate, search, self.bricks_plane).run(self.roots).cells
        return self.suite.values_after(cells) < self.suite.values

    def rates(self, evaluate: Evaluator) -> dict[str, float]:
        """Returns the raw policy's error rate, as a fraction, for each kind of board that occurs."""
        losing = self.losing(evaluate, SearchConfig(simulations=0))
        return {
            name: float(losing[self.novelty == number].mean())
            for number, name in enumerate(NOVELTIES)
            if (self.novelty == number).any()
        }
