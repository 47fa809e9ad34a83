"""Kernels of self-play: random openings, a ply of every game, and samples of the games that ended.

Shapes: G games, E games that ended, A cells of the board, K boards.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bttt.kernels import (
    DRAW,
    UNFINISHED,
    entry_point,
    kernel,
    outcome_after,
    popcount,
    random_below,
    random_bit_index,
)

_ONE = np.uint64(1)
_ZERO = np.uint64(0)


class Games(NamedTuple):
    """Games in progress.

    Attributes:
        boards: `[G] int64`, numbers of their boards.
        first: `[G] uint64`, stones of the first player.
        second: `[G] uint64`, stones of the second player.
        opened: `[G] int64`, plies of their random openings.
    """

    boards: np.ndarray
    first: np.ndarray
    second: np.ndarray
    opened: np.ndarray


@kernel
def _with_stone(first, second, bit, playable, stride, win_length):
    """Returns the stones after the player to move takes a cell, and the outcome."""
    if popcount(first) == popcount(second):
        first |= bit
        return first, second, outcome_after(first, second, playable, 0, stride, win_length)
    second |= bit
    return first, second, outcome_after(second, first, playable, 1, stride, win_length)


@entry_point
def open_games(games, chosen, playable, stride, win_length, opening_plies, seed):
    """Begins the games with numbers `chosen` anew: on a random board, after 0 to some random plies.

    An opening that ends its game is drawn again, with its board and its length.

    Args:
        games: The games, of which those chosen are filled.
        chosen: `[E] int64`.
        playable: `[K] uint64`, cells without bricks of the boards.
        stride: Bits in a row of a word.
        win_length: Stones in a row that win.
        opening_plies: Most plies of an opening.
        seed: Seed of the draws, uint64.
    """
    state = np.array([seed], np.uint64)
    for g in chosen:
        outcome = DRAW
        while outcome != UNFINISHED:
            first, second, outcome = _ZERO, _ZERO, UNFINISHED
            board = random_below(state, len(playable))
            cells = playable[board]
            for _ in range(random_below(state, opening_plies + 1)):
                if outcome == UNFINISHED:
                    bit = _ONE << np.uint64(random_bit_index(cells & ~(first | second), state))
                    first, second, outcome = _with_stone(first, second, bit, cells, stride, win_length)
        games.boards[g], games.first[g], games.second[g] = board, first, second
        games.opened[g] = popcount(first | second)


@entry_point
def play_cells(games, cells, playable, stride, win_length, outcomes):
    """Plays `cells` `[G] int64`, all legal, and fills `outcomes` `[G] int64`."""
    for g in range(len(cells)):
        bit = _ONE << np.uint64(cells[g] + cells[g] // (stride - 1))
        words = games.first[g], games.second[g]
        board = playable[games.boards[g]]
        games.first[g], games.second[g], outcomes[g] = _with_stone(*words, bit, board, stride, win_length)
