"""The search trees of many games in flat arrays, and results that are known without the network.

Results are for the player to move at a node: `discount ** plies` for a win in that many plies, minus that for
a loss, 0 for a draw. The status of a node is a proof: WON if one move leads to a proven loss, LOST if all
moves lead to proven wins, DRAWN if no move wins and one draws.

Shapes: G games, N nodes a game, A cells of the board.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bttt.kernels import lean_kernel, winning_cells, word_has_line
from bttt.solver import LineRules as LineRules
from bttt.solver import lowest_bit, near_lines

ROOT = 0
NONE = -1
OPEN, WON, LOST, DRAWN = 0, 1, 2, 3
"""The proven result of a node, for the player to move there; OPEN if there is none."""
NO_EDGE = np.float32(-1.0)
"""Prior of a cell that must not be played: taken, blocked, or no reply to a threat."""
UNKNOWN = -2
"""Marker in place of a cell: the next cell must be looked up."""
LEAST_PRIOR = 1e-8
"""Lower bound of priors in Gumbel AlphaZero's logits, which are their logarithms."""
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


class Trees(NamedTuple):
    """The trees of all games.

    Attributes:
        mine: `[G, N] uint64`, stones of the player to move.
        theirs: `[G, N] uint64`, the other stones.
        status: `[G, N] int8`, OPEN, WON, LOST or DRAWN.
        distance: `[G, N] int8`, plies to the end of a proven win or loss, on the lines searched.
        results: `[G, N] int32`, number of results added to `total`; 0 while the node waits for the network.
        total: `[G, N] float32`, sum of the results.
        network: `[G, N] float32`, the network's value.
        child: `[G, N, A] int32`, the node after each cell, or NONE.
        visits: `[G, N, A] int32`, simulations through each cell.
        sums: `[G, N, A] float32`, sum of these simulations' results, for the player to move at the node.
        prior: `[G, N, A] float32`, the network's probability of each cell, or NO_EDGE.
        order: `[G, N, A + 1] int8`, the cells tried so far, in this order, then the untried cell with the
            highest prior, or UNKNOWN. Most nodes try only a few of 49 cells, and only these are read.
        tried: `[G, N] int32`, number of tried cells.
        rest: `[G, N] float32`, sum of the priors of the untried cells; valid unless the next cell is UNKNOWN.
        used: `[G] int32`, nodes in use.
    """

    mine: np.ndarray
    theirs: np.ndarray
    status: np.ndarray
    distance: np.ndarray
    results: np.ndarray
    total: np.ndarray
    network: np.ndarray
    child: np.ndarray
    visits: np.ndarray
    sums: np.ndarray
    prior: np.ndarray
    order: np.ndarray
    tried: np.ndarray
    rest: np.ndarray
    used: np.ndarray


class TreeRules(NamedTuple):
    """Board size and search settings, the same for all games.

    Attributes:
        cols: Columns.
        win_length: Stones in a row that win.
        discount: Discount factor per ply until the result, in (0, 1].
        c_puct: Exploration weight of PUCT.
        fpu_reduction: First-play urgency: how far below its node's value an untried cell is rated, times the
            square root of the prior already tried.
        lookahead: Tactics known without the network: 0, the end of a game; 1, also immediate wins; 2, also
            that a threat must be blocked and that two threats lose; 3, also wins by a double threat.
        gumbel: Whether to choose cells by the rules of Gumbel AlphaZero instead of PUCT.
        c_visit: Gumbel AlphaZero's constant c_visit.
        c_scale: Gumbel AlphaZero's constant c_scale, for results in [-1, 1].
        virtual_loss: Whether unfinished simulations count as losses, to keep parallel simulations apart.
        bricks_plane: Whether the network's third plane shows bricks instead of the cells without bricks.
    """

    cols: int
    win_length: int
    discount: float
    c_puct: float
    fpu_reduction: float
    lookahead: int
    gumbel: bool
    c_visit: float
    c_scale: float
    virtual_loss: bool
    bricks_plane: bool


def empty_trees(games: int, nodes: int, cells: int) -> Trees:
    """Returns trees with room for `nodes` nodes each."""
    per_node, per_cell = (games, nodes), (games, nodes, cells)
    return Trees(
        mine=np.zeros(per_node, np.uint64),
        theirs=np.zeros(per_node, np.uint64),
        status=np.zeros(per_node, np.int8),
        distance=np.zeros(per_node, np.int8),
        results=np.zeros(per_node, np.int32),
        total=np.zeros(per_node, np.float32),
        network=np.zeros(per_node, np.float32),
        child=np.empty(per_cell, np.int32),
        visits=np.empty(per_cell, np.int32),
        sums=np.empty(per_cell, np.float32),
        prior=np.empty(per_cell, np.float32),
        order=np.empty((games, nodes, cells + 1), np.int8),
        tried=np.zeros(per_node, np.int32),
        rest=np.zeros(per_node, np.float32),
        used=np.zeros(games, np.int32),
    )


