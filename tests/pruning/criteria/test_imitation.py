"""Local and global imitation: their discrepancies by hand, and what the paper claims of them, on digits."""

import copy
import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from greedy_networks import evidence_of, network_of, selectable, trained_on_digits
from shrinking import outputs

from pruning.channels.groups import find_groups
from pruning.criteria.discrepancy import (
    discrepancy_curves,
    line_search_weights,
    ranked_weights,
    uniform_step_weights,
)
from pruning.criteria.greedy import Layer, draw, endless, fold, scales
from pruning.criteria.imitation import (
    global_imitation,
    global_path,
    line_search,
    local_discrepancy,
    local_imitation,
    output_discrepancy,
)
from pruning.criteria.scores import l1

FIRST = "hidden.0"


@pytest.fixture(scope="module")
def digits():
    """A trained network, its layer of 80 units, training and test digits, and the layer's discrepancy."""
    network, train, test = trained_on_digits()
    found = evidence_of(network, train)
    layer = Layer(network, found.groups[0], found.alive[FIRST], 20)
    return network, layer, train, test, local_discrepancy(layer, train[0], found.generator)


def accuracy(network, layer, weights, test):
    pruned = copy.deepcopy(network)
    fold(pruned, [layer.group], {FIRST: weights * layer.group.size})
    return float((outputs(pruned, test[0])[0].argmax(1) == test[1]).double().mean())


# ---------------------------------------------------------------------------------- local


@pytest.mark.parametrize(
    ("name", "group", "consumer"),
    [("small-mlp", "hidden.0", "hidden.1"), ("resnet", "a1", "a2"), ("policy-value", "conv1", "conv2")],
)
def test_the_local_discrepancy_is_that_of_the_next_layers_outputs(name, group, consumer):
    network, inputs = network_of(name, 8)
    found = evidence_of(network, [inputs, inputs])
    (group,) = (each for each in found.groups if each.name == group)
    layer = Layer(network, group, found.alive[group.name], 2)
    problem = local_discrepancy(layer, inputs, found.generator, rows=10**6)
    weights = line_search_weights(problem, [2])[2]
    given = []
    pruned = copy.deepcopy(network)
    fold(pruned, [group], {group.name: weights * group.size})
    for each in (copy.deepcopy(network), pruned):
        each.get_submodule(consumer).register_forward_hook(lambda _, __, output: given.append(output.clone()))
        outputs(each, inputs)
    expected = (given[0] - given[1]).square().sum() / len(inputs)
    assert problem.of(weights) == pytest.approx(float(expected), rel=1e-9)


def test_log_discrepancy_against_units_is_nearly_a_straight_line(digits):
    *_, problem = digits
    supports = range(4, 61, 4)
    curve = discrepancy_curves(problem, supports)["line search"]
    points = torch.tensor([[count, math.log(value)] for count, value in curve.items()])
    assert torch.corrcoef(points.T)[0, 1] < -0.97
    assert curve[60] < 0.1 * curve[20]


def test_line_search_is_below_the_uniform_step_and_rankings_at_every_support(digits):
    network, _, train, _, problem = digits
    found = evidence_of(network, train)
    random = torch.rand(80, generator=torch.Generator().manual_seed(0))
    curves = discrepancy_curves(problem, range(1, 60, 3), {"l1": l1(found)[FIRST], "random": random})
    for count in range(4, 60, 3):
        for other in ("uniform step", "l1", "random"):
            assert curves["line search"][count] < curves[other][count]
    assert curves["line search"][1] <= min(curves["l1"][1], curves["random"][1])


def test_greedy_is_more_accurate_than_norms_and_chance_without_fine_tuning(digits):
    network, layer, train, test, problem = digits
    supports = (10, 15, 20, 30)
    ways = {
        "line": line_search_weights(problem, supports),
        "uniform": uniform_step_weights(problem, supports),
        "l1": ranked_weights(l1(evidence_of(network, train))[FIRST], layer.alive, supports),
    }
    for seed in range(3):
        random = torch.rand(80, generator=torch.Generator().manual_seed(seed))
        ways[f"random {seed}"] = ranked_weights(random, layer.alive, supports)
    found = {
        way: [accuracy(network, layer, weights[count], test) for count in supports]
        for way, weights in ways.items()
    }
    for way in set(ways) - {"line"}:
        assert sum(found["line"]) > sum(found[way])
    for index in range(len(supports)):
        chance = sum(found[f"random {seed}"][index] for seed in range(3)) / 3
        assert found["line"][index] > max(chance, found["l1"][index]) + 0.02


