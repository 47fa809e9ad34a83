import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from measured_prunings import level, losing, part, pruning
from stored_counts import counts_of, part_of

from bttt.runs.tables import csv_text, rounded
from pruning.loop.results import Result
from pruning.studies.alphazero.measures import LevelTimes, MeasuredLevel
from pruning.studies.compression.arms import ArmRun
from pruning.studies.compression.config import MeasuredPruning
from pruning.studies.compression.rates import level_rates, share_kept
from tournaments.generalisation.networks import StudyNetwork
from tournaments.generalisation.rates import interval

D3 = {"D3": 10, "D5": 8, "C4": 7, "A1": 2}
"""The training cell of a set "D3", two mirror images of it, and a novel cell."""


def by_group(measured):
    return {(rate.arm, rate.brick_set, rate.level, rate.novelty): rate for rate in level_rates(measured)}


def test_rates_are_by_level_and_by_how_new_the_boards_are_to_each_network():
    measured = [
        losing(D3, {"D3": 20, "D5": 30, "C4": 20, "A1": 50}, brick_set="D3"),
        losing(D3 | {"D3": 30}, {"D3": 40, "D5": 30, "C4": 20, "A1": 70}, brick_set="D3", seed=1),
        losing({"D3": 1, "A1": 3}, brick_set="A1"),
    ]
    found = by_group(measured)
    shares = {key[1:]: rate.rate for key, rate in found.items()}
    assert shares == {
        ("D3", 0, "seen"): 0.2,
        ("D3", 0, "mirror"): 0.075,
        ("D3", 0, "novel"): 0.02,
        ("D3", 0, "all"): 74 / 800,
        ("D3", 1, "seen"): 0.3,
        ("D3", 1, "mirror"): 0.25,
        ("D3", 1, "novel"): 0.6,
        ("D3", 1, "all"): 280 / 800,
        ("A1", 0, "seen"): 0.03,
        ("A1", 0, "novel"): 0.01,
        ("A1", 0, "all"): 0.02,
    }
    mirror = found["dropnet-layer", "D3", 1, "mirror"]
    assert (mirror.seeds, mirror.boards, mirror.trials, mirror.distinct) == (2, 2, 400, 400)


def test_intervals_are_over_seeds_and_boards():
    measured = [
        losing({"D3": 9, "A1": 20, "B1": 30, "C1": 30}, brick_set="D3"),
        losing({"D3": 9, "A1": 40, "B1": 30, "C1": 30}, brick_set="D3", seed=1),
    ]
    novel = by_group(measured)["dropnet-layer", "D3", 0, "novel"]
    hits, seeds, boards = np.array([20, 30, 30, 40, 30, 30]), np.arange(6) // 3, np.arange(6) % 3
    assert (novel.low, novel.high) == interval(hits, np.full(6, 100), seeds, boards, 600)
    assert novel.low < 0.3 < novel.high


def test_measurements_and_arms_are_apart():
    measured = [
        pruning({part(): {"D4": 5}, part("wins"): {"D4": 90}, part(simulations=100): {"D4": 1}}),
        losing({"D4": 7}, arm="rewind"),
    ]
    rates = [rate for rate in level_rates(measured) if rate.novelty == "seen"]
    assert {(rate.arm, rate.measure, rate.simulations): rate.rate for rate in rates} == {
        ("dropnet-layer", "losing", 0): 0.05,
        ("dropnet-layer", "wins", 0): 0.9,
        ("dropnet-layer", "losing", 100): 0.01,
        ("rewind", "losing", 0): 0.07,
    }


def test_costs_are_means_over_the_seeds():
    other = replace(level(1, 300, density=0.5), times=LevelTimes(one=0.3, batch=4.0, selfplay=4.0))
    measured = [
        losing({"D4": 5}, {"D4": 6}),
        losing({"D4": 5}, {"D4": 6}, seed=1, levels=[level(0), other]),
    ]
    rate = by_group(measured)["dropnet-layer", "D4", 1, "all"]
    assert (rate.parameters, rate.macs, rate.bytes) == (400, 4000, 1800)
    assert (rate.latency_1, rate.latency_64, rate.evaluations) == (0.4, 3.5, 24_000.0)
    assert rate.share == pytest.approx((0.5 + 0.3) / 2) and rate.density == pytest.approx((0.8 + 0.5) / 2)
    assert rate.kept == round((51 + 32) / 2)


def test_a_level_that_one_seed_has_counts_that_seed():
    measured = [losing({"D4": 5}, {"D4": 6}), losing({"D4": 5}, {"D4": 8}, {"D4": 9}, seed=1)]
    found = by_group(measured)
    assert [found["dropnet-layer", "D4", level, "all"].seeds for level in (0, 1, 2)] == [2, 2, 1]
    assert found["dropnet-layer", "D4", 2, "all"].parameters == 250


def test_weights_cut_leave_the_network_its_size_so_their_density_is_what_is_kept():
    levels = [level(0), level(1, 1000, density=0.75)]
    weights = losing({"D4": 5}, {"D4": 6}, arm="magnitude", levels=levels)
    channels = losing({"D4": 5}, {"D4": 6}, levels=levels)
    assert [share_kept(weights, number) for number in (0, 1)] == [1.0, 0.75]
    assert [share_kept(channels, number) for number in (0, 1)] == [1.0, 1.0]  # masked, not removed


def test_the_rates_of_the_published_counts_are_the_published_ones():
    folder = Path(__file__).parents[4] / "results/compression"
    stored = json.loads((folder / "compression.json").read_text())
    measured = []
    for each in stored["prunings"]:
        network = StudyNetwork(*[*each["network"].values()][:3], tuple(each["network"]["bricks"]))
        levels = [
            MeasuredLevel(Result.from_json(line), LevelTimes.from_json(line["times"]))
            for line in stored["levels"]
            if line["pruning"] == each["name"]
        ]
        counts = [{} for _ in levels]
        for line in stored["counts"]:
            if line["pruning"] == each["name"]:
                counts[line["level"]][part_of(line)] = counts_of(line, stored["boards"])
        measured.append(MeasuredPruning(ArmRun(each["arm"], network), levels, counts))
    rows = (rounded(asdict(rate)) for rate in level_rates(measured))
    assert csv_text(rows) == (folder / "compression.csv").read_text()
