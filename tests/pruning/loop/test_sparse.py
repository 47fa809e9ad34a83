"""The loop with networks that are pruned before they are trained, or whose masks change in training."""

import copy

import pytest
import torch
from toy_task import STEPS, ToyTask

from pruning.channels.removal import shrink
from pruning.criteria.scores import CRITERIA, Criterion
from pruning.loop.cycles import run
from pruning.loop.plan import Plan
from pruning.loop.stored import cycle_file, stored_masks, stored_results
from pruning.loop.training import CycleTraining
from pruning.masks.allocation import layer_counts
from pruning.masks.held import Masks
from pruning.measures.costs import macs
from pruning.sparse.cost import weight_macs

BEFORE = {"untrained": True, "cycles": 1, "fraction": 0.8}
SPARSE = {**BEFORE, "criterion": "random-weights", "allocation": "erk"}
RIGL = {"topology": "rigl", "topology_options": {"every": 2, "end": 1.0, "alpha": 0.5}}


def levels_of(task, plan, folder, **more):
    found = []
    run(task, plan, folder, publish=lambda level: found.append(copy.deepcopy(level)), **more)
    return found


def zeros_outside(network, masks):
    weights = dict(network.named_parameters())
    return all(not weights[name][~mask].any() for name, mask in masks.items())


@pytest.mark.parametrize("criterion", ["snip", "grasp", "synflow", "magnitude", "random-weights"])
def test_initial_weights_are_pruned_and_then_trained(criterion, tmp_path):
    task = ToyTask(trained=True)  # a trained network is there, and is not looked at
    first, second = levels_of(task, Plan.from_settings(criterion=criterion, **BEFORE), tmp_path)
    initial = task.build(None).state_dict()
    assert all(torch.equal(value, initial[name]) for name, value in first.network.state_dict().items())
    assert first.masks.density() == 1
    assert len(task.starts) == 1
    assert second.masks.kept == first.masks.size - int(0.8 * first.masks.size)
    for name, mask in second.masks.items():
        assert torch.equal(task.starts[0][name], initial[name] * mask)
    assert zeros_outside(second.network, second.masks)
    assert not all(torch.equal(value, initial[name]) for name, value in second.network.state_dict().items())


def test_magnitude_of_initial_weights_by_hand(tmp_path):
    task = ToyTask()
    level = levels_of(task, Plan.from_settings(criterion="magnitude", **BEFORE), tmp_path)[1]
    initial = dict(task.build(None).named_parameters())
    values = torch.cat([initial[name].abs().flatten() for name in level.masks])
    least = values.sort(descending=True).values[level.masks.kept - 1]
    assert all(torch.equal(mask, initial[name].abs() >= least) for name, mask in level.masks.items())


@pytest.mark.parametrize("rounds", [1, 2, 7])
@pytest.mark.parametrize("scope", [{}, {"scope": "layer"}, {"allocation": "erk"}])
def test_any_number_of_rounds_keeps_as_many(rounds, scope, tmp_path):
    plan = Plan.from_settings(criterion="snip", **BEFORE, **scope)
    found = levels_of(ToyTask(), plan.with_settings(rounds=rounds), tmp_path)[1]
    once = levels_of(ToyTask(), plan, tmp_path / "once")[1]
    assert found.masks.kept == once.masks.kept
    assert found.result.asked == found.result.got == found.masks.size - found.masks.kept
    if scope:
        assert found.result.layers == once.result.layers


def test_each_round_scores_what_the_one_before_has_left(monkeypatch, tmp_path):
    seen = []

    def watched(evidence):
        weights = evidence.weights()
        seen.append(evidence.alive.kept)
        assert all(not weights[name][~mask].any() for name, mask in evidence.alive.items())
        return {name: weight.abs() for name, weight in weights.items()}

    monkeypatch.setitem(CRITERIA, "watched", Criterion(watched, "weights"))
    plan = Plan.from_settings(criterion="watched", rounds=3, **BEFORE)
    levels = levels_of(ToyTask(), plan, tmp_path)
    whole, kept = (level.masks.kept for level in levels)
    parts = [round(whole * (kept / whole) ** (done / 3)) for done in (1, 2)]
    assert seen[:3] == [whole, *parts]
    once = Plan.from_settings(criterion="magnitude", **BEFORE)
    magnitude = levels_of(ToyTask(), once, tmp_path / "once")[1]
    assert levels[1].masks == magnitude.masks


