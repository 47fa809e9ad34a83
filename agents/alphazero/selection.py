"""Kernels that choose the cell a simulation tries: PUCT, and the rules of Gumbel AlphaZero.

Sources: PUCT as in AlphaZero (Silver et al. 2018); sequential halving, completed results, the improved policy
and the choice below the root as in Gumbel AlphaZero (Danihelka et al. 2022). Different from both: a cell
proven to lose is not tried, and a proven result stands in the place of a mean.
"""

from __future__ import annotations

import math

import numpy as np

from agents.alphazero.trees import NONE, is_lost, worth
from bttt.jit import kernel

LEAST_PRIOR = 1e-8
"""Gumbel AlphaZero's logits are the logarithms of priors; none is taken below this."""


@kernel
def puct_cell(trees, g, node, rules):
    """Returns the cell with the highest upper confidence bound of those not proven to lose."""
    cells = trees.prior.shape[2]
    count = np.float64(trees.count[g, node])
    tried = 0.0
    visited = 0
    for cell in range(cells):
        visits = trees.visits[g, node, cell]
        if visits > 0:
            visited += visits
            tried += trees.prior[g, node, cell]
    untried = trees.total[g, node] / count - rules.fpu_reduction * math.sqrt(tried)
    exploration = rules.c_puct * math.sqrt(np.float64(visited + 1))
    best, best_bound = NONE, -np.inf
    for cell in range(cells):
        prior = trees.prior[g, node, cell]
        if prior < 0.0:
            continue
        visits = trees.visits[g, node, cell]
        mean = untried
        if visits > 0:
            if is_lost(trees, g, node, cell):
                continue
            mean = worth(trees, g, node, cell, rules.discount)
        bound = mean + exploration * prior / (1 + visits)
        if bound > best_bound:
            best, best_bound = cell, bound
    return best


@kernel
def completed(trees, g, node, rules):
    """Returns Gumbel AlphaZero's terms of a node: the result of untried cells, the highest, the scale.

    An untried cell is worth a mean of what the network expects of the node and what the tried ones brought.
    """
    most, simulations = 0, 0
    weight, weighted, highest = 0.0, 0.0, -np.inf
    for cell in range(trees.prior.shape[2]):
        visits = trees.visits[g, node, cell]
        if visits > 0:
            simulations += visits
            most = max(most, visits)
            prior = max(trees.prior[g, node, cell], LEAST_PRIOR)
            result = worth(trees, g, node, cell, rules.discount)
            weight += prior
            weighted += prior * result
            highest = max(highest, result)
    mixed = np.float64(trees.network[g, node])
    if simulations > 0:
        mixed = (mixed + simulations * weighted / weight) / (1 + simulations)
    return mixed, max(mixed, highest), (rules.c_visit + most) * rules.c_scale


@kernel
def improved_policy(trees, g, node, rules, policy):
    """Fills `policy` `[A] float32`: softmax of log prior plus scaled completed result.

    Cells proven to lose get nothing, unless all are.
    """
    cells = trees.prior.shape[2]
    mixed, highest, scale = completed(trees, g, node, rules)
    all_lost = True
    for cell in range(cells):
        if trees.prior[g, node, cell] >= 0.0 and not is_lost(trees, g, node, cell):
            all_lost = False
    untried = math.exp(scale * (mixed - highest))
    total = 0.0
    for cell in range(cells):
        prior = trees.prior[g, node, cell]
        policy[cell] = 0.0
        if prior < 0.0 or (not all_lost and is_lost(trees, g, node, cell)):
            continue
        factor = untried
        if trees.visits[g, node, cell] > 0:
            factor = math.exp(scale * (worth(trees, g, node, cell, rules.discount) - highest))
        policy[cell] = max(prior, LEAST_PRIOR) * factor
        total += policy[cell]
    for cell in range(cells):
        policy[cell] /= total


@kernel
def gumbel_inner_cell(trees, g, node, rules, policy):
    """Returns the cell whose share of visits is furthest below the improved policy; `policy` is scratch."""
    improved_policy(trees, g, node, rules, policy)
    simulations = 0
    for cell in range(trees.prior.shape[2]):
        simulations += trees.visits[g, node, cell]
    best, best_lack = NONE, -np.inf
    for cell in range(trees.prior.shape[2]):
        if trees.prior[g, node, cell] < 0.0 or is_lost(trees, g, node, cell):
            continue
        lack = policy[cell] - trees.visits[g, node, cell] / (1.0 + simulations)
        if lack > best_lack:
            best, best_lack = cell, lack
    return best


@kernel
def gumbel_root_cell(trees, g, rules, scores, visits_wanted):
    """Returns the root's best cell of those visited `visits_wanted` times; of all where there is none.

    Args:
        trees: The trees.
        g: The game.
        rules: The rules.
        scores: `[A] float32`, Gumbel noise plus the logarithm of the prior.
        visits_wanted: Visits of the cells considered; NONE for the most visited, which is the final choice.
    """
    cells = trees.prior.shape[2]
    mixed, _, scale = completed(trees, g, 0, rules)
    if visits_wanted == NONE:
        for cell in range(cells):
            if not is_lost(trees, g, 0, cell):
                visits_wanted = max(visits_wanted, trees.visits[g, 0, cell])
    best, best_score, fits = NONE, -np.inf, False
    for cell in range(cells):
        if trees.prior[g, 0, cell] < 0.0 or is_lost(trees, g, 0, cell):
            continue
        visits = trees.visits[g, 0, cell]
        result = worth(trees, g, 0, cell, rules.discount) if visits > 0 else mixed
        score = scores[cell] + scale * result
        if (visits == visits_wanted, score) > (fits, best_score):
            best, best_score, fits = cell, score, visits == visits_wanted
    return best
