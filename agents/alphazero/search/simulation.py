"""Kernels that run simulations: down the tree, to the network, and back up.

A simulation descends from a game's root to an untried cell and adds the position after it as a node. A known
result is backed up immediately; otherwise the node waits for the network. `gather` runs simulations of all
games until each game waits or is done. `absorb` takes the network's outputs.

Shapes: G games, L waiting simulations per game, A cells of the board, B positions in a batch of the network.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from agents.alphazero.search.selection import gumbel_inner_cell, gumbel_root_cell, puct_cell
from agents.alphazero.search.trees import NONE, OPEN, ROOT, add_child, add_node, exact_result, prove
from bttt.kernels import lean_entry_point, lean_kernel

DEPTH = 64
"""Maximum length of a path: the largest number of cells of a board."""
_ONE = np.uint64(1)


class SearchedGames(NamedTuple):
    """The state of a search for each game, besides the trees.

    Attributes:
        playable: `[G] uint64`, cells without bricks.
        budget: `[G] int32`, simulations to run.
        begun: `[G] int32`, simulations started.
        scores: `[G, A] float32`, with gumbel: Gumbel noise plus the logarithm of the root's priors.
        considered: `[G, simulations] int32`, with gumbel: each simulation chooses among the root's cells with
            this number of visits.
        weights: `[A] float64`, scratch.
        waiting: `[G, L] int32`, the node that waits for the network, or NONE.
        length: `[G, L] int32`, length of the path to the waiting node.
        path_nodes: `[G, L, DEPTH] int32`, the nodes on the path.
        path_cells: `[G, L, DEPTH] int8`, the cell chosen at each node.
        asked: `[G * L, 2] int32`, game and index in `waiting` of each position in the network's batch.
    """

    playable: np.ndarray
    budget: np.ndarray
    begun: np.ndarray
    scores: np.ndarray
    considered: np.ndarray
    weights: np.ndarray
    waiting: np.ndarray
    length: np.ndarray
    path_nodes: np.ndarray
    path_cells: np.ndarray
    asked: np.ndarray


@lean_kernel
def write_planes(planes, mine, theirs, playable, rules):
    """Fills `planes` `[3, rows, cols] float32`, the network's input for a position."""
    third = ~playable if rules.bricks_plane else playable
    for row in range(planes.shape[1]):
        for col in range(rules.cols):
            planes[0, row, col] = np.float32(mine & _ONE)
            planes[1, row, col] = np.float32(theirs & _ONE)
            planes[2, row, col] = np.float32(third & _ONE)
            mine, theirs, third = mine >> _ONE, theirs >> _ONE, third >> _ONE
        mine, theirs, third = mine >> _ONE, theirs >> _ONE, third >> _ONE


@lean_entry_point
def fill_planes(planes, mine, theirs, playable, rules):
    """Fills `planes` `[B, 3, rows, cols] float32` for positions given as words `[B] uint64`."""
    for i in range(len(mine)):
        write_planes(planes[i], mine[i], theirs[i], playable[i], rules)


@lean_kernel
def _back_up(trees, g, games, place, result, rules):
    """Adds a result, for the player to move at the end of a path, to the path's nodes; updates proofs."""
    nodes, cells = games.path_nodes[g, place], games.path_cells[g, place]
    fresh_proof = True
    for i in range(games.length[g, place] - 1, -1, -1):
        node, cell = nodes[i], cells[i]
        result *= -rules.discount
        child = trees.child[g, node, cell]
        fresh_proof = fresh_proof and trees.status[g, child] != OPEN and trees.status[g, node] == OPEN
        if fresh_proof and prove(trees, g, node):
            result = exact_result(trees.status[g, node], trees.distance[g, node], rules.discount)
        else:
            fresh_proof = False
        trees.results[g, node] += 1
        trees.total[g, node] += result
        trees.sums[g, node, cell] += result
        if rules.virtual_loss:
            trees.sums[g, node, cell] += 1.0
        else:
            trees.visits[g, node, cell] += 1


@lean_kernel
def _choose(trees, g, node, games, rules):
    if not rules.gumbel:
        return puct_cell(trees, g, node, rules)
    if node == ROOT:
        return gumbel_root_cell(trees, g, rules, games.scores[g], games.considered[g, games.begun[g]])
    return gumbel_inner_cell(trees, g, node, rules, games.weights)


@lean_kernel
def _take_back(trees, g, games, place):
    """Removes the virtual losses of a path."""
    for i in range(games.length[g, place]):
        node, cell = games.path_nodes[g, place, i], games.path_cells[g, place, i]
        trees.visits[g, node, cell] -= 1
        trees.sums[g, node, cell] += 1.0


