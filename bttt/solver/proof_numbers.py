"""Kernels of proof-number search: can the attacker force a win, however long it takes?

Depth-first proof-number search (Nagai 2002). For the side to move, `phi` estimates the work left to prove its
aim (the attacker's aim is to win, the defender's is not to lose); `delta` estimates the work left to disprove
it. In a proven position one of the two is 0 and the other `INFINITE`. Deviations and choices:

- Weak proof numbers (Ueda, Hashimoto, Hashimoto and Iida 2008): `delta` is the largest `phi` of the moves
  plus the number of other moves. It is not the sum, because different move orders lead to the same position.
- The search leaves a move only when it exceeds the threshold by a quarter, so it rarely switches between
  moves (the 1 + epsilon trick of Pawlewicz and Lew 2007).
- The delta of an untried move grows with its rank among the moves, because the move order is good.

There are no cycles, since every move adds a stone.
"""

from __future__ import annotations

import numpy as np

from bttt.kernels import entry_point, kernel, lowest_bit_index, popcount
from bttt.solver.proof_moves import LIMIT, expand, forced_moves, judge
from bttt.solver.table import ATTACKER_MOVES, ENTRY_HEAD, canonical, find, place_for
from bttt.solver.threats import NODES, STAMP

INFINITE = np.int64(1 << 28)
STOPPED = np.int64(-1)
ATTACKERS_RANK_COST = 12
DEFENDERS_RANK_COST = 8
MOST_WORK = 2**32 - 1
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_ZERO_WORK, _ONE_WORK = np.int64(0), np.int64(1)

ENTRY = np.dtype(
    [*ENTRY_HEAD, ("phi", np.uint32), ("moves", np.uint64), ("delta", np.uint32), ("work", np.uint32)],
    align=True,
)
"""A table entry: phi, delta, and the moves that may matter; in this order, 40 bytes without padding."""


@kernel
def _store(key, other, moves, phi, delta, work, memory):
    place, _ = place_for(key, other, work, memory.counters[STAMP], memory.numbers)
    entry = memory.numbers[place]
    entry.moves, entry.phi, entry.delta = moves, phi, delta
    entry.work = min(np.int64(entry.work) + work, MOST_WORK)


@kernel
def _list_moves(attacker, defender, attacks, moves, depth, memory):
    """Fills this depth's scratch with the moves, best first, their phi and delta; returns their number."""
    scores, cells = memory.scores[depth], memory.cells[depth]
    count = 0
    while moves != _ZERO:
        cell = lowest_bit_index(moves)
        moves &= moves - _ONE
        at = count
        while at > 0 and scores[cells[at - 1]] < scores[cell]:
            cells[at] = cells[at - 1]
            at -= 1
        cells[at] = cell
        count += 1
    turn = _ZERO if attacks else ATTACKER_MOVES
    rank_cost = ATTACKERS_RANK_COST if attacks else DEFENDERS_RANK_COST
    for i in range(count):
        bit = _ONE << np.uint64(cells[i])
        if attacks:
            key, other = canonical(attacker | bit, defender, memory.images)
        else:
            key, other = canonical(attacker, defender | bit, memory.images)
        place = find(key | turn, other, memory.counters[STAMP], memory.numbers)
        if place < 0:
            memory.phi[depth, i], memory.delta[depth, i] = 1, 1 + rank_cost * i
        else:
            entry = memory.numbers[place]
            memory.phi[depth, i], memory.delta[depth, i] = np.int64(entry.phi), np.int64(entry.delta)
    return count


@kernel
def _summary(phi, delta, count):
    """Returns the least and second least delta, the index of the best move, and the parts of the new delta.

    These parts are the largest phi and the number of other undecided moves.
    """
    least, second, best = INFINITE, INFINITE, 0
    largest, beside = np.int64(0), np.int64(-1)
    for i in range(count):
        if delta[i] < least:
            second, least, best = least, delta[i], i
        elif delta[i] < second:
            second = delta[i]
        if phi[i] > 0:
            beside += 1
            largest = max(largest, phi[i])
    return least, second, best, largest, max(beside, 0)