@lean_kernel
def cell_bit(cell, cols):
    """Returns the word of a cell."""
    return _ONE << np.uint64(cell + cell // cols)


@lean_kernel
def exact_result(status, distance, discount):
    """Returns the result of a proven position for the player to move there."""
    if status == DRAWN:
        return 0.0
    result = discount ** np.int64(distance)
    return result if status == WON else -result


@lean_kernel
def _forks(mine, free, cells, stride, win_length):
    """Returns the word of those `cells` where a stone makes two ways to complete a line."""
    _, threatening = near_lines(mine, free, LineRules(free, stride, win_length))
    moves = threatening & cells
    forks = _ZERO
    while moves != _ZERO:
        move = lowest_bit(moves)
        moves ^= move
        wins = winning_cells(mine | move, free ^ move, stride, win_length)
        if wins & (wins - _ONE):
            forks |= move
    return forks


@lean_kernel
def known(mine, theirs, free, rules):
    """Returns the status of a position, the plies to the end, and the word of the cells worth playing."""
    stride = rules.cols + 1
    if rules.lookahead == 0 and word_has_line(theirs, stride, rules.win_length):
        return LOST, 0, free
    if free == _ZERO:
        return DRAWN, 0, free
    if rules.lookahead > 0:
        wins = winning_cells(mine, free, stride, rules.win_length)
        if wins != _ZERO:
            return WON, 1, wins
    if rules.lookahead < 2:
        return OPEN, 0, free
    threats = winning_cells(theirs, free, stride, rules.win_length)
    if threats & (threats - _ONE):
        return LOST, 2, threats
    cells = threats if threats != _ZERO else free
    if rules.lookahead > 2:
        forks = _forks(mine, free, cells, stride, rules.win_length)
        if forks != _ZERO:
            return WON, 3, forks
    return OPEN, 0, cells


@lean_kernel
def add_node(trees, g, mine, theirs, playable, rules):
    """Adds a node for a position and returns it; the cells worth playing get prior 0."""
    node = trees.used[g]
    trees.used[g] = node + 1
    status, distance, cells = known(mine, theirs, playable & ~(mine | theirs), rules)
    trees.mine[g, node], trees.theirs[g, node] = mine, theirs
    trees.status[g, node], trees.distance[g, node] = status, distance
    trees.results[g, node], trees.total[g, node], trees.network[g, node] = 0, 0.0, 0.0
    trees.child[g, node, :] = NONE
    trees.visits[g, node, :] = 0
    trees.sums[g, node, :] = 0.0
    trees.tried[g, node], trees.order[g, node, 0] = 0, UNKNOWN
    prior, cell = trees.prior[g, node], 0
    for _ in range(len(prior) // rules.cols):
        for _ in range(rules.cols):
            prior[cell] = 0.0 if cells & _ONE else NO_EDGE
            cells >>= _ONE
            cell += 1
        cells >>= _ONE
    return node


@lean_kernel
def next_untried(trees, g, node):
    """Returns the untried cell with the highest prior, or NONE if all are tried; remembers the result."""
    order, tried = trees.order[g, node], trees.tried[g, node]
    if order[tried] == UNKNOWN:
        prior, child = trees.prior[g, node], trees.child[g, node]
        best, highest, total = NONE, np.float32(NO_EDGE), np.float32(0.0)
        for cell in range(len(prior)):
            if prior[cell] >= 0.0 and child[cell] == NONE:
                total += max(prior[cell], np.float32(LEAST_PRIOR))
                if prior[cell] > highest:
                    best, highest = cell, prior[cell]
        order[tried] = best
        trees.rest[g, node] = total
    return order[tried]


@lean_kernel
def add_child(trees, g, node, cell, playable, rules):
    """Adds the node after an untried cell and returns it."""
    mine = trees.mine[g, node] | cell_bit(cell, rules.cols)
    child = add_node(trees, g, trees.theirs[g, node], mine, playable, rules)
    trees.child[g, node, cell] = child
    tried = trees.tried[g, node]
    trees.order[g, node, tried] = cell
    trees.order[g, node, tried + 1] = UNKNOWN
    trees.tried[g, node] = tried + 1
    return child


@lean_kernel
def is_lost(trees, g, node, cell):
    """Returns whether playing `cell` is proven to lose."""
    child = trees.child[g, node, cell]
    return child != NONE and trees.status[g, child] == WON


@lean_kernel
def worth(trees, g, node, cell, discount):
    """Returns the result of a visited cell for the player to move: exact if proven, otherwise the mean."""
    child = trees.child[g, node, cell]
    status = trees.status[g, child]
    if status != OPEN:
        return -discount * exact_result(status, trees.distance[g, child], discount)
    return np.float64(trees.sums[g, node, cell]) / trees.visits[g, node, cell]


@lean_kernel
def prove(trees, g, node):
    """Proves the status of an open node from its children if possible; returns whether it is proven.

    Called when a child of the node has been proven.
    """
    open_cell, drawn = next_untried(trees, g, node) != NONE, False
    won_in, lost_in = 127, 0
    for i in range(trees.tried[g, node]):
        child = trees.child[g, node, trees.order[g, node, i]]
        status = trees.status[g, child]
        if status == OPEN:
            open_cell = True
        elif status == LOST:
            won_in = min(won_in, trees.distance[g, child] + 1)
        elif status == DRAWN:
            drawn = True
        else:
            lost_in = max(lost_in, trees.distance[g, child] + 1)
    if won_in < 127:
        trees.status[g, node], trees.distance[g, node] = WON, won_in
    elif open_cell:
        return False
    elif drawn:
        trees.status[g, node] = DRAWN
    else:
        trees.status[g, node], trees.distance[g, node] = LOST, lost_in
    return True
