"""Recipes of sparse training, run on a subset of digits, and the sections of their reports."""

import csv

import pytest
from tiny_vision import conducted

from pruning.loop.plan import Plan
from pruning.loop.stored import stored_results
from pruning.models.registry import make_model
from pruning.studies.published.catalogue import find_recipe
from pruning.studies.vision.experiment import Job
from pruning.studies.vision.points import Point
from pruning.studies.vision.recipes.sparse_sections import (
    ALPHAS,
    EVERY,
    cell_name,
    costlier,
    costs,
    default_is_good,
    grid_table,
    layer_densities,
    level_pairs,
)

ARMS = ("static-uniform", "static-erk-macs", "rigl-erk", "rigl-uniform-gradient", "dense")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Some variants of the convolutional network, with over a hundred steps, so that masks change once."""
    options = {"subset": 120, "batch": 2, "epochs": 3, "width": 0.4, "arms": ARMS}
    return conducted("rigl/cnn-cifar10", tmp_path_factory.mktemp("sparse") / "run", **options)


def rows(folder):
    with (folder / "points.csv").open() as file:
        return {(row["arm"], int(row["part"])): row for row in csv.DictReader(file)}


def layers(folder, arm, part=0):
    """What each layer keeps at the end of a run."""
    result = stored_results(folder / Job(arm, "", part, 0).folder)[-1]
    return {name: kept for name, (kept, _) in result.layers.items()}


def test_counts_are_exact_and_equal_multiply_adds_are_equal(folder):
    sizes = {"convs.0.weight": 9 * 6, "convs.1.weight": 9 * 6 * 13, "convs.2.weight": 9 * 13 * 26}
    cells = {"convs.0.weight": 64, "convs.1.weight": 16, "convs.2.weight": 4}  # of 8x8 digits
    for part, kept in ((0, 0.1), (1, 0.05)):
        for arm in ("static-uniform", "rigl-erk", "rigl-uniform-gradient"):
            assert sum(layers(folder, arm, part).values()) == round(kept * sum(sizes.values()))
        macs = [
            sum(cells[name] * kept for name, kept in layers(folder, arm, part).items())
            for arm in ("static-uniform", "static-erk-macs")
        ]
        assert macs[1] == pytest.approx(macs[0], abs=max(cells.values())) and macs[1] <= macs[0]
        told = [int(rows(folder)[arm, part]["sparse macs"]) for arm in ("static-uniform", "static-erk-macs")]
        assert [each - 10 * 26 for each in told] == macs  # the last layer is dense


def test_masks_have_changed_and_redistribution_moves_weights_between_layers(folder):
    assert float(rows(folder)["rigl-erk", 0]["mask updates"]) == 1
    assert float(rows(folder)["rigl-erk", 0]["weights grown"]) > 0
    assert layers(folder, "rigl-uniform-gradient") != layers(folder, "static-uniform")


def test_costs_are_those_of_the_formulas(folder):
    found = rows(folder)
    for arm in ARMS:
        row = found[arm, 0]
        share = float(row["sparse macs"]) / float(found["dense", 0]["macs"])
        assert float(row["inference cost"]) == pytest.approx(share, rel=1e-4)
        trained = share if not arm.startswith("rigl") else (302 * share + 1) / 303
        assert float(row["training cost"]) == pytest.approx(trained, rel=1e-4)


def test_the_report_has_its_tables(folder):
    report = (folder / "report.txt").read_text()
    for title in find_recipe("rigl/cnn-cifar10").sections:
        assert title in report
    body = report.split("points of accuracy\n")[1].split("\n\n")[0].splitlines()
    assert [line.split()[:2] for line in body[1:]] == [["multiply-adds", "static"]] * 2


@pytest.mark.parametrize("name", ["rigl/lenet-mnist", "rigl/wrn22-2-cifar10"])
def test_the_narrow_network_has_as_many_weights_as_the_sparse_ones(name):
    recipe = find_recipe(name)
    arm = recipe.arms["small-dense"]

    def weights(width):
        shape = (1, 28, 28) if recipe.data == "mnist" else (3, 32, 32)
        network = make_model(recipe.model, shape=shape, classes=10, width=width, seed=0)
        return {n: w.numel() for n, w in network.named_parameters() if w.dim() > 1}

    whole, narrow = weights(recipe.width_of(None, 0)), weights(recipe.width_of(arm, 0))
    (share,) = recipe.arms["rigl-erk"].parts
    kept = sum(size if name in recipe.plan["exclude"] else (1 - share) * size for name, size in whole.items())
    assert sum(narrow.values()) == pytest.approx(kept, rel=0.01)


def test_a_narrow_network_s_costs_are_shares_of_the_whole_one(tmp_path):
    options = {"subset": 100, "arms": ("small-dense", "dense"), "width": 1.0}
    found = rows(conducted("rigl/lenet-mnist", tmp_path / "run", **options))
    narrow, whole = found["small-dense", 0], found["dense", 0]
    share = int(narrow["macs"]) / int(whole["macs"])
    assert share < 0.05
    for name in ("inference cost", "training cost"):
        assert float(narrow[name]) == pytest.approx(share, rel=1e-4)
        assert float(whole[name]) == 1


def test_every_arm_s_topology_and_allocation_are_as_its_name_says():
    for name, arm in find_recipe("rigl/lenet-mnist").arms.items():
        plan = find_recipe("rigl/lenet-mnist").plan_of(arm, 0, 0)
        assert isinstance(plan, Plan) and plan.start.untrained
        first, _, rest = name.partition("-")
        assert plan.scoring.topology == (first if first in ("set", "snfs", "rigl", "gradual") else "")
        if rest in ("uniform", "erk"):
            assert plan.amount.allocation == rest


def test_twice_the_training_costs_twice_as_much():
    recipe = find_recipe("rigl/wrn22-2-cifar10")
    once, twice = (recipe.training_of(recipe.arms[arm]).epochs for arm in ("rigl", "rigl-2x"))
    assert (once, twice) == (250, 500)
    published = {(each.arm, each.accuracy) for each in recipe.published}
    assert {("static", 0.912), ("rigl-erk", 0.931), ("small-dense", 0.91)} < published


# ---------------------------------------------------------------------------- from points


def networks(arm, accuracies, density=0.1, part=0, **metrics):
    """A variant's networks, one for each seed; metrics by name, with _ for a blank."""
    named = {name.replace("_", " "): value for name, value in metrics.items()}
    return [Point(arm, seed, part, 1, density, accuracy, named) for seed, accuracy in enumerate(accuracies)]


