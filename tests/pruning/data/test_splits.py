"""Stratified choices, as properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.data.splits import shuffled, stratified

LABELS = st.lists(st.integers(0, 5), max_size=80).map(lambda labels: np.array(labels, dtype=np.int64))
SEEDS = st.integers(0, 2**32)


@given(LABELS, st.floats(0, 1), SEEDS)
def test_as_many_as_asked_for_and_every_class_its_share(labels, share, seed):
    count = round(share * len(labels))
    chosen = stratified(labels, count, seed)
    assert len(chosen) == len(set(chosen.tolist())) == count
    assert (np.diff(chosen) > 0).all()
    for label in set(labels.tolist()):
        fair = (labels == label).sum() * count / len(labels)
        assert abs((labels[chosen] == label).sum() - fair) < 1


@given(LABELS, st.floats(0, 1), SEEDS)
def test_the_same_seed_chooses_the_same(labels, share, seed):
    count = round(share * len(labels))
    assert stratified(labels, count, seed).tolist() == stratified(labels.copy(), count, seed).tolist()


def test_another_seed_chooses_others_and_each_item_has_its_chance():
    labels = np.arange(100) % 4
    chosen = [frozenset(stratified(labels, 20, seed).tolist()) for seed in range(200)]
    assert len(set(chosen)) == 200
    often = np.bincount([position for each in chosen for position in each], minlength=100)
    # binomial of 200 and 0.2: mean 40, deviation 5.7
    assert 15 < often.min() <= often.max() < 65


def test_the_places_that_rounding_leaves_go_to_the_largest_rests():
    labels = np.repeat([0, 1, 2], [7, 2, 1])
    assert np.bincount(labels[stratified(labels, 5, 0)], minlength=3).tolist() == [4, 1, 0]


@given(st.lists(st.integers(), max_size=40), SEEDS)
def test_shuffling_keeps_every_item(items, seed):
    found = shuffled(np.array(items, dtype=object), seed).tolist()
    assert sorted(found) == sorted(items)
    assert found == shuffled(np.array(items, dtype=object), seed).tolist()


def test_shuffling_changes_the_order():
    orders = {tuple(shuffled(np.arange(30), seed)) for seed in range(20)}
    assert len(orders) == 20
    assert tuple(range(30)) not in orders


@pytest.mark.parametrize("count", [-1, 4])
def test_no_more_than_there_are(count):
    with pytest.raises(ValueError, match=f"cannot choose {count} of 3 items"):
        stratified(np.array([0, 1, 2]), count, 0)


def test_the_seed_must_not_be_negative():
    with pytest.raises(ValueError, match=r"at least 0, got -1"):
        stratified(np.array([0, 1]), 1, -1)
