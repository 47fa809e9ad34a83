"""The recipes of greedy selection: their variants, and the tables and claims of the discrepancy curves."""

import csv

import numpy as np
import pytest
from PIL import Image

from pruning.studies.experiment.config import VisionConfig
from pruning.studies.published.catalogue import conduct_recipe, find_recipe
from pruning.studies.vision.points import Point
from pruning.studies.vision.recipes.curves import (
    AGREEMENT,
    CURVES,
    SUPPORTS,
    WAYS,
    agreement,
    curve_table,
    draw_curves,
    lower_everywhere,
    screen_agrees,
    straight,
)
from pruning.studies.vision.recipes.greedy import VARIANTS

LENET = find_recipe("greedy/lenet-mnist")


def network(seed, curves, agrees=0.6):
    """A dense network whose discrepancies are functions of the units kept."""
    metrics = {f"D {way} {s}": curve(s) for way, curve in zip(WAYS, curves, strict=True) for s in SUPPORTS}
    return Point(CURVES, seed, 0, 0, 1.0, 0.9, {**metrics, AGREEMENT: agrees})


def exponential(units):
    return 10 ** (-units / 40)


def power(units):
    return units**-2.0


def worse(units):
    return 3.0 * units**-0.5


FALLING = [network(seed, (exponential, power, worse, worse)) for seed in range(3)]


def test_an_exponential_curve_is_straight_and_a_power_is_not():
    answer, told = straight(FALLING)
    assert answer == "confirmed"
    assert (
        "R^2 of exponential 1.000" in told
        and "0.0250 per unit in the first half of the range, 0.0250" in told
    )
    answer, told = straight([network(seed, (power, worse, worse, worse)) for seed in range(3)])
    assert answer == "not confirmed" and "R^2 of power 1.000" in told


def test_the_table_has_the_means_and_both_fits():
    lines = [line.split() for line in curve_table(FALLING).splitlines()]
    assert lines[0] == ["units", "line", "search", "uniform", "step", "L1", "random"]
    assert lines[SUPPORTS.index(40) + 1] == ["40", "1.00e-01", "6.25e-04", "4.74e-01", "4.74e-01"]
    assert lines[-2][-4:] == ["1.000", *lines[-2][-3:]] and lines[-1][-3:] == ["1.000"] * 3


def test_searched_steps_must_be_lower_with_every_number_of_units():
    crossing = [network(seed, (exponential, lambda s: 0.5, worse, worse)) for seed in range(3)]
    answer, told = lower_everywhere(crossing)
    # 10^(-s/40) is below 0.5 from 13 units on: at 14 to 100 units in each of three networks
    assert (answer, told[:18]) == ("not confirmed", "lower in 21 of 39 ")
    below = [network(seed, (exponential, lambda s: 2 * exponential(s), worse, worse)) for seed in range(3)]
    assert lower_everywhere(below) == (
        "confirmed",
        "lower in 39 of 39 comparisons, by a factor of 2.0 on geometric average",
    )


@pytest.mark.parametrize(
    ("shares", "answer"), [((0.6, 0.62, 0.61), "confirmed"), ((0.6, 0.4, 0.5), "not confirmed")]
)
def test_the_screen_is_right_where_the_whole_interval_is_above_a_half(shares, answer):
    own = [network(seed, (exponential,) * 4, share) for seed, share in enumerate(shares)]
    assert screen_agrees(own)[0] == answer
    assert f"{100 * np.mean(shares):.0f}%" in agreement(own)


def test_without_three_networks_nothing_is_judged():
    for check in (straight, lower_everywhere, screen_agrees):
        assert check(FALLING[:2])[0] == "not testable"
    assert curve_table([]) == agreement([]) == ""


def test_the_curves_are_drawn(tmp_path):
    draw_curves(tmp_path / "curves.png", FALLING)
    draw_curves(tmp_path / "none.png", [])
    with Image.open(tmp_path / "curves.png") as image, Image.open(tmp_path / "none.png") as none:
        assert image.size == none.size == (1280, 740)
        assert image.tobytes() != none.tobytes()


def test_the_recipe_runs_on_digits_with_and_without_fine_tuning(tmp_path):
    arms = ("local-raw", "unscaled-raw", "forward-tolerance-raw", "l1", CURVES)
    options = {"epochs": 2, "seeds": 1, "data_set": "digits", "subset": 150, "arms": arms}
    conduct_recipe(VisionConfig("greedy/lenet-mnist", out=tmp_path, **options))
    with (tmp_path / "points.csv").open() as file:
        rows = {(row["arm"], row["part"], row["cycle"]): row for row in csv.DictReader(file)}
    dense, raw, control, tuned = (
        rows[key]
        for key in (
            ("local-raw", "0", "0"),
            ("local-raw", "3", "1"),
            ("unscaled-raw", "3", "1"),
            ("l1", "3", "1"),
        )
    )
    assert (dense["epochs"], raw["epochs"], control["epochs"], tuned["epochs"]) == ("", "0", "0", "1")
    assert float(raw["kept"]) == float(control["kept"]) == pytest.approx(20 / 300, abs=1e-5)
    assert raw["parameters"] == control["parameters"] == tuned["parameters"]
    assert raw["accuracy"] != control["accuracy"]
    stopped = [float(rows["forward-tolerance-raw", part, "1"]["kept"]) for part in "0123"]
    assert all(
        kept != pytest.approx(float(rows["local-raw", part, "1"]["kept"]))
        for part, kept in zip("0123", stopped, strict=True)
    )
    assert float(rows[CURVES, "0", "0"]["D line search 40"]) < float(rows[CURVES, "0", "0"]["D L1 40"])
    assert (tmp_path / "discrepancy.png").exists()
    assert "first layer, by number of units kept" in (tmp_path / "report.txt").read_text()


def test_each_criterion_is_there_right_after_the_cut_and_fine_tuned():
    for recipe in (LENET, find_recipe("greedy/resnet20-cifar10")):
        for name, arm in recipe.arms.items():
            if name in (CURVES, "unscaled-raw") or name.removesuffix("-raw") in VARIANTS:
                continue
            assert recipe.training_of(arm).epochs == (
                0 if name.endswith("-raw") else recipe.training.epochs // 2
            )
        plan = recipe.plan_of(recipe.arms["local"], 0, 0)
        assert (plan.scoring.criterion, plan.amount.scope, plan.stop.cycles) == ("greedy-local", "layer", 1)
        assert recipe.arms["unscaled-raw"].follows == "local-raw"
