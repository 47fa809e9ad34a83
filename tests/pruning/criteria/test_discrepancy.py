"""The local discrepancy and its greedy paths, against brute force on random layers."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from pruning.criteria.discrepancy import (
    LEAST,
    Discrepancy,
    discrepancy_curves,
    greedy_path,
    line_search_weights,
    moved,
    ranked_weights,
    uniform_step_weights,
)


def layer(units=12, numbers=40, seed=0, dead=(), mean=0.3):
    """Contributions `[C, numbers]` of units that are not independent, and their discrepancy."""
    generator = torch.Generator().manual_seed(seed)
    made = torch.randn(units, numbers, dtype=torch.double, generator=generator) + mean
    made *= torch.rand(units, 1, dtype=torch.double, generator=generator) + 0.2
    alive = torch.ones(units, dtype=torch.bool)
    alive[list(dead)] = False
    made[list(dead)] = 0
    return made, Discrepancy.from_gram(made @ made.T, alive)


def some_weights(problem, kept, seed=0):
    generator = torch.Generator().manual_seed(seed)
    units = problem.alive.nonzero().flatten()
    units = units[torch.randperm(len(units), generator=generator)[:kept]]
    weights = torch.zeros_like(problem.cross)
    weights[units] = torch.rand(kept, dtype=torch.double, generator=generator) + 0.05
    return weights / weights.sum()


@pytest.mark.parametrize("dead", [(), (2, 5)])
def test_it_is_the_squared_distance_of_the_weighted_sum_from_the_whole(dead):
    made, problem = layer(dead=dead)
    for seed in range(5):
        weights = some_weights(problem, 4, seed)
        alive = len(made) - len(dead)
        apart = (alive * weights) @ made - made.sum(0)
        assert problem.of(weights) == pytest.approx(float(apart @ apart), rel=1e-10)
    whole = problem.alive.double() / problem.alive.sum()
    assert problem.of(whole) == pytest.approx(0, abs=1e-10 * problem.norm)


@pytest.mark.parametrize("floor", [0.0, 0.01])
@pytest.mark.parametrize("seed", range(6))
def test_the_step_in_closed_form_is_the_one_of_a_search(seed, floor):
    _, problem = layer(seed=seed, dead=(3,))
    weights = some_weights(problem, 1 + seed, seed)
    steps, gains = problem.steps(weights, floor)
    now = problem.of(weights)
    for unit in range(len(weights)):
        own = float(weights[unit])
        if own == 1 or not problem.alive[unit]:
            assert gains[unit] == 0
            continue
        lowest = (floor - own) / (1 - own) if own > floor else 0.0
        tried = torch.linspace(lowest, 1 - floor, 4001, dtype=torch.double)[:, None]
        towards = torch.eye(len(weights), dtype=torch.double)[unit]
        moves = (1 - tried) * weights + tried * towards
        found = ((moves @ problem.gram) * moves).sum(1) - 2 * moves @ problem.cross + problem.norm
        best = int(found.argmin())
        assert float(steps[unit]) == pytest.approx(float(tried[best]), abs=1.01 * (1 - floor - lowest) / 4000)
        assert now - float(gains[unit]) <= float(found[best]) + 1e-9 * problem.norm
        after = problem.of((1 - steps[unit]) * weights + steps[unit] * towards)
        assert float(gains[unit]) == pytest.approx(now - after, abs=1e-9 * problem.norm)


@pytest.mark.parametrize("corrections", [0, 3, 100])
@pytest.mark.parametrize("seed", range(4))
def test_the_discrepancy_falls_along_the_path(seed, corrections):
    _, problem = layer(units=30, numbers=25, seed=seed, dead=(0,))
    path = list(greedy_path(problem, corrections))
    values = [problem.of(weights) for weights in path]
    assert all(after < before for before, after in pairwise(values))
    assert values[-1] < 0.2 * values[0]
    for weights in path:
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1, abs=1e-12)
        assert weights[0] == 0


def test_a_step_away_drops_a_unit_that_does_harm():
    made, problem = layer(units=4, numbers=3)
    harmful = torch.tensor([1.0, 0.0, 0.0]).double()
    made[0], made[1:] = -9 * harmful, torch.eye(3, dtype=torch.double)
    problem = Discrepancy.from_gram(made @ made.T, problem.alive)
    target = torch.full((3,), 4 / 3, dtype=torch.double)  # that of the other three
    problem = replace(problem, cross=4 * made @ target, norm=float(target @ target))
    weights = torch.tensor([0.04, 0.32, 0.32, 0.32], dtype=torch.double)
    steps, gains = problem.steps(weights)
    assert int(gains.argmax()) == 0
    assert float(steps[0]) == pytest.approx(-0.04 / 0.96)
    after = moved(weights, 0, float(steps[0]))
    assert (after > 0).tolist() == [False, True, True, True]
    assert problem.of(after) == pytest.approx(problem.of(weights) - float(gains[0]))


def test_paths_go_away_from_units_too():
    shrunk = 0
    for seed in range(5):
        path = list(greedy_path(layer(units=30, numbers=10, seed=seed)[1]))
        for before, after in pairwise(path):
            kept = before > 0
            ratio = (after / before)[kept]
            shrunk += int((ratio > 1).sum() > 1)  # all the others grow where one is shrunk
    assert shrunk > 20


@pytest.mark.parametrize("corrections", [0, 1, 50])
@pytest.mark.parametrize(("numbers", "dead"), [(40, ()), (3, (1, 4)), (1, ()), (0, ())])
def test_each_number_of_units_is_kept_exactly(numbers, dead, corrections):
    """With few numbers the units are dependent, and the path ends long before it has them all."""
    _, problem = layer(units=14, numbers=numbers, dead=dead)
    alive = 14 - len(dead)
    found = line_search_weights(problem, range(1, alive), corrections=corrections)
    for count, weights in found.items():
        assert int((weights > 0).sum()) == count
        assert weights.sum() == pytest.approx(1, abs=1e-12)
        assert not weights[list(dead)].any()
        assert weights[weights > 0].min() >= LEAST / 2
    assert line_search_weights(problem, [5], corrections=corrections)[5].equal(found[5])


def test_more_units_never_imitate_worse():
    for seed in range(3):
        _, problem = layer(units=20, numbers=40, seed=seed)
        curve = discrepancy_curves(problem, range(1, 20))["line search"]
        assert all(curve[count + 1] <= curve[count] + 1e-4 for count in range(1, 19))


def test_corrections_bring_the_best_weights_of_the_units():
    _, problem = layer(units=20, numbers=50)
    weights = line_search_weights(problem, [6], corrections=5000)[6]
    kept = weights > 0
    slopes = (problem.gram @ weights - problem.cross)[kept]
    assert (slopes - slopes.mean()).abs().max() < 1e-4 * problem.norm  # no move within the simplex helps
    few = line_search_weights(problem, [6], corrections=0)[6]
    assert problem.of(weights) < problem.of(few)


def test_it_starts_from_the_short_unit_that_points_along_the_target():
    """Alone a unit is scaled by the number of units: a large one overshoots, however well it points."""
    made = torch.zeros(6, 8, dtype=torch.double)
    made[0] = 5.0  # along the target, and far too long
    made[1, 0] = -0.1  # short, but against it
    made[2, :4] = 0.4  # short and along
    made[4:] = torch.randn(2, 8, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    problem = Discrepancy.from_gram(made @ made.T, torch.ones(6, dtype=torch.bool))
    alone = torch.eye(6, dtype=torch.double)
    assert problem.first() == 2  # and not 3, which is always 0
    assert problem.of(alone[2]) <= problem.norm
    assert problem.of(alone[0]) > 10 * problem.norm


def test_the_uniform_step_is_the_greedy_choice_of_equal_weights():
    _, problem = layer(units=10, numbers=15, seed=3, dead=(7,))
    chosen = []
    found = uniform_step_weights(problem, range(1, 10))
    for count in range(1, 10):
        tried = {}
        for unit in set(problem.alive.nonzero().flatten().tolist()) - set(chosen):
            weights = torch.zeros(10, dtype=torch.double)
            weights[[*chosen, unit]] = 1 / count
            tried[unit] = problem.of(weights)
        chosen.append(min(tried, key=tried.get))
        assert found[count].nonzero().flatten().tolist() == sorted(chosen)
        assert found[count][found[count] > 0].tolist() == pytest.approx([1 / count] * count)


def test_a_ranking_keeps_the_highest_alive_units_with_equal_weights():
    alive = torch.tensor([True, True, False, True])
    found = ranked_weights(torch.tensor([1.0, 3.0, 9.0, 2.0]), alive, [1, 2])
    assert found[1].tolist() == [0, 1, 0, 0]
    assert found[2].tolist() == [0, 0.5, 0, 0.5]


def test_the_curves_are_shares_of_the_target():
    made, problem = layer(units=8)
    curves = discrepancy_curves(problem, [3, 8], {"first": -torch.arange(8.0)})
    assert set(curves) == {"line search", "uniform step", "first"}
    weights = torch.zeros(8, dtype=torch.double)
    weights[:3] = 1 / 3
    apart = 8 * weights @ made - made.sum(0)
    assert curves["first"][3] == pytest.approx(float(apart @ apart / made.sum(0).square().sum()))
    assert curves["line search"][3] < curves["uniform step"][3]
    assert curves["uniform step"][8] == pytest.approx(0, abs=1e-10)


def test_a_move_keeps_or_drops_to_the_last_bit():
    weights = torch.tensor([0.3, 0.7, 0.0], dtype=torch.double)
    assert moved(weights, 0, -0.3 / 0.7).tolist() == [0, 1, 0]
    assert moved(weights, 2, 0.5).tolist() == pytest.approx([0.15, 0.35, 0.5])
    held = moved(weights, 0, -0.3 / 0.7, LEAST)
    assert (held > 0).tolist() == [True, True, False]
