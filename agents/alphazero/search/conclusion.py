"""Kernels that read a searched tree: the policy, the cell to play and the expected result at the root."""

from __future__ import annotations

import numpy as np

from agents.alphazero.search.selection import completed, gumbel_root_cell, improved_policy
from agents.alphazero.search.trees import (
    DRAWN,
    LEAST_PRIOR,
    LOST,
    NONE,
    OPEN,
    ROOT,
    WON,
    exact_result,
    is_lost,
    worth,
)
from bttt.kernels import lean_entry_point, lean_kernel


@lean_kernel
def _best_by_proof(trees, g, cell):
    """Returns whether a cell of a proven root keeps the root's result and wins fastest or loses slowest."""
    if trees.prior[g, ROOT, cell] < 0.0:
        return False
    status, distance = trees.status[g, ROOT], trees.distance[g, ROOT]
    if trees.used[g] == 1:  # proven without a search: then only the best cells have a prior
        return True
    child = trees.child[g, ROOT, cell]
    if child == NONE:
        return False
    answer = trees.status[g, child]
    if status == DRAWN:
        return answer == DRAWN
    wanted = LOST if status == WON else WON
    return answer == wanted and trees.distance[g, child] + 1 == distance


@lean_kernel
def _proven_policy(trees, g, policy):
    cells = trees.prior.shape[2]
    number = 0
    for cell in range(cells):
        policy[cell] = 1.0 if _best_by_proof(trees, g, cell) else 0.0
        number += policy[cell] > 0.0
    best = NONE
    for cell in range(cells):
        policy[cell] /= number
        if best == NONE and policy[cell] > 0.0:
            best = cell
    return best


@lean_kernel
def _visit_policy(trees, g, policy):
    """Fills in the fractions of visits of the cells not proven to lose; without visits, their priors."""
    cells = trees.prior.shape[2]
    total = 0.0
    for cell in range(cells):
        policy[cell] = 0.0
        if not is_lost(trees, g, ROOT, cell):
            policy[cell] = trees.visits[g, ROOT, cell]
            total += policy[cell]
    if total == 0.0:
        for cell in range(cells):
            if trees.prior[g, ROOT, cell] >= 0.0 and not is_lost(trees, g, ROOT, cell):
                policy[cell] = max(trees.prior[g, ROOT, cell], LEAST_PRIOR)
                total += policy[cell]
    best = 0
    for cell in range(cells):
        policy[cell] /= total
        if policy[cell] > policy[best]:
            best = cell
    return best


@lean_kernel
def _improved_value(trees, g, rules, policy):
    mixed, _ = completed(trees, g, ROOT, rules)
    value = 0.0
    for cell in range(trees.prior.shape[2]):
        if policy[cell] > 0.0:
            visited = trees.visits[g, ROOT, cell] > 0
            value += policy[cell] * (worth(trees, g, ROOT, cell, rules.discount) if visited else mixed)
    return value


@lean_entry_point
def conclude(trees, games, rules, policy, cells, values, statuses):
    """Reads the results from all trees.

    Args:
        trees: The trees after their simulations.
        games: The trees' games.
        rules: The rules.
        policy: `[G, A] float32`, filled. For a proven root it is uniform over the cells that keep the result
            and win fastest or lose slowest. Otherwise it has the fractions of visits, or with gumbel the
            improved policy.
        cells: `[G] int64`, filled with the cell to play.
        values: `[G] float32`, filled with the expected result for the player to move.
        statuses: `[G] int8`, filled with the proven result.
    """
    for g in range(len(cells)):
        statuses[g] = trees.status[g, ROOT]
        if statuses[g] != OPEN:
            cells[g] = _proven_policy(trees, g, policy[g])
            values[g] = exact_result(statuses[g], trees.distance[g, ROOT], rules.discount)
        elif rules.gumbel:
            improved_policy(trees, g, ROOT, rules, policy[g])
            cells[g] = gumbel_root_cell(trees, g, rules, games.scores[g], np.int32(NONE))
            values[g] = _improved_value(trees, g, rules, policy[g])
        else:
            cells[g] = _visit_policy(trees, g, policy[g])
            values[g] = trees.total[g, ROOT] / trees.results[g, ROOT]
