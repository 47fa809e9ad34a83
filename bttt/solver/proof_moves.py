"""What both searches of the solver share: the question they ask, and the moves that can matter to it.

The question is whether one side, the *attacker*, can force a win; the other side, the *defender*, only has
to prevent it. A draw and a loss of the attacker are the same here, so a position is solved by asking once
for each side. What keeps the searches small:

- a side that can complete a line does; one that must block a line has one move;
- wins by threats alone are found at once (`bttt.solver.threats`), and a side that faces one considers only
  the cells of its zone;
- an attacker who has too few lines left never wins: where the sum of 2^-m over its open lines (m cells
  missing) is below 1/2 with the attacker to move, or below 1 with the defender to move, the defender can
  block them all (Erdos and Selfridge 1973, on Maker-Breaker games);
- positions are kept under the symmetries of the board with its bricks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bttt.kernels import kernel, lowest_bit_index, popcount, winning_cells
from bttt.solver.threats import win_by_threats, zone_of_win

NOT_FOUND, NEVER = 0, -1
"""No win within the plies asked for, and no win at all; wins are numbers of plies, from 1."""
LIMIT = 1
"""Place in `Memory.counters`."""
ATTACKER_MOVES = np.uint64(1 << 63)
"""Marks, in a word of stones, whose turn it is: no board uses this bit."""
WAYS = 2
"""Entries in a bucket of a table: one for the position that took most work, one for the latest."""
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


class Memory(NamedTuple):
    """What searches read and write, with one entry a ply in all scratch arrays.

    Attributes:
        numbers: `[power of two]`, the table of `bttt.solver.proof_numbers`.
        distances: `[power of two]`, the table of `bttt.solver.shortest_win`.
        failed: `[power of two, 3] uint64`, the table of `bttt.solver.threats.win_by_threats`.
        zones: `[plies, 2] uint64`, scratch.
        scores: `[plies, 64] int64`, scratch: how promising each bit's cell is.
        cells: `[plies, 64] int64`, scratch: moves in the order of their scores.
        phi: `[plies, 64] int64`, scratch: what is known of the moves.
        delta: `[plies, 64] int64`, scratch: the same.
        history: `[2, 64] int64`: how often a cell settled a position, by side.
        windows: `[lines] uint64`: the lines of the board.
        images: `[symmetries, 8, 256] uint64`: where each byte of a word goes, for each symmetry of the board
            with its bricks.
        counters: `[3] int64`: positions searched, at how many to stop, and the stamp of valid entries.
    """

    numbers: np.ndarray
    distances: np.ndarray
    failed: np.ndarray
    zones: np.ndarray
    scores: np.ndarray
    cells: np.ndarray
    phi: np.ndarray
    delta: np.ndarray
    history: np.ndarray
    windows: np.ndarray
    images: np.ndarray
    counters: np.ndarray


@kernel
def _image(word, image):
    moved = _ZERO
    for i in range(8):
        moved |= image[i, (word >> np.uint64(8 * i)) & np.uint64(255)]
    return moved


@kernel
def canonical(attacker, defender, images):
    """Returns the words of the image of the position that comes first."""
    least, least_other = attacker, defender
    for number in range(1, len(images)):
        moved = _image(attacker, images[number])
        if moved <= least:
            other = _image(defender, images[number])
            if moved < least or other < least_other:
                least, least_other = moved, other
    return least, least_other


@kernel
def bucket(key, other, table):
    """Returns the first place of the position's bucket in a table."""
    mixed = key * np.uint64(0x9E3779B97F4A7C15) ^ other * np.uint64(0xC2B2AE3D27D4EB4F)
    return np.int64((mixed ^ (mixed >> np.uint64(32))) & np.uint64(len(table) - WAYS))


@kernel
def find(key, other, stamp, table):
    """Returns the place of the position in a table, -1 where it has none."""
    start = bucket(key, other, table)
    for place in range(start, start + WAYS):
        entry = table[place]
        if entry.key == key and entry.other == other and entry.stamp == stamp:
            return place
    return -1


@kernel
def make_room(key, other, work, stamp, table):
    """Returns the place for a new entry; it replaces the latest unless it took more work than the other."""
    start = bucket(key, other, table)
    if table[start].stamp != stamp:
        return start
    if table[start].work > work:
        return start + 1
    table[start + 1] = table[start]
    return start


@kernel
def forced_moves(own, other, free, rules):
    """Returns whether the side to move completes a line, and the word of the cells that it has to block."""
    if winning_cells(own, free, rules.stride, rules.win_length) != _ZERO:
        return True, _ZERO
    return False, winning_cells(other, free, rules.stride, rules.win_length)


@kernel
def judge(attacker, defender, scores, windows):
    """Fills `scores`; returns the cells of lines open to either side, and the weight of the attacker's lines.

    A cell scores 4^(stones) for each open line through it. The weight is the sum of 2^(stones) over the lines
    open to the attacker.
    """
    scores[:] = 0
    weight = np.int64(0)
    live = _ZERO
    for window in windows:
        own = window & attacker
        other = window & defender
        if other == _ZERO:
            gain = np.int64(1) << popcount(own)
            weight += gain
        elif own == _ZERO:
            gain = np.int64(1) << popcount(other)
        else:
            continue
        live |= window
        free = window & ~(own | other)
        while free != _ZERO:
            scores[lowest_bit_index(free)] += gain * gain
            free &= free - _ONE
    return live, weight


@kernel
def _threats_of(mine, theirs, plies, zone, memory, rules):
    zone[:] = _ZERO
    return win_by_threats(mine, theirs, plies, zone, memory.failed, memory.counters, rules)


@kernel
def _attacks(attacker, defender, free, plies, live, zone, memory, rules):
    found = _threats_of(attacker, defender, plies, zone, memory, rules)
    if found > 0:
        return found, _ZERO
    if plies < 5:  # a quiet move, an answer, two threats at once, an answer, the line
        return (NOT_FOUND if plies < popcount(free) else NEVER), _ZERO
    if _threats_of(defender, attacker, popcount(free), zone, memory, rules) > 0:
        return NEVER, live & free & zone_of_win(defender, attacker, zone, rules)
    return NEVER, live & free


@kernel
def _answers(attacker, defender, free, plies, live, zone, memory, rules):
    if _threats_of(defender, attacker, popcount(free), zone, memory, rules) > 0:
        return NEVER, _ZERO
    found = _threats_of(attacker, defender, plies - 1, zone, memory, rules)
    if found > 0:
        return found + 1, free & zone_of_win(attacker, defender, zone, rules)
    if plies < 6:  # an answer and what `_attacks` needs
        return (NOT_FOUND if plies < popcount(free) else NEVER), _ZERO
    return NEVER, live & free


@kernel
def expand(attacker, defender, attacks, plies, scores, zone, memory, rules):
    """Returns what holds if no move matters, and the moves that may matter to the side to move.

    No side can complete a line here with one stone.

    Args:
        attacker: Word of the stones of the side that may win.
        defender: Word of the other stones.
        attacks: 1 where the attacker is to move, else 0.
        plies: Within how many plies the attacker must win; not more than there are free cells.
        scores: `[64] int64`, filled.
        zone: `[2] uint64`, scratch.
        memory: What the search reads and writes.
        rules: The board.
    """
    free = rules.playable & ~(attacker | defender)
    live, weight = judge(attacker, defender, scores, memory.windows)
    if weight < np.int64(1) << (rules.win_length - attacks):
        return NEVER, _ZERO
    if attacks:
        return _attacks(attacker, defender, free, plies, live, zone, memory, rules)
    return _answers(attacker, defender, free, plies, live, zone, memory, rules)