def test_without_the_rescale_most_of_it_is_lost(digits):
    _, _, _, _, problem = digits
    weights = line_search_weights(problem, [15])[15]
    plain = (weights > 0).double() / 80  # scaled by 1: a mask alone
    assert problem.of(weights) < 0.7 * problem.of(plain)


def test_equal_weights_of_few_large_units_overshoot(digits):
    """Why the path begins with a short unit, and searches steps: with a few it is better than with none."""
    network, layer, train, _, problem = digits
    supports = (1, 2, 5, 10)
    large = ranked_weights(l1(evidence_of(network, train))[FIRST], layer.alive, supports)
    found = line_search_weights(problem, supports)
    assert all(problem.of(weights) > problem.norm for weights in large.values())
    assert problem.of(found[1]) < 0.3 * problem.of(large[1])
    assert all(problem.of(found[count]) < problem.norm for count in supports[1:])


def test_few_samples_are_fitted_alone(digits):
    """With fewer samples than units the choice looks better than it is."""
    _, layer, train, test, _ = digits
    generator = torch.Generator().manual_seed(0)
    held_out = local_discrepancy(layer, test[0], generator)
    seen, unseen = {}, {}
    for samples in (5, 1400):
        problem = local_discrepancy(layer, train[0][:samples], generator)
        weights = line_search_weights(problem, [30])[30]
        seen[samples] = problem.of(weights) / problem.norm
        unseen[samples] = held_out.of(weights) / held_out.norm
    assert unseen[1400] < 0.7 * unseen[5]
    assert unseen[5] > 2 * seen[5]
    assert unseen[1400] < 1.2 * seen[1400]


def test_the_uniform_step_is_an_option():
    network, inputs = network_of("small-mlp")
    found = evidence_of(network, [inputs, inputs])
    weights = local_imitation(found, {FIRST: 4}, step="uniform")[FIRST]
    assert sorted(weights.tolist()) == [0] * 5 + [0.25] * 4


def test_the_target_is_what_the_layer_makes_of_the_pruned_network():
    """The second layer alone, on a network whose first layer is pruned already, is chosen just the same."""
    network, inputs = network_of("small-mlp", 100)
    both = local_imitation(evidence_of(network, [inputs, inputs]), {FIRST: 4, "hidden.1": 3})
    pruned = copy.deepcopy(network)
    found = evidence_of(pruned, [inputs, inputs])
    fold(pruned, found.groups, scales({FIRST: both[FIRST]}, found.alive))
    alone = local_imitation(found, {"hidden.1": 3})
    torch.testing.assert_close(alone["hidden.1"], both["hidden.1"], rtol=1e-9, atol=1e-12)


# --------------------------------------------------------------------------------- global


def test_the_output_discrepancy_is_the_divergence_and_squares():
    wanted = torch.tensor([[0.0, math.log(3)], [0.0, 0.0]]), torch.tensor([0.5, -1.0])
    given = torch.tensor([[1.0, 1.0], [0.0, math.log(3)]]), torch.tensor([0.0, 0.0])
    first = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)
    second = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    found = output_discrepancy(wanted, given)
    assert float(found) == pytest.approx((first + second) / 2 + (0.25 + 1) / 2)
    assert float(output_discrepancy(wanted, wanted)) == pytest.approx(0, abs=1e-12)
    assert float(output_discrepancy(wanted[:1], given[:1])) == pytest.approx((first + second) / 2)


@pytest.mark.parametrize("least", [-0.4, -0.01, 0.003, 0.2, 3.0])
def test_the_search_finds_the_step_of_a_parabola(least):
    far = 1.0 if least > 0 else -0.5

    def value(step):
        return 2.0 + (step - least) ** 2

    step, found = line_search(value, value(0), -2 * least, far, 0.1)
    best = max(min(least, 1.0), -0.5)
    assert step == pytest.approx(best)
    assert found == pytest.approx(value(best))


def steps_of(name, group, count, *, tried, samples=60, corrections=2, seed=0):
    network, inputs = network_of(name, samples)
    found = evidence_of(network, [inputs, inputs], seed=seed)
    (chosen,) = (each for each in found.groups if each.name == group)
    layer = Layer(copy.deepcopy(network), chosen, found.alive[group], count)
    batches = endless([inputs], samples, found.generator)  # all samples: D of all steps compare
    path = global_path(layer, network, batches, found.generator, tried=tried, corrections=corrections)
    return list(path), layer, inputs, outputs(network, inputs)


