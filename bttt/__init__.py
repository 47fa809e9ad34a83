"""Brick Tic-Tac-Toe: the game and its environments."""

from gymnasium.envs.registration import register

from bttt.board import Board
from bttt.bricks import Split, brick_set, brick_sets, split
from bttt.observation import observe
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
    "observe",
    "orbits",
    "split",
    "symmetries",
]
__version__ = "0.1.0"

register(
    id="bttt/BrickTicTacToe-v0",
    entry_point="bttt.gym_env:BrickTicTacToeEnv",
    vector_entry_point="bttt.vector_env:BrickTicTacToeVectorEnv",
)
