"""Compiled kernels on bitboards, and how they are compiled."""

from bttt.kernels.bitboard import (
    DRAW,
    FIRST_WINS,
    UNFINISHED,
    has_line,
    lowest_bit_index,
    popcount,
    random_below,
    random_games,
    random_playouts,
    shift_down,
    shift_up,
    winning_cells,
)
from bttt.kernels.jit import entry_point, kernel, lean_entry_point, lean_kernel

__all__ = [
    "DRAW",
    "FIRST_WINS",
    "UNFINISHED",
    "entry_point",
    "has_line",
    "kernel",
    "lean_entry_point",
    "lean_kernel",
    "lowest_bit_index",
    "popcount",
    "random_below",
    "random_games",
    "random_playouts",
    "shift_down",
    "shift_up",
    "winning_cells",
]