def grid(best=0.0, spread=0.01):
    """A grid in which one cell is ahead of the default by `best`, also on validation."""
    found = []
    for alpha in ALPHAS:
        for every in EVERY:
            ahead = best if (alpha, every) == (0.5, 25) else 0.0
            accuracies = [0.6 + ahead + extra for extra in (-spread, 0.0, spread)]
            found += networks(cell_name(alpha, every), accuracies, validation_accuracy=0.6 + ahead)
    return found


def test_the_default_is_good_within_a_deviation_of_the_best():
    assert default_is_good(grid(0.009))[0] == "confirmed"
    answer, told = default_is_good(grid(0.011))
    assert answer == "not confirmed"
    assert told == "alpha-0.5-every-25 of 25 cells minus the default: +1.10 points, SD 1.00 over 3 seeds"
    assert default_is_good([])[0] == default_is_good(grid()[-3:])[0] == "not testable"
    alone = [point for point in grid() if point.arm == cell_name(0.3, 100)]
    assert default_is_good(alone)[0] == "not testable"


def test_the_best_cell_is_chosen_by_validation_not_by_the_test():
    given = [
        Point(p.arm, p.seed, p.part, p.cycle, p.density, p.accuracy, {"validation accuracy": 0.7})
        if p.arm == cell_name(0.1, 400)
        else p
        for p in grid(0.05)
    ]
    assert default_is_good(given) == (
        "confirmed",
        "alpha-0.1-every-400 of 25 cells minus the default: +0.00 points, SD 1.00 over 3 seeds",
    )


def test_the_grid_s_table_has_alphas_by_intervals():
    head, *lines = grid_table(grid(0.1)).splitlines()
    assert head.split() == [word for every in EVERY for word in ("every", str(every))]
    assert [line.split()[1] for line in lines] == [f"{alpha:g}" for alpha in ALPHAS]
    assert lines[-1].split()[2:4] == ["70.0", "±1.0"] and lines[0].split()[2:4] == ["60.0", "±1.0"]
    assert grid_table([]) == grid_table(networks("other-arm", [0.5])) == ""


def test_redistribution_that_costs_more_is_told():
    more = [
        p
        for s, c in enumerate((0.30, 0.31, 0.32))
        for p in networks("a", [0.5] * 3, inference_cost=c)[s : s + 1]
    ]
    less = networks("b", [0.5] * 3, inference_cost=0.2)
    answer, told = costlier("a", "b")(more + less)
    assert answer == "confirmed"
    assert told.startswith(
        "a 31.0% of the dense network's, b 20.0%: +11.00 points (+8.52 to +13.48) over 3 seeds"
    )
    assert costlier("b", "a")(more + less)[0] == "not confirmed"
    assert costlier("b", "a")(more + less)[1].startswith("refuted")
    assert costlier("a", "c")(more + less) == ("not testable", "the variant a or c is missing")
    assert costlier("a", "b")(more[:2] + less)[0] == "not testable"


def test_layers_are_columns_until_they_are_too_many():
    few = networks("a", [0.5], kept_x=0.1) + networks("b", [0.5], kept_x=1.0)
    found = layer_densities([*few])
    assert found.split() == ["x", "a", "10"]  # b drops nothing
    many = networks("a", [0.5], **{f"kept_l{number}.weight": 0.1 for number in range(12)})
    lines = layer_densities(many).splitlines()
    assert len(lines) == 13 and lines[1].split() == ["l0", "10"]
    assert layer_densities(networks("a", [0.5])) == ""


def test_costs_and_pairs_by_hand():
    given = [
        *networks("static-uniform", [0.60, 0.61], inference_cost=0.2, training_cost=0.2),
        *networks("static-erk", [0.63, 0.64], inference_cost=0.4, training_cost=0.4),
        *networks("static-erk-macs", [0.59, 0.60], density=0.05, inference_cost=0.2, training_cost=0.2),
    ]
    table = [line.split() for line in costs(given).splitlines()]
    assert table[2] == ["static-erk", "10", "40", "40", "63.5"]
    pairs = [line.split() for line in level_pairs(given).splitlines()[1:]]
    assert pairs == [
        ["weights", "static", "10", "10", "x2.00", "+3.00", "(+3.00", "to", "+3.00)"],
        ["multiply-adds", "static", "10", "5", "x1.00", "-1.00", "(-1.00", "to", "-1.00)"],
    ]
    assert costs(networks("a", [0.5])) == level_pairs(networks("a", [0.5])) == ""