@pytest.mark.parametrize("allocation", ["uniform", "er", "erk"])
@pytest.mark.parametrize("criterion", ["random-weights", "snip", "magnitude"])
def test_an_allocation_says_how_much_each_layer_keeps(allocation, criterion, tmp_path):
    plan = Plan.from_settings(criterion=criterion, allocation=allocation, exclude=("stem.weight",), **BEFORE)
    level = levels_of(ToyTask(), plan, tmp_path)[1]
    wanted = layer_counts(level.masks.shapes, 0.2, allocation)
    assert {name: kept for name, (kept, _) in level.result.layers.items()} == wanted
    assert "stem.weight" not in wanted


def test_a_budget_of_multiply_adds_is_that_of_the_uniform_allocation(tmp_path):
    task = ToyTask()
    macs = weight_macs(task.build(None), task.example)

    def spent(**settings):
        plan = Plan.from_settings(criterion="random-weights", **BEFORE, **settings)
        layers = levels_of(task, plan, tmp_path / str(settings))[1].result.layers
        return sum(macs[name] * kept for name, (kept, _) in layers.items()), sum(
            k for k, _ in layers.values()
        )

    uniform, erk, equal = (
        spent(allocation=name, budget=budget)
        for name, budget in (("uniform", "weights"), ("erk", "weights"), ("erk", "macs"))
    )
    assert uniform[1] == erk[1]
    assert abs(equal[0] - uniform[0]) <= max(macs.values())
    assert erk[0] != uniform[0]
    assert equal[1] != uniform[1]


def test_masks_change_in_training_and_what_is_kept_is_what_they_end_with(tmp_path):
    task = ToyTask()
    static = levels_of(ToyTask(), Plan.from_settings(**SPARSE), tmp_path / "static")[1]
    level = levels_of(task, Plan.from_settings(**SPARSE, **RIGL), tmp_path / "rigl")[1]
    start = Masks({name: task.starts[0][name] != 0 for name in level.masks})
    assert start == static.masks
    assert level.masks != start
    assert level.result.layers == static.result.layers
    assert level.result.masks == level.masks.digest()
    assert level.result.training["mask updates"] == 1  # of 4 steps, 0 to 3, at step 2
    assert zeros_outside(level.network, level.masks)
    assert stored_masks(tmp_path / "rigl") == [Masks.ones(start.shapes), level.masks]


def test_a_topology_that_is_static_is_a_fixed_mask(tmp_path):
    one = levels_of(ToyTask(), Plan.from_settings(**SPARSE), tmp_path / "one")[1]
    two = levels_of(ToyTask(), Plan.from_settings(**SPARSE, topology="static"), tmp_path / "two")[1]
    assert one.masks == two.masks
    states = one.network.state_dict(), two.network.state_dict()
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_gradual_pruning_starts_whole_and_ends_with_the_counts_asked_for(tmp_path):
    task = ToyTask()
    options = {"begin": 0.0, "end": 0.75, "every": 1}
    plan = Plan.from_settings(**SPARSE, topology="gradual", topology_options=options)
    level = levels_of(task, plan, tmp_path)[1]
    initial = task.build(None).state_dict()
    assert all(torch.equal(value, initial[name]) for name, value in task.starts[0].items())
    assert {n: k for n, (k, _) in level.result.layers.items()} == layer_counts(level.masks.shapes, 0.2, "erk")
    assert zeros_outside(level.network, level.masks)
    assert len(task.states[0]) == STEPS


def test_masks_that_a_topology_ended_with_can_be_trained_from_initial_weights(tmp_path):
    levels_of(ToyTask(), Plan.from_settings(**SPARSE, **RIGL), tmp_path / "host")
    masks = stored_masks(tmp_path / "host")
    task = ToyTask()
    level = levels_of(task, Plan.from_settings(**SPARSE), tmp_path / "follower", given=masks)[1]
    assert level.masks == masks[1]
    assert all(torch.equal(task.starts[0][name] != 0, mask) for name, mask in masks[1].items())
    with pytest.raises(ValueError, match="would change in training"):
        run(ToyTask(), Plan.from_settings(**SPARSE, **RIGL), tmp_path / "both", given=masks)


