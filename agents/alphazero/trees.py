"""The search trees of many games at once, in flat arrays, and what is known without the network.

Results are for the player to move at a node: `discount ** plies` where it wins in that many plies, minus that
where it loses, 0 for a draw. The status of a node is exact: proven to win by one move to a proven loss, to
lose where all its moves lead to proven wins, to draw where no move wins and one draws.

Shapes: G games, N nodes a game, A cells of the board.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bttt.bitboard import has_line, winning_cells
from bttt.jit import kernel

ROOT = 0
NONE = -1
OPEN, WON, LOST, DRAWN = 0, 1, 2, 3
"""What is proven of a node, for the player to move there."""
NO_EDGE = np.float32(-1.0)
"""The prior of a cell that is not to be played: taken, a brick, or no answer to a threat."""
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


class Trees(NamedTuple):
    """The trees of all games.

    Attributes:
        mine: `[G, N] uint64`, stones of the player to move.
        theirs: `[G, N] uint64`, the other stones.
        status: `[G, N] int8`.
        distance: `[G, N] int8`, plies to the end where the status is won or lost, on the lines searched.
        count: `[G, N] int32`, results added to `total`; 0 while the node waits for the network.
        total: `[G, N] float32`, sum of the results.
        network: `[G, N] float32`, what the network expects.
        child: `[G, N, A] int32`, the node behind each cell, or NONE.
        visits: `[G, N, A] int32`, simulations through each cell.
        sums: `[G, N, A] float32`, sum of their results, for the player to move at the node.
        prior: `[G, N, A] float32`, the probability that the network gives each cell, or NO_EDGE.
        used: `[G] int32`, nodes in use.
    """

    mine: np.ndarray
    theirs: np.ndarray
    status: np.ndarray
    distance: np.ndarray
    count: np.ndarray
    total: np.ndarray
    network: np.ndarray
    child: np.ndarray
    visits: np.ndarray
    sums: np.ndarray
    prior: np.ndarray
    used: np.ndarray


class Rules(NamedTuple):
    """The board's size and how the search weighs; the same for all games.

    Attributes:
        cols: Columns.
        win_length: Stones in a row that win.
        discount: Factor of a result for each ply until it, in (0, 1].
        c_puct: Weight of exploration.
        fpu_reduction: How much worse than its node an untried cell is thought to be, times the square root of
            the prior already tried.
        lookahead: 0: only the end of a game is known; 1: also that the player to move wins at once; 2: also
            that a threat of the other player must be answered, and that two of them lose.
        gumbel: Whether cells are chosen as in Gumbel AlphaZero instead of by PUCT.
        c_visit: Gumbel AlphaZero's constant of that name.
        c_scale: Gumbel AlphaZero's constant of that name, for results in [-1, 1].
        virtual_loss: Whether simulations under way count as lost, for several at once.
        bricks_plane: Whether the network's third plane shows bricks instead of cells without brick.
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
    """Returns trees with room for that many nodes each."""
    per_node, per_cell = (games, nodes), (games, nodes, cells)
    return Trees(
        mine=np.zeros(per_node, np.uint64),
        theirs=np.zeros(per_node, np.uint64),
        status=np.zeros(per_node, np.int8),
        distance=np.zeros(per_node, np.int8),
        count=np.zeros(per_node, np.int32),
        total=np.zeros(per_node, np.float32),
        network=np.zeros(per_node, np.float32),
        child=np.empty(per_cell, np.int32),
        visits=np.empty(per_cell, np.int32),
        sums=np.empty(per_cell, np.float32),
        prior=np.empty(per_cell, np.float32),
        used=np.zeros(games, np.int32),
    )


@kernel
def cell_bit(cell, cols):
    """Returns the word of one cell."""
    return _ONE << np.uint64(cell + cell // cols)


@kernel
def exact_result(status, distance, discount):
    """Returns the result of a proven position for the player to move there."""
    if status == DRAWN:
        return 0.0
    result = discount ** np.float64(distance)
    return result if status == WON else -result


@kernel
def known(mine, theirs, free, rules):
    """Returns the status of a position, the plies to its end, and the word of the cells worth playing."""
    stride = rules.cols + 1
    if rules.lookahead == 0 and has_line(theirs, stride, rules.win_length):
        return LOST, 0, free
    if free == _ZERO:
        return DRAWN, 0, free
    if rules.lookahead > 0:
        wins = winning_cells(mine, free, stride, rules.win_length)
        if wins != _ZERO:
            return WON, 1, wins
    if rules.lookahead > 1:
        threats = winning_cells(theirs, free, stride, rules.win_length)
        if threats & (threats - _ONE):
            return LOST, 2, threats
        if threats != _ZERO:
            return OPEN, 0, threats
    return OPEN, 0, free


@kernel
def add_node(trees, g, mine, theirs, playable, rules):
    """Adds a node for a position and returns it; the cells worth playing have prior 0."""
    node = trees.used[g]
    trees.used[g] = node + 1
    status, distance, cells = known(mine, theirs, playable & ~(mine | theirs), rules)
    trees.mine[g, node], trees.theirs[g, node] = mine, theirs
    trees.status[g, node], trees.distance[g, node] = status, distance
    trees.count[g, node], trees.total[g, node], trees.network[g, node] = 0, 0.0, 0.0
    for cell in range(trees.prior.shape[2]):
        trees.prior[g, node, cell] = 0.0 if cells & cell_bit(cell, rules.cols) else NO_EDGE
        trees.child[g, node, cell] = NONE
        trees.visits[g, node, cell] = 0
        trees.sums[g, node, cell] = 0.0
    return node


@kernel
def is_lost(trees, g, node, cell):
    """Returns whether playing `cell` is proven to lose."""
    child = trees.child[g, node, cell]
    return child != NONE and trees.status[g, child] == WON


@kernel
def worth(trees, g, node, cell, discount):
    """Returns the result of a visited cell for the player to move: exact where proven, else the mean."""
    child = trees.child[g, node, cell]
    status = trees.status[g, child]
    if status != OPEN:
        return -discount * exact_result(status, trees.distance[g, child], discount)
    return np.float64(trees.sums[g, node, cell]) / trees.visits[g, node, cell]


@kernel
def prove(trees, g, node):
    """Sets the status of a node from its children where that is possible; returns whether it is proven.

    Called when a child of an open node has been proven.
    """
    open_cell, drawn = False, False
    won_in, lost_in = 127, 0
    for cell in range(trees.prior.shape[2]):
        if trees.prior[g, node, cell] < 0.0:
            continue
        child = trees.child[g, node, cell]
        status = OPEN if child == NONE else trees.status[g, child]
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