@pytest.mark.parametrize(("name", "group"), [("small-mlp", "hidden.0"), ("policy-value", "conv1")])
def test_a_global_step_is_the_best_of_a_search_by_brute_force(name, group):
    path, layer, inputs, wanted = steps_of(name, group, 3, tried=100)
    eye = torch.eye(layer.group.size, dtype=torch.double)

    def distance(weights):
        with torch.no_grad():
            given = layer.gated(weights)(inputs)
        return float(output_discrepancy(wanted, given if isinstance(given, tuple) else (given,)))

    for before, step in pairwise(path[:3]):
        assert step.before == pytest.approx(before.after)
        lowest = before.weights / (before.weights - 1)
        brute = min(
            distance((1 - size) * before.weights + size * eye[unit])
            for unit in range(layer.group.size)
            if before.weights[unit] < 1
            for size in torch.linspace(float(lowest[unit]), 1, 40).tolist()
        )
        assert step.before - step.after > 0.75 * (step.before - brute)
        assert distance(step.weights) == pytest.approx(step.after)


@pytest.mark.parametrize("tried", [1, 5])
def test_the_global_discrepancy_falls_while_batches_are_the_same(tried):
    path, *_ = steps_of("small-mlp", "hidden.0", 6, tried=tried, corrections=50)
    assert all(step.after <= step.before for step in path[1:])
    assert path[-1].after < 0.5 * path[0].after
    assert int((path[-1].weights > 0).sum()) == 6


@pytest.mark.parametrize("corrections", [0, 1])
def test_the_global_path_ends_where_nothing_helps(corrections):
    """Units that are never active bring nothing: they are chosen all the same to make up the number."""
    network, inputs = network_of("small-mlp", 30)
    with torch.no_grad():
        network.hidden[0].weight[3:] = 0
        network.hidden[0].bias[3:] = -1
    found = evidence_of(network, [inputs, inputs])
    weights = global_imitation(found, {FIRST: 7}, corrections=corrections, batch=30)[FIRST]
    assert int((weights > 0).sum()) == 7


def test_the_screen_holds_what_trying_all_would_choose(digits):
    network, layer, train, _, _ = digits
    found = evidence_of(network, train)
    layer = replace(layer, count=24)
    batches = endless(draw(found, 1400)[:1], 100, found.generator)
    path = global_path(layer, network, batches, found.generator, tried=80, corrections=1)
    steps = [(before, step) for before, step in pairwise(path) if step.unit >= 0]
    # with a few units every slope is steep, and the curvature decides
    later = [step for before, step in steps if int((before.weights > 0).sum()) >= 10]
    agreed = [step.unit in step.ranked[:5] for step in later]
    assert len(agreed) >= 14
    assert sum(agreed) > 0.5 * len(agreed)


def test_global_imitates_outputs_better_than_local(digits):
    network, layer, train, test, problem = digits
    wanted = outputs(network, test[0])
    local = line_search_weights(problem, [10])[10]
    whole = global_imitation(evidence_of(network, train), {FIRST: 10})[FIRST]
    apart = [output_discrepancy(wanted, (layer.gated(each)(test[0]),)).item() for each in (local, whole)]
    assert apart[1] < 0.9 * apart[0]
    assert accuracy(network, layer, whole, test) > accuracy(network, layer, local, test) + 0.02


def test_exhaustive_tries_all_units():
    network, inputs = network_of("small-mlp", 60)
    options = {"batch": 60, "corrections": 0}
    few, every = (
        global_imitation(evidence_of(network, [inputs, inputs]), {FIRST: 2}, **options, **how)[FIRST]
        for how in ({"tried": 1}, {"exhaustive": True})
    )
    layer = Layer(network, find_groups(network, inputs[:1])[0], torch.ones(9, dtype=torch.bool), 2)
    wanted = outputs(network, inputs)
    apart = [output_discrepancy(wanted, (layer.gated(each)(inputs),)).item() for each in (few, every)]
    assert apart[1] <= apart[0] + 1e-9


def test_a_network_that_has_diverged_is_refused():
    network, inputs = network_of("policy-value", 20)
    with torch.no_grad():
        network.value_out.bias.fill_(torch.nan)
    found = evidence_of(network, [inputs, inputs])
    keep = {group.name: 2 for group in selectable(found.groups)[:1]}
    with pytest.raises(ValueError, match="is not finite"):
        global_imitation(found, keep)
