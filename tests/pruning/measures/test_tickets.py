from itertools import product
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pruning.measures.tickets import Bounds, verdict

KINDS = ("dense", "tuned", "ticket", "reinit", "random_mask")
DENSE = (0.90, 0.91, 0.92)


def near(values, by, spread=0.0001):
    """Accuracies so far above others, and not quite evenly."""
    return [value + by + spread * sign for value, sign in zip(values, (-1, 0, 1), strict=True)]


def judged(*, dense=DENSE, recipe=0.0, ticket=0.0, reinit=-0.03, random_mask=-0.05, **options):
    """A verdict from how far accuracies are above the dense network's, and the tuned network's above it."""
    tuned, own, other, random = (near(dense, each) for each in (recipe, ticket, reinit, random_mask))
    return verdict(dense=dense, tuned=tuned, ticket=own, reinit=other, random_mask=random, **options)


def passed(found):
    return {check.name: check.passed for check in found.checks}


RECIPE = {True: 0.0, False: 0.02}
NONTRIVIAL = {True: -0.05, False: 0.0}
GAP = {True: -0.03, False: 0.0}
LEVEL = {"match": 0.0, "second": -0.007, "neither": -0.02}


@pytest.mark.parametrize(
    ("recipe", "nontrivial", "gap", "level"),
    list(product((True, False), (True, False), (True, False), LEVEL)),
)
def test_the_whole_truth_table(recipe, nontrivial, gap, level):
    ticket = LEVEL[level]
    found = judged(
        recipe=RECIPE[recipe], random_mask=NONTRIVIAL[nontrivial], ticket=ticket, reinit=ticket + GAP[gap]
    )
    assert passed(found) == {
        "recipe": recipe,
        "nontrivial": nontrivial,
        "gap": gap,
        "match": level == "match",
        "second": level != "neither",
    }
    prizes = {"match": "jackpot", "second": "secondary prize", "neither": "none"}
    assert found.name == (prizes[level] if recipe and nontrivial and gap else "none")


def test_a_weak_recipe_that_matches_its_own_weak_dense_network_is_no_jackpot():
    weak = judged(dense=(0.86, 0.87, 0.88), recipe=0.05, ticket=0.01)
    assert weak.name == "none"
    assert [name for name, good in passed(weak).items() if not good] == ["recipe"]
    assert judged(dense=(0.86, 0.87, 0.88), ticket=0.01).name == "jackpot"  # if no recipe is better


def test_a_mean_that_matches_is_not_enough_where_the_seeds_disagree():
    one, other = (0.90, 0.90, 0.90), (0.93, 0.90, 0.87)
    kinds = {"dense": one, "tuned": one, "reinit": (0.5, 0.5, 0.5), "random_mask": (0.4, 0.4, 0.4)}
    assert verdict(ticket=one, **kinds).name == "jackpot"
    found = verdict(ticket=other, **kinds)
    assert (found.name, passed(found)["match"], passed(found)["second"]) == ("secondary prize", False, True)


def test_the_bounds_are_one_sided_and_of_pairs():
    ticket, reinit = [0.91, 0.90, 0.94], [0.88, 0.88, 0.90]
    found = verdict(dense=DENSE, tuned=DENSE, ticket=ticket, reinit=reinit, random_mask=[0.1, 0.1, 0.1])
    values = {check.name: check.value for check in found.checks}
    for name, other in (("match", DENSE), ("gap", reinit)):
        one_sided = stats.ttest_rel(ticket, other, alternative="greater").confidence_interval(0.95)
        assert values[name] == pytest.approx(one_sided.low)
    assert values["second"] == pytest.approx(np.mean(ticket) - np.mean(DENSE))
    less_sure = verdict(
        dense=DENSE,
        tuned=DENSE,
        ticket=ticket,
        reinit=reinit,
        random_mask=[0.1, 0.1, 0.1],
        bounds=Bounds(confidence=0.5),
    )
    assert {check.name: check.value for check in less_sure.checks}["gap"] == pytest.approx(0.03)