def test_a_run_that_was_killed_goes_on_to_the_same_masks(tmp_path):
    plan = Plan.from_settings(**{**SPARSE, "cycles": 2, "fraction": 0.5}, **RIGL)
    whole = levels_of(ToyTask(), plan, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(ToyTask(fails=1), plan, tmp_path / "killed")
    assert cycle_file(tmp_path / "killed", 1).exists()
    assert not cycle_file(tmp_path / "killed", 2).exists()
    again = levels_of(ToyTask(), plan, tmp_path / "killed")
    assert again[-1].masks == whole[-1].masks
    digests = [[r.masks for r in stored_results(tmp_path / name)] for name in ("whole", "killed")]
    assert digests[0] == digests[1]
    states = again[-1].network.state_dict(), whole[-1].network.state_dict()
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_a_thinned_run_keeps_its_last_masks(tmp_path):
    plan = Plan.from_settings(**{**SPARSE, "cycles": 2, "fraction": 0.5}, **RIGL)
    levels = levels_of(ToyTask(), plan, tmp_path, thin=True)
    assert stored_masks(tmp_path) == [level.masks for level in levels]


def test_a_task_that_does_not_hold_is_found_out(tmp_path):
    with pytest.raises(ValueError, match="must call hold"):
        run(ToyTask(holds=False), Plan.from_settings(**SPARSE, **RIGL), tmp_path)


def first_units(evidence, keep):
    """Shares of 1 to n for the first n units of each group."""
    found = {}
    for name, count in keep.items():
        share = torch.zeros(evidence.alive[name].shape, dtype=torch.double)
        alive = evidence.alive[name].nonzero().flatten()[:count]
        share[alive] = torch.arange(1, count + 1, dtype=torch.double)
        found[name] = share / share.sum()
    return found


def test_units_that_are_chosen_are_scaled_by_their_shares(monkeypatch, tmp_path):
    monkeypatch.setitem(CRITERIA, "first", Criterion(None, "units", choose=first_units))
    task = ToyTask(trained=True)
    plan = Plan.from_settings(criterion="first", scope="layer", fraction=0.5, cycles=2)
    levels = levels_of(task, plan, tmp_path)
    dense = task.dense().state_dict()
    assert list(levels[1].masks) == ["inner", "hidden"]  # not the stream, which several layers make
    assert levels[1].masks["hidden"].tolist() == [True] * 4 + [False] * 4
    # N a_i = 8 (1, 2, 3, 4) / 10, in the columns that read the units
    scales = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.double) * 0.8
    torch.testing.assert_close(task.starts[0]["out.weight"], dense["out.weight"][:, :4] * scales)
    torch.testing.assert_close(task.starts[0]["hidden.weight"], dense["hidden.weight"][:4])
    after = levels[1].network.state_dict()["out.weight"][:, :2]
    scales = torch.tensor([1.0, 2.0], dtype=torch.double) * 4 / 3  # of the 4 units there are now
    torch.testing.assert_close(task.starts[1]["out.weight"], after * scales)
    assert levels[1].result.asked == levels[1].result.got == 2 + 4


