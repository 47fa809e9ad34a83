"""Weights of candidates: the gradient, the corners, and cases whose answer is known."""

import numpy as np
import pytest
import torch

from pruning.bilevel.problem import Counter, hypergradient
from pruning.bilevel.solvers import ConjugateGradients
from pruning.studies.bricks.heads import Features, fit, fitting_losses, joined, no_heads
from pruning.studies.bricks.weights import Lower, base_alone, bilevel_problem, corners, learn, search, uniform

EACH, CELLS = 80, 9


def positions(seed, heads, dtype=torch.float32, number=EACH):
    """Positions whose targets are the outputs of given heads."""
    draw = torch.Generator().manual_seed(seed)
    cells = torch.randn(number, CELLS, 3, generator=draw, dtype=torch.float64)
    whole = torch.randn(number, 2, generator=draw, dtype=torch.float64)
    free = torch.rand(number, CELLS, generator=draw) < 0.7
    free[:, 0] = True
    policy, value = (torch.tensor(each, dtype=torch.float64) for each in heads)
    policies = (cells @ policy).masked_fill(~free, -torch.inf).softmax(1)
    values = torch.tanh(whole @ value)
    return Features(cells.to(dtype), whole.to(dtype), free, policies.to(dtype), values.to(dtype))


TRUE = (2.0, -1.0, 0.5), (0.7, -0.4)
OTHER = (-1.0, 1.5, 0.0), (-0.3, 0.8)
BASE = (0.0, 0.0, 1.0), (0.0, 0.2)


def problem(heads=(OTHER, TRUE, OTHER), dtype=torch.float32, l2=1e-3):
    parts = [positions(number, own, dtype) for number, own in enumerate((BASE, *heads))]
    return Lower(joined(parts), len(parts), l2), positions(99, TRUE, dtype, number=200)


def test_the_hypergradient_is_that_of_the_heads_fitted_anew():
    lower, held = problem(dtype=torch.float64)
    x = torch.tensor([0.3, -0.2, 0.1], dtype=torch.float64)

    def fitted(x):
        heads = lower.fitted(lower.shared(x), no_heads(lower.features), Counter())
        for _ in range(2):  # L-BFGS ends early for this comparison; Newton's steps are exact
            heads = newton(lower, lower.shared(x), heads)
        return heads

    task, heads = bilevel_problem(lower, held), fitted(x)
    found = hypergradient(
        task,
        {"cells": x},
        heads,
        upper_batch=None,
        lower_batches=[None],
        solver=ConjugateGradients(50, 1e-12),
    ).gradient["cells"]
    step = 1e-4
    for place in range(3):
        ends = [x + sign * step * torch.eye(3, dtype=torch.float64)[place] for sign in (1, -1)]
        up, down = (task.upper({"cells": end}, fitted(end), None).item() for end in ends)
        assert found[place].item() == pytest.approx((up - down) / (2 * step), rel=1e-4)


def newton(lower, weights, heads):
    size = len(heads["policy"])
    y = torch.cat([heads["policy"], heads["value"]])

    def loss(y):
        return lower.loss(weights, {"policy": y[:size], "value": y[size:]})

    y = y - torch.linalg.solve(torch.func.jacrev(torch.func.grad(loss))(y), torch.func.grad(loss)(y))
    return {"policy": y[:size], "value": y[size:]}


def test_the_candidate_that_is_like_the_held_out_cells_gets_the_weight():
    lower, held = problem()
    found = learn(lower, held, steps=25, lr=0.3)
    assert found.weights.argmax() == 1 and found.weights[1] > 0.9
    assert found.weights.sum() == pytest.approx(1)
    assert found.influence.argmax() == 1 and found.influence.sum() == pytest.approx(0, abs=1e-4)
    even = uniform(lower, held)
    assert found.path[0] == pytest.approx(even.upper, abs=1e-5)
    assert found.upper == min(found.path) < even.upper - 0.05
    assert found.counter.hvps > 0 and found.counter.crosses == 25 == len(found.path)


def test_learned_weights_are_as_good_as_the_best_of_a_grid():
    lower, held = problem(heads=((TRUE[0], (0.0, 0.0)), ((0.0, 0.0, 0.0), TRUE[1])), l2=0.01)
    heads, grid = no_heads(lower.features), []
    for share in np.linspace(0.02, 0.98, 25):
        x = torch.tensor([share, 1 - share]).log().float()
        heads = lower.fitted(lower.shared(x), heads, Counter())
        grid.append(bilevel_problem(lower, held).upper({"cells": x}, heads, None).item())
    found = learn(lower, held, steps=25, lr=0.3)
    assert 0 < int(np.argmin(grid)) < 24
    assert min(grid) - 1e-3 < found.upper < min(grid) + 1e-3 < found.path[0]


def test_a_corner_is_the_fit_to_the_training_cells_and_one_candidate():
    lower, held = problem()
    even = uniform(lower, held)
    found = corners(lower, held, even.heads)
    uppers = [each.upper for each in found]
    assert int(np.argmin(uppers)) == 1
    parts = Features(*(torch.cat([each[:EACH], each[2 * EACH : 3 * EACH]]) for each in lower.features))

    def loss(heads):
        norm = sum(each.square().sum() for each in heads.values())
        return fitting_losses(heads, parts).mean() + lower.l2 / 2 * norm

    heads = fit(loss, no_heads(parts), Counter())
    for name, weights in heads.items():
        np.testing.assert_allclose(found[1].heads[name].numpy(), weights.numpy(), atol=0.01)
    assert base_alone(lower, held, even.heads).upper > uppers[1]


def test_a_random_search_tries_corners_first_and_ends_with_its_budget():
    lower, held = problem()
    start = no_heads(lower.features)
    one, tried = search(lower, held, start, calls=1, rng=np.random.default_rng(0))
    assert tried == 1 and one.weights.tolist() == [1, 0, 0]
    many, tried = search(lower, held, start, calls=300, rng=np.random.default_rng(0))
    each = many.counter.gradients / tried
    assert tried > 3 and 300 <= many.counter.calls < 300 + 3 * each
    assert many.upper <= min(corner.upper for corner in corners(lower, held, start)) + 1e-6
