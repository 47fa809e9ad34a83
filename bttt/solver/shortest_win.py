"""Kernels that find in how many plies the attacker wins: a depth-first search bounded by plies.

The search answers exactly whether the attacker wins within n plies. Calling it for n = 1, 3, 5, ... finds the
shortest win against the longest defence.
"""

from __future__ import annotations

import numpy as np

from bttt.kernels import entry_point, kernel, lowest_bit_index, popcount
from bttt.solver.proof_moves import LIMIT, NEVER, NOT_FOUND, expand, forced_moves
from bttt.solver.table import ATTACKER_MOVES, ENTRY_HEAD, canonical, find, place_for
from bttt.solver.threats import MOST_PLIES, NODES, STAMP

STOPPED = -2
"""Result of a search that reached the node limit."""
HISTORY_SCALE = 16
_NO_WIN = 255
_NO_BIT = 64
_FIRST = 1 << 60
_ONE = np.uint64(1)
_ZERO = np.uint64(0)

ENTRY = np.dtype(
    [*ENTRY_HEAD, *((name, np.uint8) for name in ("win_within", "no_win_within", "best", "work"))],
    align=True,
)
"""A table entry: bounds on the plies to the win, and the bit index of the best move."""


@kernel
def _log2(count):
    log = 0
    while count > 0:
        log += 1
        count >>= 1
    return log


@kernel
def _store(key, other, result, plies, best, nodes, memory):
    work = _log2(nodes)
    place, is_new = place_for(key, other, work, memory.counters[STAMP], memory.distances)
    entry = memory.distances[place]
    if is_new:
        entry.win_within, entry.no_win_within, entry.best = _NO_WIN, 0, _NO_BIT
    entry.work = max(entry.work, work)
    if best != _NO_BIT:
        entry.best = best
    if result > 0:
        entry.win_within = min(entry.win_within, result)
    else:
        entry.no_win_within = MOST_PLIES if result == NEVER else max(entry.no_win_within, plies)


@kernel
def _look_up(key, other, plies, memory):
    """Returns whether the table has the result, the result, and the stored best move as a hint."""
    place = find(key, other, memory.counters[STAMP], memory.distances)
    if place < 0:
        return False, NOT_FOUND, _NO_BIT
    entry = memory.distances[place]
    best = np.int64(entry.best)
    if entry.win_within <= plies:
        return True, np.int64(entry.win_within), best
    if entry.no_win_within == MOST_PLIES:
        return True, NEVER, best
    return entry.no_win_within >= plies, NOT_FOUND, best


@kernel
def _order(moves, hint, history, scores):
    """Adds each move's history to its score; the hint gets the highest score."""
    while moves != _ZERO:
        cell = lowest_bit_index(moves)
        moves &= moves - _ONE
        scores[cell] = scores[cell] * HISTORY_SCALE + history[cell]
    if hint != _NO_BIT:
        scores[hint] = _FIRST


@kernel
def _next_move(moves, scores):
    """Returns the bit index of the move with the highest score."""
    best = lowest_bit_index(moves)
    moves &= moves - _ONE
    while moves != _ZERO:
        cell = lowest_bit_index(moves)
        moves &= moves - _ONE
        if scores[cell] > scores[best]:
            best = cell
    return best


@kernel
def _enter(attacker, defender, attacks, plies, depth, memory, rules):
    """Returns the result if no move matters, the moves that may matter, and the position's canonical words.

    The moves are empty if the result is final.
    """
    free = rules.playable & ~(attacker | defender)
    own, other = (attacker, defender) if attacks else (defender, attacker)
    completes, urgent = forced_moves(own, other, free, rules)
    if completes:
        return (1 if attacks else NEVER), _ZERO, attacker, defender
    if urgent & (urgent - _ONE):
        return (NEVER if attacks else (2 if plies >= 2 else NOT_FOUND)), _ZERO, attacker, defender
    least = 2 + attacks if urgent != _ZERO else 4 - attacks
    if plies < least:
        return (NOT_FOUND if plies < popcount(free) else NEVER), _ZERO, attacker, defender
    attacker, defender = canonical(attacker, defender, memory.images)
    key = attacker | ATTACKER_MOVES if attacks else attacker
    answered, answer, hint = _look_up(key, defender, plies, memory)
    if answered:
        return answer, _ZERO, attacker, defender
    scores, zone = memory.scores[depth], memory.zones[depth]
    if urgent != _ZERO:
        free = rules.playable & ~(attacker | defender)
        own, other = (attacker, defender) if attacks else (defender, attacker)
        completes, urgent = forced_moves(own, other, free, rules)
        return NEVER, urgent, attacker, defender
    result, moves = expand(attacker, defender, attacks, plies, scores, zone, memory, rules)
    if moves == _ZERO:
        _store(key, defender, result, plies, _NO_BIT, 1, memory)
    else:
        _order(moves, hint, memory.history[attacks], scores)
    return result, moves, attacker, defender


@kernel
def search_win(attacker, defender, attacks, plies, depth, memory, rules):
    """Returns a bound on the plies to the attacker's win, or NOT_FOUND (within `plies`), NEVER or STOPPED.

    Args:
        attacker: Word of the attacker's stones.
        defender: Word of the defender's stones.
        attacks: 1 if the attacker is to move, else 0.
        plies: Plies within which the attacker must win.
        depth: Plies from the root.
        memory: Tables and scratch arrays.
        rules: The board.
    """
    counters = memory.counters
    counters[NODES] += 1
    if counters[NODES] >= counters[LIMIT]:
        return STOPPED
    started = counters[NODES]
    plies = min(plies, popcount(rules.playable & ~(attacker | defender)))
    result, moves, attacker, defender = _enter(attacker, defender, attacks, plies, depth, memory, rules)
    if moves == _ZERO:
        return result
    best = _NO_BIT
    while moves != _ZERO:
        cell = _next_move(moves, memory.scores[depth])
        bit = _ONE << np.uint64(cell)
        moves ^= bit
        own, other = (attacker | bit, defender) if attacks else (attacker, defender | bit)
        found = search_win(own, other, 1 - attacks, plies - 1, depth + 1, memory, rules)
        if found == STOPPED:
            return STOPPED
        found += found > 0
        if (found > 0) == (attacks > 0):
            result, best = found, cell
            memory.history[attacks, cell] += plies * plies
            break
        result = max(result, found)
    key = attacker | ATTACKER_MOVES if attacks else attacker
    _store(key, defender, result, plies, best, counters[NODES] - started, memory)
    return result


@entry_point
def win_within(attacker, defender, attacks, plies, memory, rules):
    """Returns the result of `search_win` from the root."""
    return search_win(attacker, defender, attacks, plies, np.int64(0), memory, rules)
