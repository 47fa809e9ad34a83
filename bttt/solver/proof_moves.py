"""Shared parts of both searches: the question that they answer, and the moves that can affect it.

The question is whether one side, the *attacker*, can force a win; the other side, the *defender*, only has
to prevent it. A draw and a loss of the attacker count the same here, so solving a position takes one question
for each side. Four rules keep the searches small:

- A side that can complete a line does so; a side that must block a line has one move.
- Wins by threats alone are found quickly (`bttt.solver.threats`). A side that faces such a win considers only
  the cells of its zone.
- An attacker with too few lines left never wins. Let s be the sum of 2^-m over its open lines, where m cells
  are missing. If s is below 1/2 with the attacker to move, or below 1 with the defender to move, the defender
  can block all lines (Erdos and Selfridge 1973, on Maker-Breaker games).
- Positions are stored up to the symmetries of the board with its bricks (`bttt.solver.table`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bttt.kernels import kernel, lowest_bit_index, popcount, winning_cells
from bttt.solver.threats import win_by_threats, zone_of_win

NOT_FOUND, NEVER = 0, -1
"""Results for no win within the given plies, and for no win at all; a win is its number of plies, from 1."""
LIMIT = 1
"""Index in `Memory.counters`."""
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


class Memory(NamedTuple):
    """The tables and scratch arrays of the searches; scratch has one row per ply.

    Attributes:
        numbers: `[power of two]`, the table of `bttt.solver.proof_numbers`.
        distances: `[power of two]`, the table of `bttt.solver.shortest_win`.
        failed: `[power of two, 3] uint64`, the table of `bttt.solver.threats.win_by_threats`.
        zones: `[plies, 2] uint64`, scratch.
        scores: `[plies, 64] int64`, scratch: how promising each bit's cell is.
        cells: `[plies, 64] int64`, scratch: moves ordered by score.
        phi: `[plies, 64] int64`, scratch: `phi` of the moves.
        delta: `[plies, 64] int64`, scratch: `delta` of the moves.
        history: `[2, 64] int64`: how often a cell settled a position, by side.
        windows: `[lines] uint64`: the lines of the board.
        images: `[symmetries, 8, 256] uint64`: the image of each byte of a word, for each symmetry of the
            board with its bricks.
        counters: `[3] int64`: positions searched, the number at which to stop, the stamp of valid entries.
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
def forced_moves(own, other, free, rules):
    """Returns whether the side to move can complete a line, and the word of the cells that it must block."""
    if winning_cells(own, free, rules.stride, rules.win_length) != _ZERO:
        return True, _ZERO
    return False, winning_cells(other, free, rules.stride, rules.win_length)


@kernel
def judge(attacker, defender, scores, windows):
    """Fills `scores`; returns the cells of lines open to either side, and the weight of the attacker's lines.

    A cell scores 4^(stones) for each open line through it. The weight is the sum of 2^(stones) over the
    attacker's open lines.
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
    if plies < 5:  # a win needs a quiet move, a reply, a double threat, a reply, and the line
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
    if plies < 6:  # a reply, and the 5 plies of `_attacks`
        return (NOT_FOUND if plies < popcount(free) else NEVER), _ZERO
    return NEVER, live & free


@kernel
def expand(attacker, defender, attacks, plies, scores, zone, memory, rules):
    """Returns the result if no move matters, and the word of the moves that may matter to the side to move.

    Neither side may be able to complete a line with one stone.

    Args:
        attacker: Word of the attacker's stones.
        defender: Word of the defender's stones.
        attacks: 1 if the attacker is to move, else 0.
        plies: Plies within which the attacker must win, at most the number of free cells.
        scores: `[64] int64`, filled.
        zone: `[2] uint64`, scratch.
        memory: Tables and scratch arrays.
        rules: The board.
    """
    free = rules.playable & ~(attacker | defender)
    live, weight = judge(attacker, defender, scores, memory.windows)
    if weight < np.int64(1) << (rules.win_length - attacks):
        return NEVER, _ZERO
    if attacks:
        return _attacks(attacker, defender, free, plies, live, zone, memory, rules)
    return _answers(attacker, defender, free, plies, live, zone, memory, rules)