@lean_kernel
def _go_down(trees, g, games, place, rules):
    """Descends from the root to a new or proven node; returns it, or NONE if it reaches a waiting node."""
    node, length = ROOT, 0
    while True:
        cell = _choose(trees, g, node, games, rules)
        games.path_nodes[g, place, length] = node
        games.path_cells[g, place, length] = cell
        length += 1
        games.length[g, place] = length
        if rules.virtual_loss:
            trees.visits[g, node, cell] += 1
            trees.sums[g, node, cell] -= 1.0
        child = trees.child[g, node, cell]
        if child == NONE:
            return add_child(trees, g, node, cell, games.playable[g], rules)
        if trees.status[g, child] != OPEN:
            return child
        if trees.results[g, child] == 0:
            return NONE
        node = child


@lean_kernel
def _simulate(trees, g, games, place, rules):
    """Runs simulations of a game until one needs the network; returns its node, or NONE."""
    while games.begun[g] < games.budget[g] and trees.status[g, ROOT] == OPEN:
        node = _go_down(trees, g, games, place, rules)
        if node == NONE:
            _take_back(trees, g, games, place)
            return NONE
        games.begun[g] += 1
        if trees.status[g, node] == OPEN:
            return node
        result = exact_result(trees.status[g, node], trees.distance[g, node], rules.discount)
        _back_up(trees, g, games, place, result, rules)
    return NONE


@lean_entry_point
def gather(trees, games, rules, planes):
    """Runs simulations until every game waits or is done.

    Args:
        trees: The trees; the network has evaluated every open root.
        games: The trees' games.
        rules: The rules.
        planes: `[G * L, 3, rows, cols] float32`, filled with the positions that the network must evaluate.

    Returns:
        B, the number of these positions.
    """
    asked = 0
    for g in range(len(games.budget)):
        for place in range(games.waiting.shape[1]):
            node = _simulate(trees, g, games, place, rules)
            games.waiting[g, place] = node
            if node == NONE:
                break
            words = trees.mine[g, node], trees.theirs[g, node], games.playable[g]
            write_planes(planes[asked], *words, rules)
            games.asked[asked, 0], games.asked[asked, 1] = g, place
            asked += 1
    return asked


@lean_kernel
def _expand(trees, g, node, logits):
    """Sets the priors of a node: the softmax of the logits over the cells worth playing.

    Returns whether the priors are finite; otherwise the search could not choose a cell.
    """
    cells = trees.prior.shape[2]
    highest = -np.inf
    for cell in range(cells):
        if trees.prior[g, node, cell] >= 0.0:
            highest = max(highest, np.float64(logits[cell]))
    total = 0.0
    for cell in range(cells):
        if trees.prior[g, node, cell] >= 0.0:
            trees.prior[g, node, cell] = math.exp(logits[cell] - highest)
            total += trees.prior[g, node, cell]
    for cell in range(cells):
        if trees.prior[g, node, cell] >= 0.0:
            trees.prior[g, node, cell] /= total
    return math.isfinite(total)


@lean_kernel
def _judge(trees, g, node, logits, value):
    """Stores the network's output for a node; returns whether it is finite."""
    finite = _expand(trees, g, node, logits) and math.isfinite(value)
    trees.network[g, node] = value
    trees.results[g, node] += 1
    trees.total[g, node] += value
    return finite


@lean_entry_point
def absorb(trees, games, rules, asked, logits, values):
    """Stores the network's outputs, `[B, A]` and `[B] float32`, for all waiting nodes and backs them up.

    Returns whether all outputs are finite; if not, the trees are unusable.
    """
    finite = True
    for i in range(asked):
        g, place = games.asked[i, 0], games.asked[i, 1]
        finite &= _judge(trees, g, games.waiting[g, place], logits[i], values[i])
        _back_up(trees, g, games, place, np.float64(values[i]), rules)
    return finite


@lean_entry_point
def plant(trees, games, mine, theirs, rules, planes):
    """Gives every game a new root. Fills the planes of open roots and `games.asked`; returns their number.

    Args:
        trees: The trees; their content is lost.
        games: The trees' games.
        mine: `[G] uint64`, stones of the player to move.
        theirs: `[G] uint64`, the other stones.
        rules: The rules.
        planes: `[at least G, 3, rows, cols] float32`.
    """
    asked = 0
    for g in range(len(mine)):
        trees.used[g] = 0
        games.begun[g] = 0
        add_node(trees, g, mine[g], theirs[g], games.playable[g], rules)
        if trees.status[g, ROOT] == OPEN:
            write_planes(planes[asked], mine[g], theirs[g], games.playable[g], rules)
            games.asked[asked, 0] = g
            asked += 1
    return asked


@lean_entry_point
def judge_roots(trees, games, asked, logits, values):
    """Stores the network's outputs, `[B, A]` and `[B] float32`, for the roots in `games.asked`.

    Returns whether all outputs are finite; if not, the trees are unusable.
    """
    finite = True
    for i in range(asked):
        finite &= _judge(trees, games.asked[i, 0], ROOT, logits[i], values[i])
    return finite
