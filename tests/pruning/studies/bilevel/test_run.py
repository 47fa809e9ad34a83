"""Runs keep to their budgets, measure at the marks of the budget, and read stored results again."""

import json
from dataclasses import replace
from math import log

import pytest
import torch
from tiny_vision import data_set

from pruning.bilevel.methods import METHODS
from pruning.bilevel.problem import Problem
from pruning.bilevel.start import State
from pruning.studies.bilevel.experiment import BilevelArm, BilevelJob, jobs_of
from pruning.studies.bilevel.problems import cleaning, penalties
from pruning.studies.bilevel.recipes import BILEVEL_RECIPES
from pruning.studies.bilevel.run import _refitted, _require_same_data, follow, read_points

CLEANING = BILEVEL_RECIPES["bilevel/cleaning-mnist"]
RECIPE = replace(CLEANING, train=40, validation=30, passes=30, calls=200, marks=5)
FEW = {
    "aid-fp": {"inner_steps": 1, "steps": 2},
    "aid-cg": {"inner_steps": 1, "steps": 1},
    "itd": {"inner_steps": 1},
    "vrbo": {"batch": 5, "small_batch": 2, "terms": 1, "inner_steps": 1},
    "mrbo": {"batch": 3, "terms": 1},
}


def task():
    return cleaning(data_set(), train=40, validation=30, noise=0.4, seed=0)


def curve(name, **options):
    return list(follow(task(), BilevelArm(name, {**FEW.get(name, {}), **options}), RECIPE, 0))


@pytest.mark.parametrize("name", METHODS)
def test_no_more_is_spent_than_the_budget_at_each_mark(name):
    found = curve(name)
    assert [each["spent"] for each in found] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    for each in found:
        share = max(each["samples"] / RECIPE.samples, each["calls"] / RECIPE.calls)
        assert share <= each["spent"]
        assert each["samples"] == sum(each[f"{kind} samples"] for kind in ("gradient", "hvp", "cross"))
        assert each["calls"] == each["gradients"] + each["hvps"] + each["crosses"]
        assert each["diverged"] == 0
    steps = [each["outer steps"] for each in found]
    assert steps == sorted(steps) and steps[-1] > 0
    assert ("refit validation loss" in found[-1]) and "refit validation loss" not in found[0]


def test_the_budget_is_used_up_to_a_step():
    found = curve("aid-cg")  # a step: two gradients, of 40 and of 30, a mixed product, one of the Hessian;
    first, each = 150, 190  # and after the first step one more, for the residual at the start
    assert (found[-1]["samples"] - first) % each == 0
    assert RECIPE.samples - each < found[-1]["samples"] <= RECIPE.samples
    single = curve("ttsa", terms=2)  # 2 + 2 + 1 calls
    assert single[-1]["calls"] == 200 and single[-1]["samples"] == 200


def test_the_same_seed_is_the_same_run_and_another_is_not():
    def told(seed):
        arm = BilevelArm("ttsa", {})
        return [{**each, "seconds": 0} for each in follow(task(), arm, RECIPE, seed)]

    assert told(0) == told(0) != told(1)


@pytest.mark.parametrize("lr", [1e10, 1e18, 1e30])
def test_what_diverges_ends_with_what_was_finite(lr):
    found = curve("aid-fp", outer_lr=lr, inner_lr=lr)
    assert [each["diverged"] for each in found] == sorted(each["diverged"] for each in found)
    assert found[-1]["diverged"] == 1 and found[-1]["outer steps"] == found[-2]["outer steps"] < 5
    assert all(torch.tensor(list(each.values())).isfinite().all() for each in found)


def test_the_upper_loss_sees_validation_samples_alone_and_the_lower_one_training_samples():
    seen = {"upper": 0, "lower": 0}
    whole = cleaning(data_set(), train=40, validation=11, noise=0.4, seed=0)

    def watched(name, loss):
        def call(x, y, batch):
            seen[name] = max(seen[name], int(batch.max()))
            return loss(x, y, batch)

        return call

    problem = Problem(watched("upper", whole.problem.upper), watched("lower", whole.problem.lower))
    for name in METHODS:
        arm = BilevelArm(name, FEW.get(name, {}))
        list(follow(replace(whole, problem=problem), arm, replace(RECIPE, calls=40), 0))
    assert seen == {"upper": 10, "lower": 39}


def test_upper_variables_too_large_to_solve_for_are_told_as_diverged():
    wild = penalties(data_set(), train=40, validation=30, added=3, seed=0)
    start = State({"penalty": torch.full_like(wild.start.x["penalty"], 1e4)}, wild.start.y)
    found = _refitted(replace(wild, start=start), start)
    assert found["diverged"] == 1 and found["refit validation loss"] == pytest.approx(log(3))
    assert "diverged" not in _refitted(wild, wild.start)


def test_jobs_are_all_arms_levels_and_seeds_each_with_a_file_of_its_own():
    jobs = jobs_of(RECIPE)
    assert len(jobs) == len(RECIPE.arms) * 2 * 3 == len({job.file for job in jobs})


def stored(folder, content):
    recipe = RECIPE.with_changes({"arms": ["aid-cg"], "seeds": 1})
    path = folder / BilevelJob("aid-cg", 0.4, 0).file
    path.parent.mkdir(parents=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return recipe


def test_runs_of_other_options_are_refused(tmp_path):
    arm = {"method": "aid-cg", "options": {"steps": 99}, "baseline": ""}
    recipe = stored(tmp_path, {"arm": arm, "curve": []})
    with pytest.raises(
        ValueError, match=r"seed-0.json belongs to another variant: .*99.* there, .* here; choose anoth"
    ):
        read_points(recipe, tmp_path)


@pytest.mark.parametrize("content", ["no JSON", {"some": "thing"}])
def test_damaged_runs_are_refused(tmp_path, content):
    recipe = stored(tmp_path, content)
    with pytest.raises(ValueError, match=r"seed-0.json is corrupt \(.*\): repair or delete it"):
        read_points(recipe, tmp_path)


def test_runs_made_with_other_data_are_refused(tmp_path):
    path, images = tmp_path / "seed-0.json", data_set()
    path.write_text(json.dumps({"data": images.fingerprint}))
    _require_same_data(path, images)
    with pytest.raises(
        ValueError, match=r"seed-0.json was made with other data: training images are .* there"
    ):
        _require_same_data(path, data_set(seed=5))
    path.write_text("{}")  # an earlier version
    _require_same_data(path, data_set(seed=5))
