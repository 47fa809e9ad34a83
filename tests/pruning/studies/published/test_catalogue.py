"""All recipes: their plans, networks, claims and published numbers fit together, at both scales."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_vision import conducted, points

from bttt.runs import plain
from pruning.channels.groups import find_groups
from pruning.data.sets import SETS
from pruning.loop.prunable import whole
from pruning.loop.stored import stored_results
from pruning.models.registry import make_model
from pruning.studies.experiment.claims import judge
from pruning.studies.published.catalogue import find_recipe
from pruning.studies.vision.experiment import Recipe, stages
from pruning.studies.vision.recipes import VISION_RECIPES
from pruning.studies.vision.recipes.curves import AGREEMENT, CURVES, SUPPORTS, WAYS

SCALES = [(name, small) for name in VISION_RECIPES for small in (False, True)]
SHAPES = {
    "mnist": (1, 28, 28),
    "fashion-mnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
    "tiny-imagenet": (3, 64, 64),
}


DENSE = (CURVES, "dense-retrained")
"""Arms that prune nothing; others that do not are trained from the start."""


def recipe_of(name, small) -> Recipe:
    recipe = find_recipe(name)
    return recipe.with_changes(recipe.small) if small else recipe


def plans(recipe):
    """Each plan of a recipe's variants: variant, part, plan."""
    return [
        (name, part, recipe.plan_of(arm, part, 0))
        for name, arm in recipe.arms.items()
        for part in range(max(1, len(arm.parts)))
    ]


def test_the_issue_s_recipes_are_there():
    wanted = {
        *("dropnet/a-mnist", "dropnet/b-mnist", "dropnet/c-cifar10", "dropnet/resnet18-cifar10"),
        *("dropnet/vgg19-cifar10", "dropnet/resnet18-tiny", "dropnet/oracle-a20", "dropnet/reinit-a20"),
        *("silo/resnet20-cifar10", "silo/vgg19-cifar10", "silo/vit-cifar10", "silo/oracle-resnet20-cifar10"),
        *("retraining/lenet-mnist", "retraining/resnet56-cifar10", "tickets/lenet-mnist"),
        *("init/lenet-mnist", "init/resnet32-cifar10", "init/vgg19-cifar10", "rigl/lenet-mnist"),
        *("rigl/cnn-cifar10", "rigl/grid-cnn", "rigl/wrn22-2-cifar10"),
    }
    assert wanted <= VISION_RECIPES.keys()
    assert all(recipe.name == name for name, recipe in VISION_RECIPES.items())
    assert all(recipe.seeds >= 3 and recipe.claims and recipe.note for recipe in VISION_RECIPES.values())


def test_an_unknown_recipe_is_told_with_the_nearest():
    with pytest.raises(
        ValueError, match=r"unknown recipe 'dropnet/a-mnits' \(did you mean 'dropnet/a-mnist'"
    ):
        find_recipe("dropnet/a-mnits")


@pytest.mark.parametrize(("name", "small"), SCALES)
def test_plans_and_trainings_are_valid_and_stages_complete(name, small):
    recipe = recipe_of(name, small)
    assert recipe.data in SETS
    for arm, _, plan in plans(recipe):
        assert all(np.isfinite(plan.lr(cycle)(0.5)) for cycle in range(plan.stop.cycles + 1)), arm
        assert (plan.stop.cycles and plan.amount.drops) or plan.start.untrained or arm in DENSE
        assert recipe.training_of(recipe.arms[arm]).epochs >= bool(recipe.arms[arm].epochs)
    bases, hosts, followers = stages(recipe)
    for job in bases:
        assert recipe.base_plan(job.base, job.seed).lr(0)(0.0) >= 0
    hosted = {(job.arm, job.part, job.seed) for job in hosts}
    assert all((recipe.arms[job.arm].follows, job.part, job.seed) in hosted for job in followers)


@pytest.mark.parametrize("name", VISION_RECIPES)
def test_plans_fit_the_networks(name):
    recipe = find_recipe(name)
    small = recipe_of(name, True)
    for model, width in {(recipe.model, 0.05), (small.model, min(0.1, small.width))}:
        width = 1.0 if ":" in model or model == "vit" else width
        network = make_model(model, shape=SHAPES[recipe.data], classes=10, width=width, seed=0)
        example = torch.zeros(1, *SHAPES[recipe.data])
        kinds = {
            (plan.scoring.of, plan.amount.coupled, plan.amount.exclude): plan for _, _, plan in plans(recipe)
        }
        for plan in kinds.values():
            groups = find_groups(network.eval(), example, coupled=plan.amount.coupled)
            assert whole(plan, network, groups).size > 0


@pytest.mark.parametrize("name", VISION_RECIPES)
def test_the_small_scale_changes_only_what_it_says(name):
    full, small = recipe_of(name, False), recipe_of(name, True)
    for field in ("claims", "published", "sections", "note", "paper", "bases", "data", "init", "seeds"):
        assert getattr(small, field) is getattr(full, field)
    for field in ("model", "width", "subset", "classes", "cycles"):
        assert getattr(small, field) == full.small.get(field, getattr(full, field))
    for table in ("training", "plan"):
        before, after = (
            vars(getattr(each, table)) if table == "training" else getattr(each, table)
            for each in (full, small)
        )
        changed = full.small.get(table, {})
        assert dict(after) == {**before, **changed}
    assert all(arm is full.arms[name] for name, arm in small.arms.items())


