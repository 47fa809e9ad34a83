"""The tickets' part of the report: the verdict of Ma et al. by recipe and level."""

import pytest
from tiny_vision import points

from pruning.measures.tickets import Bounds, verdict
from pruning.studies.vision.recipes.tickets import SIGNS, verdicts

DENSITIES = (1.0, 0.4, 0.1)
ARMS = {"imp": (0.92, 0.93, 0.9), "reinit": (0.92, 0.88, 0.8), "shuffled": (0.92, 0.85, 0.6)}


def experiment(*, weak=0.0, seeds=3, leave_out=()):
    """Points of both recipes; under the weak recipe all networks are worse by `weak`."""
    return [
        point
        for recipe, less in (("weak", weak), ("tuned", 0.0))
        for name, accuracies in ARMS.items()
        if f"{recipe}-{name}" not in leave_out
        for point in points(f"{recipe}-{name}", [a - less for a in accuracies], DENSITIES, seeds=seeds)
    ]


def lines(points):
    """Recipe, % kept and verdict of each line, and its figures."""
    _, *told = verdicts(points).splitlines()
    found = []
    for line in told:
        words = line.split()
        if words[0] in ("weak", "tuned"):
            found.append((words[0], words[1], " ".join(words[2:-5]), words[-5:]))
    return found


def test_verdicts_are_those_of_the_function_on_the_same_accuracies():
    found = lines(experiment())
    assert [line[:2] for line in found] == [(r, k) for r in ("weak", "tuned") for k in ("40", "10")]
    for line, cycle in zip(found, (1, 2, 1, 2), strict=True):
        accuracies = {name: [ARMS[name][cycle] + 0.001 * seed for seed in range(3)] for name in ARMS}
        dense = [0.92 + 0.001 * seed for seed in range(3)]
        wanted = verdict(
            dense=dense,
            tuned=dense,
            ticket=accuracies["imp"],
            reinit=accuracies["reinit"],
            random_mask=accuracies["shuffled"],
        )
        assert line[2] == wanted.name
        for figure, check in zip(line[3], wanted.checks, strict=True):
            assert float(figure.rstrip("*")) == pytest.approx(100 * check.value, abs=0.005)
            assert figure.endswith("*") != check.passed
    assert found[0][2] == "jackpot" and found[1][2] != "jackpot"


def test_a_weak_recipe_wins_no_ticket():
    found = lines(experiment(weak=0.1))
    assert [line[2] for line in found] == ["none", "none", "jackpot", found[3][2]]
    assert all(line[3][0] == "-10.00*" for line in found[:2])  # the deficit of its dense networks


def test_the_constants_are_printed():
    told = " ".join(verdicts(experiment()).split())
    bounds = Bounds()
    for name in ("recipe", "match", "gap", "second"):
        assert f"{name} {100 * getattr(bounds, name):g}" in told
    assert f"bounds of {bounds.confidence:.0%} over the seeds" in told
    assert all(f"{name} {sign}" in told for name, sign in SIGNS.items())


def test_too_few_seeds_are_not_testable_and_a_missing_arm_is_no_line():
    assert {line[2] for line in lines(experiment(seeds=1))} == {"not testable"}
    assert {line[0] for line in lines(experiment(leave_out=("weak-reinit",)))} == {"tuned"}
    assert verdicts(experiment(leave_out=("weak-reinit", "tuned-shuffled"))) == verdicts([]) == ""


def test_only_seeds_that_all_arms_have_count():
    given = experiment()
    given = [point for point in given if not (point.arm == "tuned-shuffled" and point.seed)]
    assert [line[2] for line in lines(given) if line[0] == "tuned"] == ["not testable"] * 2