@kernel
def _enter(attacker, defender, attacks, depth, memory, rules):
    """Returns phi, delta, the canonical words of the position, and the moves that may matter.

    The moves of a proven position may be empty.
    """
    free = rules.playable & ~(attacker | defender)
    own, other = (attacker, defender) if attacks else (defender, attacker)
    completes, urgent = forced_moves(own, other, free, rules)
    if completes:
        return _ZERO_WORK, INFINITE, attacker, defender, _ZERO
    if urgent & (urgent - _ONE):
        return INFINITE, _ZERO_WORK, attacker, defender, _ZERO
    attacker, defender = canonical(attacker, defender, memory.images)
    key = attacker | ATTACKER_MOVES if attacks else attacker
    place = find(key, defender, memory.counters[STAMP], memory.numbers)
    if place >= 0:
        entry = memory.numbers[place]
        if entry.phi != 0 and entry.delta != 0:
            judge(attacker, defender, memory.scores[depth], memory.windows)
        return np.int64(entry.phi), np.int64(entry.delta), attacker, defender, entry.moves
    if urgent != _ZERO:
        own, other = (attacker, defender) if attacks else (defender, attacker)
        free = rules.playable & ~(attacker | defender)
        completes, urgent = forced_moves(own, other, free, rules)
        return _ONE_WORK, _ONE_WORK, attacker, defender, urgent
    scores, zone = memory.scores[depth], memory.zones[depth]
    result, moves = expand(attacker, defender, attacks, popcount(free), scores, zone, memory, rules)
    if moves != _ZERO:
        return _ONE_WORK, _ONE_WORK, attacker, defender, moves
    proven = (result > 0) == (attacks > 0)
    phi, delta = (_ZERO_WORK, INFINITE) if proven else (INFINITE, _ZERO_WORK)
    _store(key, defender, moves, phi, delta, 1, memory)
    return phi, delta, attacker, defender, moves


@kernel
def search_numbers(attacker, defender, attacks, phi_limit, delta_limit, depth, memory, rules):
    """Searches until phi or delta reaches its limit; returns both, or STOPPED twice at the node limit.

    Args:
        attacker: Word of the attacker's stones.
        defender: Word of the defender's stones.
        attacks: 1 if the attacker is to move, else 0.
        phi_limit: Limit of phi.
        delta_limit: Limit of delta.
        depth: Plies from the root.
        memory: Tables and scratch arrays.
        rules: The board.
    """
    counters = memory.counters
    counters[NODES] += 1
    if counters[NODES] >= counters[LIMIT]:
        return STOPPED, STOPPED
    started = counters[NODES]
    phi, delta, attacker, defender, moves = _enter(attacker, defender, attacks, depth, memory, rules)
    if phi >= phi_limit or delta >= delta_limit or phi == 0 or delta == 0:
        return phi, delta
    count = _list_moves(attacker, defender, attacks, moves, depth, memory)
    phis, deltas = memory.phi[depth], memory.delta[depth]
    while True:
        phi, second, best, largest, beside = _summary(phis, deltas, count)
        delta = INFINITE if phi == 0 else min(largest + beside, INFINITE - 1)  # INFINITE is for proofs only
        if phi >= phi_limit or delta >= delta_limit or delta == 0:
            break
        bit = _ONE << np.uint64(memory.cells[depth, best])
        own, other = (attacker | bit, defender) if attacks else (attacker, defender | bit)
        phis[best], deltas[best] = search_numbers(
            own,
            other,
            1 - attacks,
            delta_limit - beside,
            min(phi_limit, second + 1 + (second >> 2)),
            depth + 1,
            memory,
            rules,
        )
        if phis[best] == STOPPED:
            return STOPPED, STOPPED
    key = attacker | ATTACKER_MOVES if attacks else attacker
    _store(key, defender, moves, phi, delta, counters[NODES] - started + 1, memory)
    return phi, delta


@entry_point
def prove(attacker, defender, attacks, memory, rules):
    """Returns 1 if the attacker wins, 0 if it never wins, and STOPPED at the node limit."""
    depth = np.int64(0)
    phi, _ = search_numbers(attacker, defender, attacks, INFINITE, INFINITE, depth, memory, rules)
    if phi == STOPPED:
        return STOPPED
    return np.int64((phi == 0) == (attacks > 0))
