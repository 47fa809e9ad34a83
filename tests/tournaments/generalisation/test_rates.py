import csv
import json
from dataclasses import asdict
from math import isnan, sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t
from stored_counts import counts_of, part_of

from bttt.board import Board
from bttt.runs.intervals import ratio_interval, wilson
from bttt.runs.tables import csv_text, rounded
from tournaments.generalisation.evaluation import Counts, Part
from tournaments.generalisation.networks import StudyNetwork
from tournaments.generalisation.rates import interval, numbered, study_rates

SQUARE = np.repeat(np.arange(3), 3), np.tile(np.arange(3), 3)
"""The seeds and boards of three networks on three boards each."""


def network(variant="base", brick_set="D4", seed=0):
    return StudyNetwork(variant, brick_set, seed, (brick_set,))


def counted(**hits):
    """The counts on boards named by their brick: ten trials each, all different."""
    return [Counts(Board(bricks=cell), 10, number, 10) for cell, number in hits.items()]


def part(measure="wins", on="single", simulations=0):
    return Part(measure, on, simulations, 10, ("all",), 0)


def test_the_width_is_that_of_seeds_and_of_boards_together():
    hits = np.array([51, 52, 53, 49, 50, 51, 47, 48, 49])
    low, high = interval(hits, np.full(9, 100), *SQUARE, distinct=900)
    # the means over seeds are 0.52, 0.5 and 0.48, those over boards 0.49, 0.5 and 0.51
    half = t.ppf(0.975, 2) * sqrt((0.02**2 + 0.01**2) / 3)
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half))


def test_the_interval_of_one_network_is_that_of_the_mean_over_boards():
    hits = np.array([3, 5, 4, 8, 6])
    low, high = interval(hits, np.full(5, 10), np.zeros(5, int), np.arange(5), distinct=50)
    half = t.ppf(0.975, 4) * np.std(hits / 10, ddof=1) / sqrt(5)
    assert (low, high) == pytest.approx((0.52 - half, 0.52 + half))


def test_the_interval_of_one_board_is_that_of_the_mean_over_seeds():
    low, high = interval(
        np.array([50, 52, 51]), np.full(3, 100), np.arange(3), np.zeros(3, int), distinct=300
    )
    half = t.ppf(0.975, 2) * 0.01 / sqrt(3)
    assert (low, high) == pytest.approx((0.51 - half, 0.51 + half))


@pytest.mark.parametrize(("hits", "share"), [(10, 1.0), (5, 0.5)])
def test_units_that_all_agree_leave_the_different_trials(hits, share):
    assert interval(np.full(9, hits), np.full(9, 10), *SQUARE, distinct=7) == wilson(share, 7)
    assert interval(np.array([3]), np.array([10]), *np.zeros((2, 1), int), distinct=10) == wilson(0.3, 10)


def test_intervals_end_at_nought_and_one():
    hits = np.array([10, 10, 10, 0, 0, 0, 4, 4, 4])
    assert interval(hits, np.full(9, 10), *SQUARE, distinct=90) == (0.0, 1.0)


@pytest.mark.parametrize("hits", [(3, 9), (5, 5)])
@pytest.mark.parametrize(("seeds", "boards"), [((0, 1), (0, 0)), ((0, 0), (0, 1)), ((0, 1), (0, 1))])
def test_two_units_give_no_interval_as_everywhere_else(hits, seeds, boards):
    found = interval(np.array(hits), np.full(2, 10), np.array(seeds), np.array(boards), distinct=20)
    assert all(map(isnan, (*found, *ratio_interval(np.array(hits), np.full(2, 10), 20))))


@pytest.mark.parametrize(("of_seeds", "of_boards"), [(0.1, 0.05), (0.0, 0.1), (0.1, 0.0), (0.05, 0.05)])
def test_the_interval_holds_the_truth_in_at_least_nineteen_of_twenty_studies(of_seeds, of_boards):
    rng = np.random.default_rng(0)
    seeds, boards = np.repeat(np.arange(3), 20), np.tile(np.arange(20), 3)
    held = 0
    for _ in range(1000):
        chance = 0.5 + of_seeds * rng.standard_normal(3)[seeds] + of_boards * rng.standard_normal(20)[boards]
        hits = rng.binomial(40, np.clip(chance, 0, 1))
        low, high = interval(hits, np.full(60, 40), seeds, boards, distinct=2400)
        held += low <= 0.5 <= high
    assert held / 1000 >= 0.95


