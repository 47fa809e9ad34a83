"""Brick Tic-Tac-Toe: boards, positions, named brick sets and suites of solver-labelled positions.

>>> from bttt import Board, Position, brick_set
>>> len(brick_set("all"))  # one board for each placement of the brick
49
>>> position = Position.start(Board(bricks="D4")).play("C3")
>>> print(position)
7x7x4:D4 ......./......./..O..../...#.../......./......./....... C3
>>> position.to_move, position.outcome.name
(1, 'UNFINISHED')

Subpackages: `envs` holds the environments for Gymnasium and PettingZoo, `solver` computes exact values,
`kernels` has the compiled bit arithmetic, `drawing` draws positions, and `runs` keeps run folders and tables.
"""

from types import ModuleType

import bttt.processes  # noqa: F401  # first: Ctrl-C while a command imports the modules below

# isort: split
from gymnasium.envs.registration import register

from bttt.board import WORD_BITS, Board, row_name
from bttt.bricks import NOVELTIES, Split, boards_of_size, brick_set, brick_sets, split
from bttt.observation import observe
from bttt.opponent import ask
from bttt.position import FIRST, OUTCOME_TEXT, SECOND, SYMBOLS, Outcome, Position, has_line
from bttt.runs import when_imported
from bttt.suites import SUITES, SUITES_RECORD, Suite, load_suite, read_suite, write_suite
from bttt.symmetry import Symmetry, canonical_board, orbits, symmetries

__all__ = [
    "FIRST", "NOVELTIES", "OUTCOME_TEXT", "SECOND", "SUITES", "SUITES_RECORD", "SYMBOLS", "WORD_BITS",
    "Board", "Outcome", "Position", "Split", "Suite", "Symmetry", "ask", "boards_of_size", "brick_set",
    "brick_sets", "canonical_board", "has_line", "load_suite", "observe", "orbits", "read_suite",
    "row_name", "split", "symmetries", "write_suite",
]  # fmt: skip

__version__ = "0.2.0"

register(
    id="bttt/BrickTicTacToe-v0",
    entry_point="bttt.envs.gym:BrickTicTacToeEnv",
    vector_entry_point="bttt.envs.vector:BrickTicTacToeVectorEnv",
)


def _register_with_pettingzoo(pettingzoo: ModuleType) -> None:
    if hasattr(pettingzoo, "register"):  # since 1.27
        pettingzoo.register("aec", "bttt/BrickTicTacToe-v0", "bttt.envs.aec:env")


when_imported("pettingzoo", _register_with_pettingzoo)
