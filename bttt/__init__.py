"""Brick Tic-Tac-Toe: the game, its environments and its exact solver."""

from bttt.board import Board
from bttt.bricks import Split, brick_set, brick_sets, split
from bttt.position import FIRST, SECOND, Outcome, Position
from bttt.symmetry import Symmetry, canonical_board, orbits, symmetries

__all__ = [
    "FIRST",
    "SECOND",
    "Board",
    "Outcome",
    "Position",
    "Split",
    "Symmetry",
    "brick_set",
    "brick_sets",
    "canonical_board",
    "orbits",
    "split",
    "symmetries",
]
__version__ = "0.1.0"
