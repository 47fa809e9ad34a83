"""SILO's recipes and their parts of the report: spreads by cycle, the oracle's intervals."""

from dataclasses import replace

import pytest
from tiny_vision import points

from pruning.studies.published.catalogue import find_recipe
from pruning.studies.vision.recipes.silo import COMPARED, JUMP
from pruning.studies.vision.recipes.silo_sections import inside, narrower, oracle_intervals, spreads

NAMES = [f"{what} spread at {share}" for what in ("gradient", "activation") for share in ("0.25", "1")]
DENSITIES = (1.0, 0.8, 0.64, 0.512)


def with_metrics(arm, by_cycle, **rest):
    """Points of a variant with these metrics in each cycle."""
    made = points(arm, [0.9] * len(by_cycle), DENSITIES[: len(by_cycle)], **rest)
    return [replace(point, metrics=by_cycle[point.cycle]) for point in made]


def test_spreads_are_relative_to_the_first_pruned_network_beside_both_rates():
    by_cycle = [
        {"peak lr": 0.03},
        {**dict(zip(NAMES, (4.0, 2.0, 10.0, 5.0), strict=True)), "peak lr": 0.03},
        {**dict(zip(NAMES, (2.0, 1.5, 8.0, 5.0), strict=True)), "peak lr": 0.03},
    ]
    silo = [{"peak lr": lr} for lr in (0.03, 0.031, 0.05)]
    told = spreads(with_metrics("warmup-step", by_cycle) + with_metrics("silo", silo))
    head, first, second = told.splitlines()
    assert head.startswith("cycle") and head.endswith("lr implied  SILO's lr")
    assert first.split() == ["1", "80", "1.00", "1.00", "1.00", "1.00", "0.030", "0.031"]
    # half the spread of gradients implies twice the rate
    assert second.split() == ["2", "64", "0.50", "0.75", "0.80", "1.00", "0.060", "0.050"]


def test_no_spreads_no_table():
    assert spreads([]) == spreads(with_metrics("warmup-step", [{"peak lr": 0.03}] * 3)) == ""


def test_a_cycle_that_diverged_before_its_end_is_left_out():
    whole = {**dict.fromkeys(NAMES, 2.0), "peak lr": 0.03}
    diverged = {name: value for name, value in whole.items() if not name.endswith("at 1")}
    given = with_metrics("warmup-step", [{"peak lr": 0.03}, whole, diverged])
    assert [line.split()[0] for line in spreads(given).splitlines()] == ["cycle", "1"]


def test_the_oracle_stands_beside_silo_s_peak_seed_by_seed():
    oracle = [
        {"peak lr": 0.05, "interval low": low, "interval high": high}
        for low, high in ((0.03, 0.03), (0.03, 0.05), (0.05, 0.07), (0.05, 0.05))
    ]
    silo = [{"peak lr": lr} for lr in (0.03, 0.03, 0.041, 0.03)]
    told = oracle_intervals(with_metrics("oracle", oracle, seeds=2) + with_metrics("silo", silo, seeds=1))
    head, *lines, count = told.splitlines()
    assert head.split()[0] == "seed"
    # nothing is pruned in cycle 0, and seed 1 has no SILO
    assert [line.split()[1] for line in lines] == ["1", "2", "3"]
    # 0.041 is 1.22 times below the interval, 0.03 is 1.67 times
    assert [line.split()[-1] for line in lines] == ["inside", "near", "outside"]
    assert count.endswith("in 1 of 3 cycles, near in 1")
    given = [
        point
        for arm, values in (("oracle", oracle), ("silo", silo))
        for point in with_metrics(arm, values, seeds=3)
    ]
    assert inside(given) == ("not confirmed", "inside in 3 of 9 cycles over 3 seeds")
    assert inside([point for point in given if point.cycle < 2])[0] == "confirmed"
    assert inside([point for point in given if point.seed])[0] == "not testable"
    assert "0.05 to 0.07" in lines[1] and "0.0410" in lines[1]


def test_the_premise_is_that_gradients_get_narrower():
    def given(*ends):
        levels = [
            with_metrics("warmup-step", [{NAMES[0]: 1.0}, {NAMES[0]: 1.0}, {NAMES[0]: end}], seeds=seed + 1)
            for seed, end in enumerate(ends)
        ]
        return [point for seed, own in enumerate(levels) for point in own if point.seed == seed]

    assert narrower(given(0.80, 0.81, 0.79))[0] == "confirmed"
    assert narrower(given(1.20, 1.21, 1.19))[1].startswith("refuted: +20% (")
    assert narrower(given(0.8, 1.2, 1.1))[1].startswith("undecided: ")
    assert narrower(given(0.8, 0.8))[0] == narrower([])[0] == "not testable"


def test_no_oracle_no_table():
    assert oracle_intervals(with_metrics("silo", [{"peak lr": 0.1}])) == oracle_intervals([]) == ""


def peaks(recipe, arm, cycles):
    plan = recipe.plan_of(recipe.arms[arm], 0, 0)
    return [max(plan.lr(cycle)(step / 200) for step in range(201)) for cycle in range(cycles)]


def test_silo_rises_by_cycle_between_its_bounds_and_the_others_do_not():
    recipe = find_recipe("silo/resnet20-cifar10")
    silo = peaks(recipe, "silo", 25)
    assert silo == sorted(silo) and 0.03 <= silo[0] < silo[-1] <= 0.07
    for arm in COMPARED:
        assert peaks(recipe, arm, 5) == pytest.approx([0.03] * 5)
    assert peaks(recipe, "upper", 5) == pytest.approx([0.07] * 5)
    assert peaks(recipe, "silo-step", 6) == pytest.approx([0.03] * JUMP + [0.07] * 2)


@pytest.mark.parametrize("model", ["resnet20", "vgg19", "vit"])
def test_arms_start_from_a_dense_network_of_their_own_schedule(model):
    recipe = find_recipe(f"silo/{model}-cifar10")
    for name in ("silo", *COMPARED, "upper", "silo-linear"):
        arm = recipe.arms[name]
        base = recipe.base_plan(arm.base, 0)
        own = recipe.plan_of(arm, 0, 0)
        shares = [step / 100 for step in range(1, 100)]
        at_first = [own.lr(0)(share) / own.lr(0)(0.49) for share in shares]
        dense = [base.lr(0)(share) / base.lr(0)(0.49) for share in shares]
        assert dense == pytest.approx(at_first)  # the same shape
