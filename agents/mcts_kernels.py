"""Kernels of UCT search: a tree in flat arrays, grown one iteration at a time.

An iteration goes down from the root to a node without children, judges it by random playouts or by the
expert heuristic, and adds the result to every node on the way. A node gets its children when it is
reached for the second time; they lie side by side, and each of them is tried once, in random order, before
the one with the highest

    mean result + c * sqrt(ln(visits of the parent) / visits)

is taken; of equal ones the one tried first. Results are in [-1, 1]. The end of a game is judged exactly.
Where the arrays are full the tree stays as it is, and its leaves are judged again and again.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from agents.heuristic import heuristic, leaf_value
from bttt.kernels import (
    entry_point,
    has_line,
    kernel,
    lowest_bit_index,
    popcount,
    random_below,
    random_playouts,
    winning_cells,
)

ROOT = 0
LEAF, LOST, DRAWN = 0, -1, -2
"""Values of `first_child` in a node without children: not expanded, or the end of the game."""
_WORD_BITS = 64
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


class PlayoutTree(NamedTuple):
    """The nodes of a tree; the entries of children not yet tried hold nothing but `cell`.

    Attributes:
        visits: `[nodes] int32`; the root has one more than the number of iterations.
        total: `[nodes] float64`, sum of the results for the player who moved into the node.
        first_child: `[nodes] int32`, place of the first child, or LEAF, LOST (for the player to move), DRAWN.
        children: `[nodes] int8`, how many children, in places that follow each other.
        cell: `[nodes] int8`, bit index of the move into the node.
    """

    visits: np.ndarray
    total: np.ndarray
    first_child: np.ndarray
    children: np.ndarray
    cell: np.ndarray


class Settings(NamedTuple):
    """What a search needs besides the tree.

    Attributes:
        playable: Word of the cells without brick.
        stride: Bits a row.
        win_length: Stones in a row that win.
        seat: The player to move at the root, 0 or 1.
        c: Weight of exploration.
        rollouts: Random playouts a leaf; 0 for the expert heuristic.
        tactics: Whether only wins are tried where there is one, else only blocks where one is needed.
    """

    playable: np.uint64
    stride: int
    win_length: int
    seat: int
    c: float
    rollouts: int
    tactics: bool


def places(iterations: int) -> int:
    """Returns how many nodes a tree has room for that no search of `iterations` fills."""
    return 1 + (iterations + 2) * _WORD_BITS


def empty_tree(nodes: int) -> PlayoutTree:
    """Returns a tree with room for that many nodes; memory is taken only as it grows."""
    return PlayoutTree(
        visits=np.empty(nodes, np.int32),
        total=np.empty(nodes, np.float64),
        first_child=np.empty(nodes, np.int32),
        children=np.empty(nodes, np.int8),
        cell=np.empty(nodes, np.int8),
    )


@kernel
def _tactical_moves(mine, theirs, playable, stride, win_length):
    """Returns the word of winning cells, or else of cells that the other side would win on, or else 0."""
    free = playable & ~(mine | theirs)
    wins = winning_cells(mine, free, stride, win_length)
    return wins if wins != _ZERO else winning_cells(theirs, free, stride, win_length)


@kernel
def _expand(node, mine, theirs, used, tree, settings):
    """Gives `node` its children, at places from `used`; returns the places used then."""
    moves = _ZERO
    if settings.tactics:
        moves = _tactical_moves(mine, theirs, settings.playable, settings.stride, settings.win_length)
    if moves == _ZERO:
        moves = settings.playable & ~(mine | theirs)
    tree.first_child[node] = used
    tree.children[node] = popcount(moves)
    while moves != _ZERO:
        tree.cell[used] = lowest_bit_index(moves)
        moves &= moves - _ONE
        used += 1
    return used


@kernel
def _try_new(first, tried, children, tree, state):
    """Returns a child drawn among those not yet tried, moved to the place after those tried."""
    child = first + tried
    other = child + random_below(state, children - tried)
    tree.cell[child], tree.cell[other] = tree.cell[other], tree.cell[child]
    tree.visits[child] = 0
    tree.total[child] = 0.0
    tree.first_child[child] = LEAF
    return child


@kernel
def _select(first, children, visits, c, tree):
    """Returns the child with the highest upper confidence bound."""
    width = c * c * math.log(visits)
    best = first
    best_bound = -np.inf
    for child in range(first, first + children):
        tries = np.float64(tree.visits[child])
        bound = (tree.total[child] + math.sqrt(width * tries)) / tries
        if bound > best_bound:
            best, best_bound = child, bound
    return best


@kernel
def _next_node(node, tree, c, state):
    """Returns the child to go to: a new one as long as there is one, else the most promising."""
    first = np.int64(tree.first_child[node])
    children = np.int64(tree.children[node])
    tried = np.int64(tree.visits[node]) - 1
    if tried < children:
        return _try_new(first, tried, children, tree, state)
    return _select(first, children, tree.visits[node], c, tree)


@kernel
def _judge(mine, theirs, seat, settings, state, bits):
    """Returns the estimated result for the player to move."""
    if settings.rollouts == 0:
        worth = heuristic(
            theirs if seat else mine,
            mine if seat else theirs,
            settings.playable,
            settings.stride,
            settings.win_length,
        )
        return leaf_value(-worth if seat else worth)
    words = mine, theirs, settings.playable
    total = random_playouts(settings.rollouts, *words, settings.stride, settings.win_length, state, bits)
    return total / settings.rollouts


@kernel
def _result(node, mine, theirs, seat, tree, settings, state, bits):
    """Returns the result for the player to move at a node without children, and notes the game's end."""
    if tree.visits[node] == 0:
        if has_line(theirs, settings.stride, settings.win_length):
            tree.first_child[node] = LOST
        elif (mine | theirs) == settings.playable:
            tree.first_child[node] = DRAWN
    if tree.first_child[node] == LOST:
        return -1.0
    if tree.first_child[node] == DRAWN:
        return 0.0
    return _judge(mine, theirs, seat, settings, state, bits)


