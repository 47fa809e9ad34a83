"""The expert heuristic of the Brick Tic-Tac-Toe paper, as a bitboard kernel.

A window is `win_length` cells in a row without a brick. A window with stones of one side only counts

    c * b / 100 ** blanks

where `blanks` is the number of its empty cells, b is 2 if both its end cells are empty and otherwise 1, and
c is 1.5 for the first player's stones and -1 for the second player's. (In the paper's words, c makes the
second player block.) For example `OOO.` counts 0.015 and `.OO.` 0.0003. Other windows count 0.

Generalisation: the paper has 7x7 and four in a row. Here the same rule holds for any size and win length.
Each further blank divides by 100, whatever the length of the window.

The kernels process all windows of one direction together: a word has one bit per window, at its first cell.
"""

from __future__ import annotations

import math

import numpy as np

from bttt import Position
from bttt.kernels import entry_point, kernel, popcount, shift_down

FIRST_WEIGHT = 1.5
SECOND_WEIGHT = 1.0
BLANK_DIVISOR = 100.0
SMALLEST_DECADE = 6
"""Heuristic values below `10 ** -SMALLEST_DECADE` become leaf values of about 0."""
_ZERO = np.uint64(0)


@kernel
def _windows(cells, shift, win_length):
    """Returns the word of the windows within `cells`, in the direction of `shift`."""
    starts = cells
    for i in range(1, win_length):
        starts &= shift_down(cells, i * shift)
    return starts


@kernel
def _count_stones(stones, shift, win_length):
    """Returns the number of stones in each window as six words of binary digits, from ones to 32s."""
    ones, twos, fours, eights, sixteens, thirty_twos = stones, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO
    for i in range(1, win_length):
        carry = shift_down(stones, i * shift)
        ones, carry = ones ^ carry, ones & carry
        twos, carry = twos ^ carry, twos & carry
        fours, carry = fours ^ carry, fours & carry
        eights, carry = eights ^ carry, eights & carry
        sixteens, carry = sixteens ^ carry, sixteens & carry
        thirty_twos ^= carry
    return ones, twos, fours, eights, sixteens, thirty_twos


@kernel
def _worth(stones, windows, open_ended, shift, win_length):
    """Returns the sum of b * 100 ** (stones - 1) over `windows`, which have no stones of the other side.

    The sum is a whole number, exact up to a win length of 8, so equal positions get equal values.
    """
    digits = _count_stones(stones, shift, win_length)
    total = 0.0
    weight = 1.0
    for count in range(1, win_length):
        found = windows
        for digit in range(6):
            found &= digits[digit] if (count >> digit) & 1 else ~digits[digit]
        total += weight * (popcount(found) + popcount(found & open_ended))
        weight *= BLANK_DIVISOR
    return total


@kernel
def heuristic(first, second, playable, stride, win_length):
    """Returns the expert heuristic of an unfinished position; positive is good for the first player.

    Args:
        first: Word of the first player's stones.
        second: Word of the second player's stones.
        playable: Word of the cells without bricks.
        stride: Bits per row.
        win_length: Stones in a row that win.
    """
    free = playable & ~(first | second)
    first_total = 0.0
    second_total = 0.0
    for direction in range(4):
        shift = 1 if direction == 0 else stride + direction - 2
        open_ended = free & shift_down(free, (win_length - 1) * shift)
        windows = _windows(playable & ~second, shift, win_length)
        first_total += _worth(first, windows, open_ended, shift, win_length)
        windows = _windows(playable & ~first, shift, win_length)
        second_total += _worth(second, windows, open_ended, shift, win_length)
    worth = FIRST_WEIGHT * first_total - SECOND_WEIGHT * second_total
    return worth / BLANK_DIVISOR ** (win_length - 1)


@kernel
def leaf_value(worth):
    """Returns a heuristic value h scaled to [-1, 1]: sign(h) * (6 + log10(|h| + 1e-6)) / 6, clipped."""
    if worth == 0.0:
        return 0.0
    decades = SMALLEST_DECADE + math.log10(abs(worth) + 10.0**-SMALLEST_DECADE)
    return math.copysign(min(max(decades / SMALLEST_DECADE, 0.0), 1.0), worth)


@entry_point
def _heuristic_of_words(first, second, playable, stride, win_length):
    return heuristic(first, second, playable, stride, win_length)


def expert_heuristic(position: Position) -> float:
    """Returns the expert heuristic of an unfinished position; positive is good for the first player."""
    board = position.board
    words = np.uint64(position.first), np.uint64(position.second), np.uint64(board.playable)
    return float(_heuristic_of_words(*words, board.stride, board.win_length))