MEASURED = {
    **{"gradient spread at 0.25": 1.0, "peak lr": 0.03, "interval low": 0.01, "interval high": 0.1},
    **{f"D {way} {support}": 1 / support for way in WAYS for support in SUPPORTS},
    **{
        AGREEMENT: 0.9,
        "validation accuracy": 0.9,
        "inference cost": 0.1,
        "training cost": 0.1,
        "kept out.weight": 0.1,
    },
}


def simulated(recipe):
    """Points of each variant at the densities of its plan, with equal accuracies in all variants."""
    found = []
    for arm, part, plan in plans(recipe):
        if plan.amount.count is None:
            densities = [(1 - plan.amount.fraction) ** cycle for cycle in range(plan.stop.cycles + 1)]
        else:
            densities = [1 - cycle / 40 for cycle in range(plan.stop.cycles + 1)]
        until = plan.stop.until_density
        last = next((i for i, each in enumerate(densities) if each <= until), len(densities))
        densities = densities[: last + 1]
        own = points(arm, [0.9] * len(densities), densities, part=part, metrics=MEASURED)
        found += [point for point in own if point.cycle or not plan.start.untrained]
    return found


@pytest.mark.parametrize("name", VISION_RECIPES)
def test_every_claim_can_be_tested_at_full_scale(name):
    recipe = find_recipe(name)
    for finding in judge(recipe.claims, simulated(recipe)):
        assert finding.verdict != "not testable", finding


@pytest.mark.parametrize("name", VISION_RECIPES)
def test_at_the_small_scale_a_claim_is_not_testable_only_where_its_arm_is_left_out(name):
    recipe = recipe_of(name, True)
    findings = judge(recipe.claims, simulated(recipe))
    for finding in findings:
        if finding.verdict == "not testable":
            assert "is missing" in finding.evidence or "has no level" in finding.evidence, finding
    assert any(finding.verdict != "not testable" for finding in findings)


@pytest.mark.parametrize("name", VISION_RECIPES)
def test_published_numbers_are_of_its_arms(name):
    recipe = find_recipe(name)
    for each in recipe.published:
        assert each.arm in recipe.arms
        assert 0 < each.density <= 1 and 0 < each.accuracy <= 1
        assert each.source in ("text", "code", "data", "figure")


@pytest.mark.parametrize("name", [name for name in VISION_RECIPES if name.startswith("retraining/")])
def test_what_is_retrained_is_retrained_for_equal_epochs(name):
    recipe = find_recipe(name)
    if "rewinding" not in name:
        assert len({recipe.training_of(arm).epochs for arm in recipe.arms.values()}) == 1
        return
    for share in (25, 50, 100):  # rewound weights train for the rest of the base training
        rewound = recipe.plan_of(recipe.arms[f"rewind-{share}"], 0, 0)
        assert 1 - rewound.start.rewind_to == pytest.approx(share / 100)
        assert recipe.training_of(recipe.arms[f"rewind-{share}"]).epochs == recipe.training.epochs
        ways = [f"{way}-{share}" for way in ("lr-rewind", "fine-tune") if f"{way}-{share}" in recipe.arms]
        epochs = {recipe.training_of(recipe.arms[way]).epochs for way in ways}
        assert epochs == {max(1, round(share / 100 * recipe.training.epochs))}


@pytest.mark.parametrize("name", [name for name in VISION_RECIPES if name.startswith("retraining/rewinding")])
def test_the_learning_rate_is_rewound_where_that_is_not_fine_tuning(name):
    recipe = find_recipe(name)
    progress = np.linspace(0, 1, 101)

    def rates(arm):
        return [recipe.plan_of(recipe.arms[arm], 0, 0).lr(1)(each) for each in progress]

    assert "lr-rewind-25" not in recipe.arms and len(set(rates("fine-tune-25"))) == 1
    assert max(rates("lr-rewind-50")) > max(rates("fine-tune-50"))
    assert rates("lr-rewind-100") == rates("reinit")  # of the base training


def test_the_numbers_of_units_of_model_a_are_the_published_ones(tmp_path):
    options = {"width": 1.0, "cycles": 24, "subset": 100}
    folder = conducted("dropnet/a-mnist", tmp_path / "run", arms=("minimum", "random"), **options)
    for arm in ("minimum", "random"):
        results = stored_results(folder / "runs" / f"{arm}-0" / "seed-0")
        assert [result.kept for result in results] == [80, 64, 52, 42, 34, 28, 23, 19, 16, 13, 11, 9, 8]


STORED = sorted(Path(__file__).parents[4].glob("results/vision/*/*/results.json"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: "-".join(path.parts[-3:-1]))
def test_the_arms_of_a_recipe_are_those_of_its_stored_results(path):
    """A stored setting is the same today; one that did not exist when it was stored has its default."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    recipe = find_recipe(stored["recipe"])
    for name, before in stored["arms"].items():
        arm = recipe.arms[name]
        assert plain({**asdict(type(arm)()), **before}) == plain(asdict(arm)), name


def test_there_are_stored_results_of_most_recipes():
    assert len(STORED) > 25
