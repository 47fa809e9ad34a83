"""Kernels that choose the cell a simulation tries: PUCT, and the rules of Gumbel AlphaZero.

Sources: PUCT from AlphaZero (Silver et al. 2018); sequential halving, completed results, the improved policy
and the choice below the root from Gumbel AlphaZero (Danihelka et al. 2022). Deviations from both: cells
proven to lose are not tried, and a proven result replaces a mean.
"""

from __future__ import annotations

import math

import numpy as np

from agents.alphazero.search.trees import LEAST_PRIOR, NONE, is_lost, next_untried, worth
from bttt.kernels import lean_kernel


@lean_kernel
def puct_cell(trees, g, node, rules):
    """Returns the cell with the highest upper confidence bound among those not proven to lose.

    All untried cells have the same expected result, so only the one with the highest prior is considered.
    """
    order, priors, visits = trees.order[g, node], trees.prior[g, node], trees.visits[g, node]
    tried, visited = 0.0, 0
    for i in range(trees.tried[g, node]):
        visited += visits[order[i]]
        tried += priors[order[i]]
    exploration = rules.c_puct * math.sqrt(np.float64(visited + 1))
    best, best_bound = next_untried(trees, g, node), -np.inf
    if best != NONE:
        mean = trees.total[g, node] / np.float64(trees.results[g, node])
        best_bound = mean - rules.fpu_reduction * math.sqrt(tried) + exploration * priors[best]
    for i in range(trees.tried[g, node]):
        cell = order[i]
        if is_lost(trees, g, node, cell):
            continue
        bound = worth(trees, g, node, cell, rules.discount) + exploration * priors[cell] / (1 + visits[cell])
        if bound > best_bound or (bound == best_bound and cell < best):
            best, best_bound = cell, bound
    return best


@lean_kernel
def completed(trees, g, node, rules):
    """Returns Gumbel AlphaZero's terms of a node: the expected result of untried cells, and the scale.

    The expected result of untried cells mixes the network's value of the node with the results of tried
    cells.
    """
    most, simulations = 0, 0
    weight, weighted = 0.0, 0.0
    for i in range(trees.tried[g, node]):
        cell = trees.order[g, node, i]
        visits = trees.visits[g, node, cell]
        simulations += visits
        most = max(most, visits)
        prior = max(trees.prior[g, node, cell], LEAST_PRIOR)
        weight += prior
        weighted += prior * worth(trees, g, node, cell, rules.discount)
    mixed = np.float64(trees.network[g, node])
    if simulations > 0:
        mixed = (mixed + simulations * weighted / weight) / (1 + simulations)
    return mixed, (rules.c_visit + most) * rules.c_scale


@lean_kernel
def improved_policy(trees, g, node, rules, policy):
    """Fills `policy` `[A] float32` with the softmax of the log priors plus the scaled completed results.

    Cells proven to lose get 0; the node is open, so there are other cells.
    """
    cells = trees.prior.shape[2]
    mixed, scale = completed(trees, g, node, rules)
    highest = -np.inf
    for cell in range(cells):
        policy[cell] = -np.inf
        if trees.prior[g, node, cell] >= 0.0 and not is_lost(trees, g, node, cell):
            visited = trees.visits[g, node, cell] > 0
            policy[cell] = worth(trees, g, node, cell, rules.discount) if visited else mixed
            highest = max(highest, policy[cell])
    total = 0.0
    for cell in range(cells):
        if policy[cell] > -np.inf:
            prior = max(trees.prior[g, node, cell], LEAST_PRIOR)
            policy[cell] = prior * math.exp(scale * (policy[cell] - highest))
            total += policy[cell]
        else:
            policy[cell] = 0.0
    for cell in range(cells):
        policy[cell] /= total


@lean_kernel
def gumbel_inner_cell(trees, g, node, rules, weights):
    """Returns the cell whose fraction of visits is furthest below the improved policy.

    Of the untried cells, the one with the highest prior is furthest below, so only it is considered.

    Args:
        trees: The trees.
        g: The game.
        node: An open node that the network has evaluated.
        rules: The rules.
        weights: `[A] float64`, scratch.
    """
    order, tried = trees.order[g, node], trees.tried[g, node]
    untried = next_untried(trees, g, node)
    mixed, scale = completed(trees, g, node, rules)
    highest = -np.inf if untried == NONE else mixed
    for i in range(tried):
        if is_lost(trees, g, node, order[i]):
            weights[i] = -np.inf
        else:
            weights[i] = worth(trees, g, node, order[i], rules.discount)
            highest = max(highest, weights[i])
    factor = 0.0 if untried == NONE else math.exp(scale * (mixed - highest))
    total, simulations = factor * trees.rest[g, node], 0
    for i in range(tried):
        simulations += trees.visits[g, node, order[i]]
        if weights[i] > -np.inf:
            prior = max(trees.prior[g, node, order[i]], LEAST_PRIOR)
            weights[i] = prior * math.exp(scale * (weights[i] - highest))
            total += weights[i]
    best, most = NONE, -np.inf
    if untried != NONE:
        best, most = untried, max(trees.prior[g, node, untried], LEAST_PRIOR) * factor / total
    for i in range(tried):
        if weights[i] == -np.inf:
            continue
        lack = weights[i] / total - trees.visits[g, node, order[i]] / (1.0 + simulations)
        if lack > most or (lack == most and order[i] < best):
            best, most = order[i], lack
    return best


@lean_kernel
def gumbel_root_cell(trees, g, rules, scores, visits_wanted):
    """Returns the root's best cell among those with `visits_wanted` visits, or among all if there are none.

    Args:
        trees: The trees.
        g: The game.
        rules: The rules.
        scores: `[A] float32`, Gumbel noise plus the logarithm of the prior.
        visits_wanted: Visits of the cells considered. NONE means the most visited cells, for the final
            choice.
    """
    cells = trees.prior.shape[2]
    mixed, scale = completed(trees, g, 0, rules)
    if visits_wanted == NONE:
        for cell in range(cells):
            if not is_lost(trees, g, 0, cell):
                visits_wanted = max(visits_wanted, trees.visits[g, 0, cell])
    best, best_score, fits = NONE, -np.inf, False
    for cell in range(cells):
        if trees.prior[g, 0, cell] < 0.0 or is_lost(trees, g, 0, cell):
            continue
        visits = trees.visits[g, 0, cell]
        if fits and visits != visits_wanted:
            continue
        result = worth(trees, g, 0, cell, rules.discount) if visits > 0 else mixed
        score = scores[cell] + scale * result
        if (visits == visits_wanted, score) > (fits, best_score):
            best, best_score, fits = cell, score, visits == visits_wanted
    return best
