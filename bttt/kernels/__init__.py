"""Numba kernels on bitboards (lines, winning cells, random games), and the decorators that compile kernels.

>>> import numpy as np
>>> from bttt import Board
>>> from bttt.kernels import random_games
>>> random_games(Board(bricks="D4"), 10_000, np.random.default_rng(0)).tolist()  # by outcome code
[0, 5397, 4594, 9]

Modules: `bitboard` has the kernels, `jit` the decorators.
"""

from bttt.kernels.bitboard import (
    DRAW,
    FIRST_WINS,
    UNFINISHED,
    hash_words,
    lowest_bit_index,
    outcome_after,
    popcount,
    random_below,
    random_bit_index,
    random_games,
    random_playouts,
    shift_down,
    shift_up,
    winning_cells,
    word_has_line,
)
from bttt.kernels.jit import cache_folder, entry_point, kernel, lean_entry_point, lean_kernel

__all__ = [
    "DRAW",
    "FIRST_WINS",
    "UNFINISHED",
    "cache_folder",
    "entry_point",
    "hash_words",
    "kernel",
    "lean_entry_point",
    "lean_kernel",
    "lowest_bit_index",
    "outcome_after",
    "popcount",
    "random_below",
    "random_bit_index",
    "random_games",
    "random_playouts",
    "shift_down",
    "shift_up",
    "winning_cells",
    "word_has_line",
]