def test_values_are_numbered_in_order():
    assert numbered(["b", "a", "b"]).tolist() == [0, 1, 0]


def test_rates_are_by_novelty_of_the_boards_of_each_network():
    measured = {
        network(brick_set="D3"): {part(): counted(D3=10, D5=8, C4=7, A1=2)},
        network(brick_set="D3", seed=1): {part(): counted(D3=9, D5=6, C4=5, A1=4)},
        network(brick_set="A1"): {part(): counted(D3=1, A1=3)},
    }
    rates = {(rate.brick_set, rate.novelty): rate for rate in study_rates(measured)}
    shares = {key: rate.rate for key, rate in rates.items()}
    assert shares == {
        ("D3", "seen"): 0.95,
        ("D3", "mirror"): 0.65,
        ("D3", "novel"): 0.3,
        ("D3", "all"): 51 / 80,
        ("A1", "seen"): 0.3,
        ("A1", "novel"): 0.1,
        ("A1", "all"): 0.2,
    }
    mirror = rates["D3", "mirror"]
    assert (mirror.seeds, mirror.boards, mirror.trials, mirror.distinct, mirror.cells) == (2, 2, 40, 40, 1)
    known = [rate for rate in rates.values() if max(rate.seeds, rate.boards) != 2]
    assert all(0 <= rate.low <= rate.rate <= rate.high <= 1 for rate in known) and len(known) == 3
    assert all(isnan(rate.low) and isnan(rate.high) for rate in rates.values() if rate not in known)


def test_measurements_variants_and_simulations_are_apart_and_other_boards_have_no_novelty():
    layouts = [Counts(Board(bricks=["A1", "B2"]), 8, 2, 8), Counts(Board(bricks=["D4", "B2"]), 8, 4, 8)]
    measured = {
        network(): {part(): counted(D4=5), part(simulations=9): counted(D4=6), part("losing", "x"): layouts},
        network("paper"): {part(): counted(D4=7)},
    }
    rates = study_rates(measured)
    assert {(r.variant, r.measure, r.on, r.simulations, r.novelty): r.rate for r in rates} == {
        ("base", "wins", "single", 0, "seen"): 0.5,
        ("base", "wins", "single", 0, "all"): 0.5,
        ("base", "wins", "single", 9, "seen"): 0.6,
        ("base", "wins", "single", 9, "all"): 0.6,
        ("base", "losing", "x", 0, "all"): 0.375,
        ("paper", "wins", "single", 0, "seen"): 0.7,
        ("paper", "wins", "single", 0, "all"): 0.7,
    }


@pytest.mark.parametrize("study", ["generalisation", "generalisation-paper"])
def test_the_rates_of_the_published_counts_are_the_published_ones(study):
    folder = Path(__file__).parents[3] / "results" / study
    stored = json.loads((folder / "generalisation.json").read_text())
    measured = {}
    for each in stored["networks"]:
        name = each["variant"], each["brick_set"], each["seed"]
        measured[StudyNetwork(*name, tuple(each["bricks"]))] = {
            part_of(line): counts_of(line, stored["boards"])
            for line in stored["counts"]
            if (line["variant"], line["set"], line["seed"]) == name
        }
    rows = [rounded(asdict(rate)) for rate in study_rates(measured)]
    published = list(csv.DictReader((folder / "generalisation.csv").read_text().splitlines()))
    for row, before in zip(rows, published, strict=True):
        if max(row["seeds"], row["boards"]) == 2:  # published before two units gave no interval
            assert row["low"] is None and row["high"] is None
            row |= {"low": before["low"], "high": before["high"]}
    assert csv_text(rows) == (folder / "generalisation.csv").read_text()
