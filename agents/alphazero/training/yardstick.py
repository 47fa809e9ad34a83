"""The yardstick during training: value-losing moves of the raw policy on boards seen, mirrored and novel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.alphazero.configs import SearchConfig
from agents.alphazero.search import Evaluator, Roots, Search
from bttt import Board, Suite, load_suite, split

SUITE = "single"
NOVELTIES = ("seen", "mirror", "novel")


class Yardstick:
    """The positions of the suite of single bricks, sorted by how new their boards are.

    Args:
        boards: The boards trained on.
        bricks_plane: Whether the network sees a plane of bricks.
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
        """Returns whether the suite has positions on boards of that size."""
        return load_suite(SUITE).size == board.with_bricks(())

    def losing(self, evaluate: Evaluator, search: SearchConfig) -> np.ndarray:
        """Returns whether the decision in each position loses value, `[N] bool`."""
        cells = Search(evaluate, search, self.bricks_plane).run(self.roots).cells
        return self.suite.values_after(cells) < self.suite.values

    def rates(self, evaluate: Evaluator) -> dict[str, float]:
        """Returns the share of the raw policy's decisions that lose value, for each novelty there is."""
        losing = self.losing(evaluate, SearchConfig(simulations=0))
        return {
            name: float(losing[self.novelty == number].mean())
            for number, name in enumerate(NOVELTIES)
            if (self.novelty == number).any()
        }
