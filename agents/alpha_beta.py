"""Kernels of depth-limited alpha-beta search with a transposition table.

Values are for the player to move: `WIN - plies` for a win that many plies from the root, the negative for a
loss, 0 for a full board. Other positions at the depth limit have the value of the expert heuristic. It stays
far below `WIN - 64`, so a win or loss found counts more.

The search is fail-soft: a value outside the window (alpha, beta) is a bound on the true value.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from agents.heuristic import heuristic
from bttt.kernels import (
    entry_point,
    hash_words,
    kernel,
    lowest_bit_index,
    popcount,
    winning_cells,
    word_has_line,
)

WIN = 1000.0
FOUND_END = WIN - 64
"""Values above this are wins; values below its negative are losses."""

ENTRY = np.dtype(
    [
        ("mine", np.uint64),
        ("theirs", np.uint64),
        ("value", np.float64),
        ("search_pass", np.int64),
        ("best", np.int8),
        ("bound", np.int8),
    ],
    align=True,
)
"""An entry of the transposition table. It stores both words of stones, so positions are never confused.

Within one pass (one depth of one decision) a position always has the same remaining depth, since every ply
adds a stone. An entry's value is therefore valid in the pass that wrote it. Its best move is a hint in later
passes of the same decision. Older entries count as empty, so the table is never cleared.
"""
EXACT, LOWER, UPPER = 0, 1, 2
NODES, LEAVES = 0, 1
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_NO_CELL = -1
_HINT_SCORE = np.int64(2**62)


class AlphaBetaRules(NamedTuple):
    """A board for kernels: the word of the cells without bricks, bits per row, and stones that win."""

    playable: np.uint64
    stride: int
    win_length: int


class Scratch(NamedTuple):
    """The memory of a search.

    Attributes:
        table: `[power of two] ENTRY`, the transposition table.
        history: `[2, 64] int64`, by seat and bit: windows through the cell, plus a bonus for each beta
            cutoff.
        scores: `[64, 64] int64`, by ply and bit: scores that order the moves.
        counters: `[2] int64`, positions visited, and positions evaluated by the heuristic.
        stop: `[1] uint8`; once another thread sets it to 1, the search returns immediately without a result.
    """

    table: np.ndarray
    history: np.ndarray
    scores: np.ndarray
    counters: np.ndarray
    stop: np.ndarray


def empty_scratch(table_entries: int) -> Scratch:
    """Returns empty memory for a search; `table_entries` must be a power of two."""
    if table_entries < 1 or table_entries & (table_entries - 1):
        raise ValueError(f"table_entries must be a power of two, got {table_entries}")
    return Scratch(
        table=np.zeros(table_entries, ENTRY),
        history=np.zeros((2, 64), np.int64),
        scores=np.zeros((64, 64), np.int64),
        counters=np.zeros(2, np.int64),
        stop=np.zeros(1, np.uint8),
    )


class Passes(NamedTuple):
    """Numbers of the decision's first pass and the current pass; they grow over the table's lifetime."""

    first: int
    current: int


@kernel
def _slot(mine, theirs, table):
    return hash_words(mine, theirs) & np.uint64(len(table) - 1)


@kernel
def _judge(mine, theirs, seat, rules, scratch):
    """Returns the heuristic for the player in `seat`, whose stones are `mine`."""
    scratch.counters[NODES] += 1
    scratch.counters[LEAVES] += 1
    if seat == 0:
        return heuristic(mine, theirs, rules.playable, rules.stride, rules.win_length)
    return -heuristic(theirs, mine, rules.playable, rules.stride, rules.win_length)


@kernel
def _best_leaf(mine, theirs, free, seat, beta, rules, scratch):
    """Returns the best heuristic value after one move; there are at least two moves, and none wins."""
    best = -np.inf
    while free != _ZERO and best < beta:
        bit = free & (~free + _ONE)
        free ^= bit
        best = max(best, _judge(mine | bit, theirs, seat, rules, scratch))
    return best


@kernel
def _score_moves(moves, hint, seat, ply, scratch):
    word = moves
    while word != _ZERO:
        cell = lowest_bit_index(word)
        word &= word - _ONE
        scratch.scores[ply, cell] = scratch.history[seat, cell]
    if hint != _NO_CELL and (moves >> np.uint64(hint)) & _ONE:
        scratch.scores[ply, hint] = _HINT_SCORE


@kernel
def _next_move(moves, ply, scratch):
    """Returns the bit index of the move in `moves` with the highest score."""
    best_cell = lowest_bit_index(moves)
    word = moves & (moves - _ONE)
    while word != _ZERO:
        cell = lowest_bit_index(word)
        word &= word - _ONE
        if scratch.scores[ply, cell] > scratch.scores[ply, best_cell]:
            best_cell = cell
    return best_cell


@kernel
def _look_up(entry, mine, theirs, alpha, beta, passes):
    """Returns whether the entry settles the position's value, the value, and its best move as a hint."""
    if entry.mine != mine or entry.theirs != theirs or entry.search_pass < passes.first:
        return False, 0.0, _NO_CELL
    settled = entry.search_pass == passes.current and (
        entry.bound == EXACT
        or (entry.bound == LOWER and entry.value >= beta)
        or (entry.bound == UPPER and entry.value <= alpha)
    )
    return settled, entry.value, np.int64(entry.best)


