"""The jobs of an experiment on real networks: initial weights, followed masks, and stored results."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from tiny_vision import conducted

from pruning.data.loading import load
from pruning.loop.stored import KIND, cycle_file, stored_masks, stored_results, stored_weights
from pruning.masks.files import read_tensors
from pruning.masks.held import Masks
from pruning.models.registry import make_model
from pruning.studies.experiment.config import VisionConfig
from pruning.studies.published.catalogue import find_recipe
from pruning.studies.vision.run import _shuffled, read_points, run_jobs
from pruning.studies.vision.task import VisionTask

TICKETS = {"width": 0.1, "cycles": 3, "subset": 100, "epochs": 2}


@pytest.fixture(scope="module")
def tickets(tmp_path_factory):
    """All variants of the tickets on LeNet, three cycles."""
    return conducted("tickets/lenet-mnist", tmp_path_factory.mktemp("tickets") / "run", **TICKETS)


def recipe_of(name, **changes):
    return find_recipe(name).with_changes({"data": "digits", "seeds": 1, **changes})


def run_of(folder, arm, part=0):
    return folder / "runs" / f"{arm}-{part}" / "seed-0"


def equal(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def initial(name="lenet:300-100"):
    network = make_model(
        name, shape=(1, 8, 8), classes=10, width=TICKETS["width"], init="kaiming-normal", seed=0
    )
    return network.state_dict()


def test_arms_start_from_their_base(tickets):
    for recipe in ("weak", "tuned"):
        base = stored_results(tickets / "networks" / recipe / "seed-0")
        assert len(base) == 1
        for arm in ("imp", "late", "lr-rewound", "one-shot", "reinit", "shuffled"):
            dense = stored_results(run_of(tickets, f"{recipe}-{arm}"))[0]
            assert dense.training == {}  # nothing is trained again
            for name in ("test accuracy", "test loss", "validation accuracy"):
                assert dense.measures[name] == base[0].measures[name]


def test_followers_have_exactly_the_masks_of_their_host(tickets):
    for recipe in ("weak", "tuned"):
        host = stored_masks(run_of(tickets, f"{recipe}-imp"))
        assert len(host) == 4
        assert stored_masks(run_of(tickets, f"{recipe}-reinit")) == host


def test_shuffled_masks_keep_each_layer_s_count_are_nested_and_elsewhere(tickets):
    host = stored_masks(run_of(tickets, "tuned-imp"))
    shuffled = stored_masks(run_of(tickets, "tuned-shuffled"))
    for own, its in zip(shuffled, host, strict=True):
        assert {name: int(mask.sum()) for name, mask in own.items()} == {
            name: int(mask.sum()) for name, mask in its.items()
        }
    assert all(after.within(before) for before, after in pairwise(shuffled))
    assert shuffled[0] == host[0] and all(o != h for o, h in zip(shuffled[1:], host[1:], strict=True))


def test_shuffling_is_uniform_and_of_the_seed():
    masks = [
        Masks({"a": torch.ones(20, 5, dtype=torch.bool)}),
        Masks({"a": torch.arange(100).view(20, 5) < 30}),
    ]
    found = [list(_shuffled(masks, seed))[1]["a"] for seed in range(300)]
    assert all(int(mask.sum()) == 30 for mask in found)
    assert torch.equal(found[0], list(_shuffled(masks, 0))[1]["a"])
    share = torch.stack(found).double().mean(0)
    assert (share - 0.3).abs().max() < 5 * (0.3 * 0.7 / 300) ** 0.5


def test_late_rewinding_goes_to_weights_of_the_base_s_own_training(tickets):
    recipe = recipe_of("tickets/lenet-mnist", training={"epochs": 2}, subset=100, width=TICKETS["width"])
    data = load("digits", subset=100)
    task = VisionTask(data, recipe.model, recipe.training, seed=0, width=recipe.width, init=recipe.init)
    assert equal(task.build(None).state_dict(), initial())
    network = task.build(None)
    plan = recipe.base_plan("tuned", 0)
    share = recipe.arms["tuned-late"].plan["rewind_to"]
    task.train(network, lambda optimizer: None, plan.lr(0), plan.seed_of(0), share=share)
    early, _ = read_tensors(run_of(tickets, "tuned-late") / "rewind.safetensors", KIND)
    assert equal(early, network.state_dict())
    whole = task.build(None)
    task.train(whole, lambda optimizer: None, plan.lr(0), plan.seed_of(0))
    assert equal(stored_weights(tickets / "networks" / "tuned" / "seed-0"), whole.state_dict())


def test_only_the_last_network_of_a_run_is_kept(tickets):
    for cycle in range(4):
        tensors, _ = read_tensors(cycle_file(run_of(tickets, "weak-imp"), cycle), KIND)
        assert any(name.startswith("network.") for name in tensors) == (cycle == 3)


def test_parts_prune_the_dense_network_once_each(tickets):
    shots = find_recipe("tickets/lenet-mnist").arms["tuned-one-shot"].parts
    for part, share in enumerate(shots):
        results = stored_results(run_of(tickets, "tuned-one-shot", part))
        assert [result.cycle for result in results] == [0, 1]
        assert results[1].density == pytest.approx(1 - share, abs=1e-3)


def test_points_tell_what_was_measured(tickets):
    recipe = recipe_of("tickets/lenet-mnist", cycles=3, width=0.1, subset=100)
    points = read_points(recipe, tickets)
    assert len(points) == 2 * (5 * 4 + 2 * 2)
    for point in points:
        assert 0 <= point.accuracy <= 1 and point.metrics["chance"] == 0.1
        assert {"parameters", "macs", "peak lr", "seconds", "validation accuracy"} <= point.metrics.keys()
    one = next(p for p in points if (p.arm, p.cycle) == ("tuned-imp", 2))
    result = stored_results(run_of(tickets, "tuned-imp"))[2]
    assert (one.accuracy, one.density) == (result.measures["test accuracy"], result.density)
    assert one.metrics["peak lr"] == pytest.approx(0.1)
    assert one.metrics["training loss"] == result.training["training loss"]


def test_more_cycles_and_seeds_go_on_and_come_to_the_same(tmp_path):
    common = {"subset": 100, "width": 1.0}
    parts = tmp_path / "parts"
    for options in ({"cycles": 1}, {"cycles": 2}, {"cycles": 2, "seeds": 2}):
        conducted("dropnet/reinit-a20", parts, **common, **options)
    whole = conducted("dropnet/reinit-a20", tmp_path / "whole", **common, cycles=2, seeds=2)
    recipe = recipe_of("dropnet/reinit-a20", cycles=2, seeds=2)
    one, other = (
        [replace(p, metrics={**p.metrics, "seconds": 0}) for p in read_points(recipe, folder)]
        for folder in (parts, whole)
    )
    assert one == other and len(one) == 2 * 2 * 3


def test_units_that_are_cut_cost_nothing_and_weights_that_are_do(tmp_path, tickets):
    folder = conducted("dropnet/reinit-a20", tmp_path / "run", width=1.0, subset=100, arms=("minimum",))
    dense, cut = (result.cost for result in stored_results(run_of(folder, "minimum")))
    assert cut["parameters"] < dense["parameters"] and cut["macs"] < dense["macs"]
    costs = [result.cost for result in stored_results(run_of(tickets, "tuned-imp"))]
    assert all(cost == costs[0] for cost in costs)


def test_diverged_networks_are_told_and_finite(tmp_path):
    recipe = find_recipe("dropnet/reinit-a20")
    wild = {"schedule": "constant", "schedule_options": {"lr": 1e30}}
    arms = {"minimum": replace(recipe.arms["minimum"], plan={**recipe.arms["minimum"].plan, **wild}, base="")}
    recipe = replace(recipe, arms=arms, data="digits", subset=100, seeds=1, cycles=1)
    recipe = recipe.with_changes({"training": {"epochs": 1}})
    run_jobs(recipe, tmp_path, VisionConfig())
    points = read_points(recipe, tmp_path)
    assert [point.metrics["diverged"] for point in points] == [1, 1]
    assert all(0 <= point.accuracy <= 1 for point in points)
    assert all(tensor.isfinite().all() for tensor in stored_weights(run_of(tmp_path, "minimum")).values())


def test_too_few_images_for_a_validation_are_refused(tmp_path):
    with pytest.raises(ValueError, match="4 training images of digits leave none for validation: use more"):
        run_jobs(recipe_of("dropnet/a-mnist", subset=4), tmp_path, VisionConfig())


def test_runs_of_another_plan_are_not_told_as_the_recipe_s(tmp_path):
    folder = conducted("dropnet/reinit-a20", tmp_path / "run")
    recipe = find_recipe("dropnet/reinit-a20")
    assert read_points(recipe, folder)
    other = recipe.with_changes({"plan": {"fraction": 0.3}})
    with pytest.raises(ValueError, match=r"belongs to another plan: fraction is 0\.2 there, 0\.3 here"):
        read_points(other, folder)