def test_units_that_are_rewound_or_drawn_anew_are_not_scaled(monkeypatch, tmp_path):
    monkeypatch.setitem(CRITERIA, "first", Criterion(None, "units", choose=first_units))
    task = ToyTask(trained=True)
    plan = Plan.from_settings(criterion="first", scope="layer", fraction=0.5, cycles=1, restart="rewind")
    levels_of(task, plan, tmp_path)
    initial = task.build(None).state_dict()
    torch.testing.assert_close(task.starts[0]["out.weight"], initial["out.weight"][:, :4])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"allocation": "erk"}, "needs a criterion that scores weights"),
        ({"topology": "rigl"}, "needs a criterion that scores weights"),
        ({"criterion": "snip", "topology": "rigle"}, "unknown topology 'rigle'"),
        ({"criterion": "snip", "topology": "rigl", "topology_options": {"alfa": 1}}, "alfa"),
        (
            {"criterion": "snip", "allocation": "er", "count": 3},
            "needs a fraction: count must be None, got 3",
        ),
        ({"criterion": "snip", "allocation": "err"}, "allocation must be one of"),
        ({"criterion": "snip", "budget": "macs"}, "needs an allocation"),
        ({"criterion": "snip", "allocation": "er", "floor": 1}, "floor must be None, got 1"),
        (
            {"criterion": "snip", "topology": "set", "restart": "rewind", "rewind_to": 0.5},
            "rewind_to must be 0",
        ),
        (
            {"criterion": "snip", "criterion_options": {"batch": 3}},
            "has no option 'batch': it has no options",
        ),
        (
            {"criterion": "greedy-local", "scope": "layer", "criterion_options": {"tolerance": 1}},
            "no option 'tolerance': its options are samples, rows, step, corrections",
        ),
        ({"criterion": "snip", "rounds": 0}, "rounds must be"),
        ({"criterion": "greedy-local"}, "scope must be layer"),
        ({"criterion": "greedy-local", "scope": "layer", "rounds": 2}, "allows only one round"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Plan.from_settings(**settings)


def test_training_knows_of_no_dense_network_that_is_untrained():
    task = ToyTask()
    training = CycleTraining(task, Plan.from_settings(criterion="snip", **BEFORE), (), dense=True)
    network = task.build(None)
    outcome = training.run(0, network, Masks.ones({"out.weight": (3, 8)}))
    assert not task.starts
    assert outcome.masks.density() == 1


def test_what_dropped_weights_would_save_is_counted(tmp_path):
    task = ToyTask()
    each = weight_macs(task.build(None), task.example)
    first, second = levels_of(task, Plan.from_settings(**SPARSE), tmp_path / "static")
    dense = first.result.sparse_macs
    assert dense == sum(each[name] * mask.numel() for name, mask in first.masks.items())
    sparse = sum(each[name] * int(mask.sum()) for name, mask in second.masks.items())
    assert (second.result.sparse_macs, first.result.training_cost) == (sparse, 0)
    assert second.result.training_cost == pytest.approx(sparse / dense)
    rigl = levels_of(ToyTask(), Plan.from_settings(**SPARSE, **RIGL), tmp_path / "rigl")[1].result
    steps = 3 * rigl.sparse_macs * 2 + 2 * rigl.sparse_macs + dense  # an update in three steps
    assert rigl.training_cost == pytest.approx(steps / 3 / (3 * dense))


def test_removed_channels_count_as_dropped_weights(tmp_path):
    task = ToyTask(trained=True)
    plan = Plan.from_settings(criterion="l1", scope="layer", fraction=0.5, cycles=1)
    first, second = levels_of(task, plan, tmp_path)
    small, _ = shrink(second.network, second.groups, second.removable)
    assert second.result.sparse_macs == macs(small, task.example) < first.result.sparse_macs
    assert second.result.training_cost == second.result.sparse_macs / first.result.sparse_macs


def test_what_an_allocation_cannot_drop_is_told(tmp_path):
    # masks that moved between layers keep less of some than the next allocation gives them
    options = {"every": 1, "end": 1.0, "alpha": 0.9, "redistribute": "gradient"}
    plan = Plan.from_settings(
        **{**SPARSE, "allocation": "uniform", "cycles": 2, "fraction": 0.3},
        topology="rigl",
        topology_options=options,
    )
    first, second = levels_of(ToyTask(), plan, tmp_path)[1:]
    wanted = layer_counts(second.masks.shapes, first.masks.density() * 0.7, "uniform")
    start = {name: min(wanted[name], kept) for name, (kept, _) in first.result.layers.items()}
    assert second.result.asked == first.masks.kept - sum(wanted.values())
    assert second.result.got == first.masks.kept - second.masks.kept == first.masks.kept - sum(start.values())


def test_options_reach_a_criterion_that_chooses(monkeypatch, tmp_path):
    seen = []

    def watched(evidence, keep, *, samples=5):
        seen.append(samples)
        return first_units(evidence, keep)

    monkeypatch.setitem(CRITERIA, "watched", Criterion(None, "units", choose=watched))
    plan = Plan.from_settings(criterion="watched", criterion_options={"samples": 7}, scope="layer", cycles=1)
    run(ToyTask(trained=True), plan, tmp_path)
    assert set(seen) == {7}
