"""Tree reuse: the subtree below the move played becomes the tree of the next search.

Numpy is fast enough: a subtree is extracted once per ply, but searched by many simulations.

Shapes: N nodes kept, A cells of the board.
"""

from __future__ import annotations

import numpy as np

from agents.alphazero.search.trees import NONE, ROOT, UNKNOWN, Trees

Subtree = dict[str, np.ndarray]
"""The arrays of `Trees` for one game, with only the nodes kept: `[N]` or `[N, A]`."""


def cut(trees: Trees, game: int, cell: int) -> Subtree | None:
    """Returns a copy of the subtree below a cell of a game's root, or None if the cell was never tried."""
    start = int(trees.child[game, ROOT, cell])
    if start == NONE:
        return None
    child = trees.child[game]
    nodes = level = np.array([start])
    while len(level):  # parents come before their children, as in every tree
        level = child[level]
        level = level[level != NONE]
        nodes = np.concatenate([nodes, level])
    subtree = {name: getattr(trees, name)[game, nodes] for name in trees._fields if name != "used"}
    numbers = np.full(trees.used[game] + 1, NONE, np.int32)  # index NONE, the last entry, maps to NONE
    numbers[nodes] = np.arange(len(nodes))
    subtree["child"] = numbers[subtree["child"]]
    return subtree


def paste(trees: Trees, game: int, subtree: Subtree) -> int:
    """Makes a subtree the tree of a game; returns the number of simulations through its root."""
    number = len(subtree["mine"])
    for name, array in subtree.items():
        getattr(trees, name)[game, :number] = array
    trees.used[game] = number
    # The root's priors are mixed with noise later; another untried cell may then come next.
    trees.order[game, ROOT, trees.tried[game, ROOT]] = UNKNOWN
    return int(subtree["visits"][ROOT].sum())
