"""Kernels of the heads' last layers, forward and back: the policy's logits and the value's pooled channels.

The boards of B positions lie as in `normalisation`; a cell has P channels of the policy, then V of the value.
"""

from __future__ import annotations

import numpy as np

from agents.alphazero.learning.normalisation import cell_start, number, stored_as
from bttt.kernels import entry_point, kernel

_ZERO = np.float32(0)
_ONE = np.float32(1)


@kernel
def _sum(numbers):
    """Returns the sum of `numbers` `[P] float32`, of four sums that do not wait for each other."""
    first, second, third, fourth = _ZERO, _ZERO, _ZERO, _ZERO
    whole = len(numbers) - len(numbers) % 4
    for p in range(0, whole, 4):
        first += numbers[p]
        second += numbers[p + 1]
        third += numbers[p + 2]
        fourth += numbers[p + 3]
    for p in range(whole, len(numbers)):
        first += numbers[p]
    return (first + second) + (third + fourth)


@kernel
def _spread_weights(weights, sides, channels, width):
    """Returns the policy's weights `[P]` at each cell and 0 elsewhere, `[L] float32`."""
    factors = np.zeros(width, np.float32)
    for cell in range(sides.boards * sides.cols):
        start = cell_start(sides, cell // sides.cols, cell % sides.cols, channels)
        factors[start : start + len(weights)] = weights
    return factors


@kernel
def _pool(y, share, lanes):
    """Fills mean, maximum and the number of its ties, `lanes` `[3, L]`, over the rows `y` `[rows, L]`."""
    mean, most, ties = lanes[0], lanes[1], lanes[2]
    lanes[:] = _ZERO
    most[:] = np.float32(-np.inf)
    for row in range(len(y)):
        for k in range(len(mean)):
            mean[k] += number(y[row, k]) * share
        for k in range(len(mean)):
            found = number(y[row, k])
            ties[k] = _ONE if found > most[k] else ties[k] + (_ONE if found == most[k] else _ZERO)
        for k in range(len(mean)):
            most[k] = max(most[k], number(y[row, k]))


@kernel
def _pool_columns(lanes, sides, side, policy, pooled, ties):
    """Fills `pooled` `[2 * V]` and `ties` `[V]` of a board from those of its columns."""
    value = len(ties)
    for v in range(value):
        pooled[v], pooled[value + v], ties[v] = _ZERO, np.float32(-np.inf), _ZERO
        for col in range(sides.cols):
            k = cell_start(sides, side, col, policy + value) + policy + v
            pooled[v] += lanes[0, k]
            if lanes[1, k] > pooled[value + v]:
                pooled[value + v], ties[v] = lanes[1, k], _ZERO
            if lanes[1, k] == pooled[value + v]:
                ties[v] += lanes[2, k]


@entry_point
def read_heads(y, sides, weights, logits, pooled, ties):
    """Fills logits, means and maxima.

    Args:
        y: `[R, L]`, the outputs of the heads' convolutions.
        sides: Where the boards lie.
        weights: `[P] float32`, of the policy's channels.
        logits: `[B, A] float32`, filled.
        pooled: `[B, 2 * V] float32`, filled with the mean over the cells, then the maximum, of each channel.
        ties: `[B, V] float32`, filled with the number of cells that have the maximum.
    """
    policy, channels = len(weights), len(weights) + ties.shape[1]
    factors = _spread_weights(weights, sides, channels, y.shape[1])
    lanes, products = np.empty((3, y.shape[1]), np.float32), np.empty(y.shape[1], np.float32)
    share = _ONE / np.float32(sides.rows * sides.cols)
    for image in range(len(y) // sides.rows):
        rows = y[image * sides.rows : (image + 1) * sides.rows]
        _pool(rows, share, lanes)
        for side in range(sides.boards):
            b = image * sides.boards + side
            _pool_columns(lanes, sides, side, policy, pooled[b], ties[b])
        for row in range(sides.rows):
            for k in range(len(products)):
                products[k] = number(rows[row, k]) * factors[k]
            for cell in range(sides.boards * sides.cols):
                side, col = cell // sides.cols, cell % sides.cols
                start = cell_start(sides, side, col, channels)
                logit = _sum(products[start : start + policy])
                logits[image * sides.boards + side, row * sides.cols + col] = logit


@kernel
def _spread_board(sides, side, pooled, ties, at_pooled, policy, lanes):
    """Fills mean's gradient, maximum and its gradient for each tie, `lanes` `[3, L]`, at a board's cells."""
    value = len(ties)
    share = _ONE / np.float32(sides.rows * sides.cols)
    for col in range(sides.cols):
        start = cell_start(sides, side, col, policy + value) + policy
        for v in range(value):
            lanes[0, start + v] = at_pooled[v] * share
            lanes[1, start + v] = pooled[value + v]
            lanes[2, start + v] = at_pooled[value + v] / ties[v]


@kernel
def _add_row(y, lanes, logit, factors, of_weights, total, gradient):
    """Fills a row's gradient `[L]` and adds to `of_weights` `[L]`; `logit` has the logits' gradients."""
    width = len(y)
    mean, most, extra = lanes[0], lanes[1], lanes[2]
    for k in range(width):
        of_weights[k] += logit[k] * number(y[k])
    for k in range(width):
        total[k] = mean[k] + (extra[k] if number(y[k]) == most[k] else _ZERO)
    for k in range(width):
        total[k] += logit[k] * factors[k]
    for k in range(width):
        gradient[k] = stored_as(total[k], gradient[k])


@entry_point
def read_heads_back(y, sides, weights, pooled, ties, at_logits, at_pooled, gradient, of_weights):
    """Passes gradients back to the outputs of the heads' convolutions; maxima divide theirs among the ties.

    Args:
        y: As in `read_heads`, like the next four.
        sides: Where the boards lie.
        weights: `[P] float32`.
        pooled: `[B, 2 * V] float32`.
        ties: `[B, V] float32`.
        at_logits: `[B, A] float32`, the loss's gradient at the logits.
        at_pooled: `[B, 2 * V] float32`, the loss's gradient at the pooled channels.
        gradient: `[R, L]`, filled with the gradient at `y`.
        of_weights: `[L] float32`; the gradients of the policy's weights are added, those of each cell.
    """
    policy, channels = len(weights), len(weights) + ties.shape[1]
    lanes = np.zeros((3, y.shape[1]), np.float32)  # 0 between the boards, like the next
    logit, total = np.zeros(y.shape[1], np.float32), np.zeros(y.shape[1], np.float32)
    factors = _spread_weights(weights, sides, channels, y.shape[1])
    for image in range(len(y) // sides.rows):
        for side in range(sides.boards):
            b = image * sides.boards + side
            _spread_board(sides, side, pooled[b], ties[b], at_pooled[b], policy, lanes)
        for row in range(sides.rows):
            for cell in range(sides.boards * sides.cols):
                side, col = cell // sides.cols, cell % sides.cols
                start = cell_start(sides, side, col, channels)
                at = at_logits[image * sides.boards + side, row * sides.cols + col]
                logit[start : start + policy] = at
            r = image * sides.rows + row
            _add_row(y[r], lanes, logit, factors, of_weights, total, gradient[r])
