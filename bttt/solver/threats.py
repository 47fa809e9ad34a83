"""Kernels of threat search: wins in which every move threatens to complete a line.

A *threat* is a move after which one more stone would complete a line, so the other side must reply on that
cell. A win by threats alone is found quickly, since every reply is forced.

Such a win also limits the moves that the other side must consider. If the attacker would win by threats with
two moves in a row, the defender must play into the *zone* of that win. The zone holds the cells of the
threats and of the forced replies. It also holds every cell that would give the defender a threat, now or
together with one of those replies. A stone anywhere else leaves the win intact: no cell of it is taken and
every reply stays forced. No reply becomes a threat either, since a threat takes all but one cell of a line.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bttt.kernels import hash_words, kernel, popcount, shift_down, shift_up, winning_cells

_ONE = np.uint64(1)
_ZERO = np.uint64(0)
NODES, STAMP = 0, 2
"""Indices in the counters."""
LINES, ANSWERS = 0, 1
"""Indices in a zone."""
MOST_PLIES = 127
"""More plies than any game has: as a bound it means no limit."""


class LineRules(NamedTuple):
    """A board for kernels: the word of the cells without bricks, bits per row, and stones that win."""

    playable: np.uint64
    stride: np.int64
    win_length: np.int64


@kernel
def lowest_bit(word: np.uint64) -> np.uint64:
    """Returns the word of the lowest set bit of `word`."""
    return word & (~word + _ONE)


@kernel
def _near_lines_four(own, free, shift):
    """Returns the free cells of windows of four with one free cell, and with two, in one direction."""
    s1, s2, s3 = np.uint64(shift), np.uint64(2 * shift), np.uint64(3 * shift)
    open_ = own | free
    live = open_ & (open_ >> s1) & (open_ >> s2) & (open_ >> s3)
    f0, f1, f2, f3 = free, free >> s1, free >> s2, free >> s3
    # Two half adders and a full adder count the free cells of the window that starts at each bit.
    low_a, high_a = f0 ^ f1, f0 & f1
    low_b, high_b = f2 ^ f3, f2 & f3
    low, carry = low_a ^ low_b, low_a & low_b
    one = live & low & ~(high_a | high_b)
    two = live & ~low & (high_a ^ high_b ^ carry) & ~(high_a & high_b)
    return (
        (one | (one << s1) | (one << s2) | (one << s3)) & free,
        (two | (two << s1) | (two << s2) | (two << s3)) & free,
    )


@kernel
def _near_lines_any(own, free, shift, win_length):
    live = ~_ZERO
    none, one, two = ~_ZERO, _ZERO, _ZERO
    for i in range(win_length):
        here = shift_down(free, i * shift)
        live &= shift_down(own | free, i * shift)
        two = (two & ~here) | (one & here)
        one = (one & ~here) | (none & here)
        none &= ~here
    one &= live
    two &= live
    completing, threatening = _ZERO, _ZERO
    for i in range(win_length):
        completing |= shift_up(one, i * shift)
        threatening |= shift_up(two, i * shift)
    return completing & free, threatening & free


@kernel
def near_lines(own: np.uint64, free: np.uint64, rules: LineRules) -> tuple[np.uint64, np.uint64]:
    """Returns the `free` cells that complete a line of `own`, and the free cells of lines with two missing.

    A stone on a cell of the second kind is a threat. A cell may be of both kinds.
    """
    completing, threatening = _ZERO, _ZERO
    for direction in range(4):
        shift = 1 if direction == 0 else rules.stride + direction - 2
        if rules.win_length == 4 and rules.stride < 20:
            ones, twos = _near_lines_four(own, free, shift)
        else:
            ones, twos = _near_lines_any(own, free, shift, rules.win_length)
        completing |= ones
        threatening |= twos
    return completing, threatening


@kernel
def _failed_slot(mine, theirs, failed):
    return hash_words(mine, theirs) & np.uint64(len(failed) - 1)


@kernel
def _threatens_twice(mine, free, moves, zone, rules):
    """Returns whether one of `moves` makes two ways to complete a line; adds all three to the zone."""
    while moves != _ZERO:
        move = lowest_bit(moves)
        moves ^= move
        wins = winning_cells(mine | move, free ^ move, rules.stride, rules.win_length)
        if wins & (wins - _ONE):
            one = lowest_bit(wins)
            other = lowest_bit(wins ^ one)
            zone[LINES] |= move | one | other
            zone[ANSWERS] |= one | other
            return True
    return False


@kernel
def win_by_threats(mine, theirs, plies, zone, failed, counters, rules):
    """Returns in how many plies the side to move wins by threats alone, or 0 if not within `plies`.

    Args:
        mine: Word of the stones of the side to move.
        theirs: Word of the other stones.
        plies: Maximum plies until the line is complete.
        zone: `[2] uint64`. A win adds the cells of its threats and replies to `LINES`, and the cells of its
            replies to `ANSWERS`. The caller clears the zone.
        failed: `[power of two, 3] uint64`: the words of positions without a win, and the plies searched
            together with a stamp.
        counters: `[3] int64`: `NODES` is incremented; `STAMP` is the stamp of valid failures.
        rules: The board.
    """
    counters[NODES] += 1
    free = rules.playable & ~(mine | theirs)
    completing, threatening = near_lines(mine, free, rules)
    if completing != _ZERO:
        zone[LINES] |= lowest_bit(completing)
        return 1
    plies = min(plies, popcount(free))
    if plies < 3 or threatening == _ZERO:
        return 0
    urgent = winning_cells(theirs, free, rules.stride, rules.win_length)
    if urgent != _ZERO:
        if urgent & (urgent - _ONE):
            return 0
        threatening &= urgent
    if _threatens_twice(mine, free, threatening, zone, rules):
        return 3
    if plies < 5 or threatening == _ZERO:
        return 0
    slot = _failed_slot(mine, theirs, failed)
    stamp = np.uint64(counters[STAMP]) << np.uint64(8)
    if failed[slot, 0] == mine and failed[slot, 1] == theirs and failed[slot, 2] >= stamp | np.uint64(plies):
        return 0
    while threatening != _ZERO:
        move = lowest_bit(threatening)
        threatening ^= move
        answer = winning_cells(mine | move, free ^ move, rules.stride, rules.win_length)
        found = win_by_threats(mine | move, theirs | answer, plies - 2, zone, failed, counters, rules)
        if found > 0:
            zone[LINES] |= move | answer
            zone[ANSWERS] |= answer
            return found + 2
    failed[slot, 0], failed[slot, 1], failed[slot, 2] = mine, theirs, stamp | np.uint64(plies)
    return 0


@kernel
def zone_of_win(mine, theirs, zone, rules):
    """Returns the word of the cells where a stone of the other side could spoil a win by threats.

    Args:
        mine: Word of the stones of the side that would win if it were to move.
        theirs: Word of the stones of the side to move.
        zone: The zone filled by `win_by_threats`.
        rules: The board.
    """
    theirs_later = theirs | zone[ANSWERS]
    free = rules.playable & ~(mine | theirs_later)
    completing, threatening = near_lines(theirs_later, free, rules)
    return zone[LINES] | completing | threatening