def test_exactly_at_the_constants():
    even = {"dense": (0.9, 0.9), "reinit": (0.5, 0.5), "random_mask": (0.4, 0.4)}
    tuned = (0.905, 0.905)  # 0.9 - 0.905 is below -0.005 in binary digits
    assert passed(verdict(tuned=tuned, ticket=(0.89, 0.89), **even))["recipe"]
    assert passed(verdict(tuned=tuned, ticket=(0.89, 0.89), **even))["second"]
    assert not passed(verdict(tuned=tuned, ticket=(0.897, 0.897), **even))["match"]


def test_constants_are_used():
    assert judged(recipe=0.02, bounds=Bounds(recipe=0.03)).name == "jackpot"
    assert judged(ticket=-0.007, bounds=Bounds(match=0.01)).name == "jackpot"
    assert judged(bounds=Bounds(gap=0.04)).name == "none"
    assert judged(ticket=-0.007, bounds=Bounds(second=0.005)).name == "none"
    assert judged(random_mask=-0.05, bounds=Bounds(match=0.06)).name == "none"


def test_the_text_prints_the_verdict_its_figures_and_its_constants():
    head, *lines = judged(ticket=-0.007, bounds=Bounds(gap=0.0123, confidence=0.9)).text().splitlines()
    assert head == "secondary prize (3 seeds, one-sided bounds of 90%)"
    cells = {line.split()[0]: line.split()[-4:] for line in lines}
    assert cells["recipe"] == ["+0.00", ">=", "-0.50", "yes"]
    assert cells["nontrivial"] == ["-5.00", "<", "-0.30", "yes"]
    assert cells["gap"][1:] == [">", "+1.23", "yes"]
    assert cells["match"][1:] == [">", "-0.30", "no"]
    assert cells["second"] == ["-0.70", ">=", "-1.00", "yes"]
    assert len(lines) == 5


def test_one_seed_has_no_verdict():
    found = verdict(dense=[0.9], tuned=[0.9], ticket=[0.95], reinit=[0.5], random_mask=[0.4])
    assert (found.name, found.seeds) == ("not testable", 1)
    assert isnan({check.name: check.value for check in found.checks}["gap"])
    assert found.text().startswith("not testable (1 seed, ")
    assert "nan" in found.text()


accuracies = st.lists(st.floats(0, 1), min_size=3, max_size=3)


@given(st.fixed_dictionaries(dict.fromkeys(KINDS, accuracies)))
def test_a_better_ticket_is_never_judged_worse(kinds):
    order = ("none", "secondary prize", "jackpot")
    before = verdict(**kinds).name
    room = 1 - max(kinds["ticket"])
    better = [value + room / 2 for value in kinds["ticket"]]  # as even as before
    assert order.index(verdict(**kinds | {"ticket": better}).name) >= order.index(before)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"reinit": [0.5, 0.5]},
            "the same seeds for each kind of network, got dense 3, tuned 3, ticket 3, reinit 2",
        ),
        ({"tuned": [0.9]}, "tuned 1"),
        ({"ticket": [0.9, nan, 0.9]}, "ticket must be accuracies in [0, 1], got nan"),
        ({"dense": [90, 91, 92]}, "dense must be accuracies in [0, 1], got 90"),
        ({"random_mask": [0.1, -0.1, 0.1]}, "random_mask must be accuracies in [0, 1], got -0.1"),
        ({"reinit": []}, "reinit must be a list of accuracies, one or more; got shape (0,)"),
    ],
)
def test_wrong_accuracies_are_refused(changed, message):
    kinds = dict.fromkeys(KINDS, (0.9, 0.9, 0.9))
    with pytest.raises(ValueError) as caught:
        verdict(**kinds | changed)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gap": -0.1}, "gap must be in [0, 1], got -0.1"),
        ({"recipe": 5}, "recipe must be in [0, 1], got 5"),
        ({"second": nan}, "second must be in [0, 1], got nan"),
        ({"confidence": 95}, "confidence must lie between 0 and 1, got 95"),
    ],
)
def test_wrong_constants_are_refused(options, message):
    with pytest.raises(ValueError) as caught:
        Bounds(**options)
    assert message in str(caught.value)
