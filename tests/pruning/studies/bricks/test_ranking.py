"""Rank correlations and regrets of predictors, computed by hand or by scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from pruning.studies.bricks.ranking import (
    AGAIN,
    LEARNED,
    PREDICTORS,
    RANDOM,
    predictor_quality,
    regret,
    rows_of,
    spearman,
)

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=9)


@given(PAIRS)
def test_rank_correlation_is_that_of_scipy_and_0_where_nothing_is_ranked(pairs):
    ones, others = zip(*pairs, strict=True)
    if len(set(ones)) == 1 or len(set(others)) == 1:
        assert spearman(ones, others) == 0
    else:
        assert spearman(ones, others) == pytest.approx(spearmanr(ones, others).statistic)


def test_regret_is_the_gain_that_the_pick_forgoes():
    assert regret([1, 3, 2], [0.5, 0.2, 0.9]) == pytest.approx(0.7)
    assert regret([1, 3, 4], [0.5, 0.2, 0.9]) == 0
    assert regret([0, 0, 0], [0.5, 0.2, 0.8]) == pytest.approx(0.3)  # any of them


def study(seeds, scores):
    """The results of a study of one choice between A1, A2 and A3, with B2 and B3 held out."""
    gains = {0: (3, 2, 1), 1: (3, 1, 2), 2: (1, 2, 3)}
    weighed = {
        (seed, "split-0a"): {
            "candidates": ["A1", "A2", "A3"],
            "held": ["B2", "B3"],
            "scores": dict.fromkeys(PREDICTORS, scores),
        }
        for seed in seeds
    }
    measured = {(seed, ""): measurements(10.0) for seed in seeds}
    for seed in seeds:
        for cell, gain in zip(("A1", "A2", "A3"), gains[seed], strict=True):
            measured[seed, cell] = measurements(10.0 - gain)
    return rows_of(weighed, measured)


def measurements(level):
    """A loss near `level` on the held-out cells; the other cells get a loss that must not count."""
    cells = {"B2": level - 1, "B3": level + 1, "C3": 77.0}
    return {"loss": cells, "losing": {cell: value / 100 for cell, value in cells.items()}}


def test_gains_are_over_the_held_out_cells_and_those_of_others_over_other_seeds():
    rows = study((0, 1, 2), (0.5, 0.3, 0.2))
    assert [row.gains["loss"] for row in rows[:3]] == pytest.approx([3, 2, 1])
    assert [row.gains_of_others["loss"] for row in rows[:3]] == pytest.approx([2, 1.5, 2.5])
    assert [row.gains["losing"] for row in rows[3:6]] == pytest.approx([0.03, 0.01, 0.02])


def test_predictors_are_judged_by_seed():
    found = {each.predictor: each for each in predictor_quality(study((0, 1, 2), (0.5, 0.3, 0.2)))}
    assert list(found) == [*PREDICTORS, AGAIN, RANDOM]
    learned = found[LEARNED]
    assert learned.correlation["loss"].mean == pytest.approx((1 + 0.5 - 1) / 3)
    assert learned.regret["loss"].mean == pytest.approx((0 + 0 + 2) / 3)
    assert learned.correlation["loss"].n == 3
    assert found[RANDOM].correlation["loss"].mean == 0
    assert found[RANDOM].regret["losing"].mean == pytest.approx(0.01)
    others = [(2, 1.5, 2.5), (2, 2, 2), (3, 1.5, 1.5)]
    own = [(3, 2, 1), (3, 1, 2), (1, 2, 3)]
    ceiling = sum(spearman(*pair) for pair in zip(others, own, strict=True)) / 3
    assert found[AGAIN].correlation["loss"].mean == pytest.approx(ceiling)
    assert not found[AGAIN].of_others


def test_one_seed_has_no_others_and_no_interval():
    found = predictor_quality(study((0,), (0.1, 0.2, 0.3)))
    assert [each.predictor for each in found] == [*PREDICTORS, RANDOM]
    assert found[0].correlation["loss"].mean == pytest.approx(-1)
    assert not found[0].correlation["loss"].known and not found[0].of_others