@kernel
def _store(entry, mine, theirs, value, best_cell, alpha, beta, passes):
    entry.mine, entry.theirs, entry.value = mine, theirs, value
    entry.best, entry.search_pass = best_cell, passes.current
    entry.bound = LOWER if value >= beta else (EXACT if value > alpha else UPPER)


@kernel
def search(mine, theirs, seat, depth, ply, alpha, beta, passes, rules, scratch):
    """Returns the value, for the player to move, of a position that nobody has won.

    Args:
        mine: Word of the stones of the player to move.
        theirs: Word of the other stones.
        seat: The player to move, 0 or 1.
        depth: Plies to look ahead, at least 1.
        ply: Plies from the root.
        alpha: Lower end of the window; values at or below it may be upper bounds.
        beta: Upper end of the window; values at or above it may be lower bounds.
        passes: The passes' numbers.
        rules: The board.
        scratch: The search's memory.
    """
    scratch.counters[NODES] += 1
    free = rules.playable & ~(mine | theirs)
    if winning_cells(mine, free, rules.stride, rules.win_length) != _ZERO:
        return WIN - (ply + 1)
    if popcount(free) <= 1:  # the last cell does not win
        return 0.0
    if depth == 1:
        return _best_leaf(mine, theirs, free, seat, beta, rules, scratch)
    if scratch.stop[0]:
        return 0.0
    entry = scratch.table[_slot(mine, theirs, scratch.table)]
    settled, value, hint = _look_up(entry, mine, theirs, alpha, beta, passes)
    if settled:
        return value

    threats = winning_cells(theirs, free, rules.stride, rules.win_length)
    moves = threats if threats != _ZERO else free  # any other move loses to a threat immediately
    _score_moves(moves, hint, seat, ply, scratch)
    best, best_cell, floor = -np.inf, _NO_CELL, alpha
    while moves != _ZERO and best < beta:
        cell = _next_move(moves, ply, scratch)
        bit = _ONE << np.uint64(cell)
        moves ^= bit
        value = -search(
            theirs, mine | bit, 1 - seat, depth - 1, ply + 1, -beta, -floor, passes, rules, scratch
        )
        if value > best:
            best, best_cell = value, cell
            floor = max(floor, value)
    if scratch.stop[0]:
        return 0.0

    if best >= beta:
        scratch.history[seat, best_cell] += depth * depth
    _store(entry, mine, theirs, best, best_cell, alpha, beta, passes)
    return best


@entry_point
def search_moves(
    mine: np.uint64,
    theirs: np.uint64,
    seat: int,
    depth: int,
    moves: np.ndarray,
    values: np.ndarray,
    passes: Passes,
    rules: AlphaBetaRules,
    scratch: Scratch,
) -> bool:
    """Fills `values` with the values of the root moves; returns whether the search was finished.

    The highest value and all values equal to it are exact; the other values are upper bounds. A search of
    depth 1 is never stopped.

    Args:
        mine: Word of the stones of the player to move, who has not lost.
        theirs: Word of the other stones.
        seat: The player to move, 0 or 1.
        depth: Plies to look ahead, at least 1.
        moves: `[M] uint64`, the words of the free cells, the most promising first.
        values: `[M] float64`, filled.
        passes: The passes' numbers.
        rules: The board.
        scratch: The search's memory.
    """
    best = -np.inf
    for i in range(len(moves)):
        stones = mine | moves[i]
        if word_has_line(stones, rules.stride, rules.win_length):
            values[i] = WIN - 1
        elif (stones | theirs) == rules.playable:
            values[i] = 0.0
        elif depth == 1:
            values[i] = _judge(stones, theirs, seat, rules, scratch)
        else:
            # the window starts just below the best value, so that equally good moves get exact values
            beta = -np.nextafter(best, -np.inf)
            # Each argument has one type only. A recursive kernel compiled for two types crashes when loaded
            # from the disk cache (numba issue 6061), and a literal 1 would be a type of its own.
            ply = np.int64(1)
            values[i] = -search(
                theirs, stones, 1 - seat, depth - 1, ply, -np.inf, beta, passes, rules, scratch
            )
        if depth > 1 and scratch.stop[0]:
            return False
        best = max(best, values[i])
    return True