@kernel
def _back_up(path, length, result, tree):
    """Adds a result, for the player to move at the last node of the path, to all its nodes."""
    for i in range(length - 1, -1, -1):
        result = -result
        tree.visits[path[i]] += 1
        tree.total[path[i]] += result


@entry_point
def grow(mine, theirs, iterations, used, tree, settings, state):
    """Runs iterations on a new tree or on a tree grown before; returns how many places are in use then.

    Args:
        mine: Word of the stones of the player to move at the root.
        theirs: Word of the other stones.
        iterations: How many iterations to run.
        used: Places of the tree in use; 0 for a new tree.
        tree: The tree, with room for at least `places(0)` nodes.
        settings: What else the search needs.
        state: `[1] uint64`, the random state.
    """
    bits = np.empty(_WORD_BITS, np.uint64)
    path = np.empty(_WORD_BITS, np.int64)
    if used == 0:
        tree.visits[ROOT] = 1
        tree.total[ROOT] = 0.0
        used = _expand(ROOT, mine, theirs, 1, tree, settings)
    for _ in range(iterations):
        mover, other, seat = mine, theirs, settings.seat
        node, length = ROOT, 1
        path[0] = ROOT
        while True:
            reached_again = tree.first_child[node] == LEAF and tree.visits[node] > 0
            if reached_again and used + _WORD_BITS <= len(tree.visits):
                used = _expand(node, mover, other, used, tree, settings)
            if tree.first_child[node] <= LEAF:
                break
            node = _next_node(node, tree, settings.c, state)
            path[length] = node
            length += 1
            mover, other = other, mover | (_ONE << np.uint64(tree.cell[node]))
            seat = 1 - seat
        result = _result(node, mover, other, seat, tree, settings, state, bits)
        _back_up(path, length, result, tree)
    return used
