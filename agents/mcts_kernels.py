"""Kernels of UCT search: a tree in flat arrays, grown one iteration at a time.

An iteration descends from the root to a node without children and evaluates it, by random playouts or by the
expert heuristic. It adds the result to every node on the path. A node gets its children on the second visit;
they are stored side by side. Each child is tried once, in random order. Then the search takes the child with
the highest

    mean result + c * sqrt(ln(visits of the parent) / visits)

and of equal children the one tried first. Results are in [-1, 1]; finished games count exactly. Once the
arrays are full the tree stops growing, and its leaves are evaluated repeatedly.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from agents.heuristic import heuristic, leaf_value
from bttt.kernels import (
    entry_point,
    kernel,
    lowest_bit_index,
    popcount,
    random_below,
    random_playouts,
    winning_cells,
    word_has_line,
)

ROOT = 0
LEAF, LOST, DRAWN = 0, -1, -2
"""Values of `first_child` in a node without children: not expanded, or the end of the game."""
_WORD_BITS = 64
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


class PlayoutTree(NamedTuple):
    """The nodes of a tree; for untried children only `cell` is valid.

    Attributes:
        visits: `[nodes] int32`; the root has one more than the number of iterations.
        total: `[nodes] float64`, sum of the results for the player who moved into the node.
        first_child: `[nodes] int32`, index of the first child, or LEAF, LOST (for the player to move), DRAWN.
        children: `[nodes] int8`, number of children, which have consecutive indices.
        cell: `[nodes] int8`, bit index of the move into the node.
    """

    visits: np.ndarray
    total: np.ndarray
    first_child: np.ndarray
    children: np.ndarray
    cell: np.ndarray


class Settings(NamedTuple):
    """Board and options of a search.

    Attributes:
        playable: Word of the cells without bricks.
        stride: Bits per row.
        win_length: Stones in a row that win.
        seat: The player to move at the root, 0 or 1.
        c: Exploration weight.
        rollouts: Random playouts per leaf; 0 for the expert heuristic.
        tactics: Whether to try only wins if there are any, otherwise only blocks if one is needed.
    """

    playable: np.uint64
    stride: int
    win_length: int
    seat: int
    c: float
    rollouts: int
    tactics: bool


def places(iterations: int) -> int:
    """Returns a number of nodes that no search of `iterations` exceeds."""
    return 1 + (iterations + 2) * _WORD_BITS


def empty_tree(nodes: int) -> PlayoutTree:
    """Returns a tree with room for `nodes` nodes; memory is used only as it grows."""
    return PlayoutTree(
        visits=np.empty(nodes, np.int32),
        total=np.empty(nodes, np.float64),
        first_child=np.empty(nodes, np.int32),
        children=np.empty(nodes, np.int8),
        cell=np.empty(nodes, np.int8),
    )


@kernel
def _tactical_moves(mine, theirs, playable, stride, win_length):
    """Returns the word of the winning cells, else of the cells that block a win of the other side, else 0."""
    free = playable & ~(mine | theirs)
    wins = winning_cells(mine, free, stride, win_length)
    return wins if wins != _ZERO else winning_cells(theirs, free, stride, win_length)


@kernel
def _expand(node, mine, theirs, used, tree, settings):
    """Gives `node` its children, at indices from `used`; returns the new number of used indices."""
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
    """Returns a random untried child, after moving it to the index behind the tried children."""
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
    """Returns the next child on the path: an untried child if there is one, else the most promising."""
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
    """Returns the result for the player to move at a node without children; marks finished games."""
    if tree.visits[node] == 0:
        if word_has_line(theirs, settings.stride, settings.win_length):
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
    """Adds a result, for the player to move at the path's last node, to all nodes of the path."""
    for i in range(length - 1, -1, -1):
        result = -result
        tree.visits[path[i]] += 1
        tree.total[path[i]] += result


@entry_point
def grow(mine, theirs, iterations, used, tree, settings, state):
    """Runs iterations on a new tree or continues one; returns the number of used indices.

    Args:
        mine: Word of the stones of the player to move at the root.
        theirs: Word of the other stones.
        iterations: Number of iterations to run.
        used: Used indices of the tree; 0 for a new tree.
        tree: The tree, with room for at least `places(0)` nodes.
        settings: Board and options.
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
