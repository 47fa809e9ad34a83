"""Tree reuse: the subtree under the cell played becomes the next search's tree.

Numpy is fast enough for it: trees are cut once a ply, and searched in many simulations.

Shapes: N nodes kept, A cells of the board.
"""

from __future__ import annotations

import numpy as np

from agents.alphazero.search.trees import NONE, ROOT, UNKNOWN, Trees

Subtree = dict[str, np.ndarray]
"""The arrays of `Trees`, of one game and the nodes kept only: `[N]` or `[N, A]`."""


def cut(trees: Trees, game: int, cell: int) -> Subtree | None:
    """Returns a copy of the subtree under a cell of a game's root; None where the cell was never tried."""
    start = int(trees.child[game, ROOT, cell])
    if start == NONE:
        return None
    child = trees.child[game]
    nodes = level = np.array([start])
    while len(level):  # a parent goes before its children, as in every tree
        level = child[level]
        level = level[level != NONE]
        nodes = np.concatenate([nodes, level])
    subtree = {name: getattr(trees, name)[game, nodes] for name in trees._fields if name != "used"}
    numbers = np.full(trees.used[game] + 1, NONE, np.int32)  # the last one is what NONE is turned into
    numbers[nodes] = np.arange(len(nodes))
    subtree["child"] = numbers[subtree["child"]]
    return subtree


def paste(trees: Trees, game: int, subtree: Subtree) -> int:
    """Makes a subtree a game's tree; returns the simulations that its root has seen."""
    number = len(subtree["mine"])
    for name, array in subtree.items():
        getattr(trees, name)[game, :number] = array
    trees.used[game] = number
    # the root's priors are still to be mixed with noise, and another untried cell may then come next
    trees.order[game, ROOT, trees.tried[game, ROOT]] = UNKNOWN
    return int(subtree["visits"][ROOT].sum())
