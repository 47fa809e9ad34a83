"""Recipes, their changes, their jobs and the stages of the jobs."""

from dataclasses import fields, replace

import pytest

from bttt.runs.files import plain
from pruning.studies.published.catalogue import find_recipe
from pruning.studies.vision.experiment import Arm, Base, Job, Recipe, stages
from pruning.studies.vision.task import Training

RECIPE = Recipe(
    name="paper/experiment",
    paper="A Paper",
    data="digits",
    model="lenet:8-6",
    training=Training(epochs=40, batch=16, momentum=0.9),
    arms={
        "follower": Arm({"restart": "reinit"}, base="dense", follows="host"),
        "host": Arm({"criterion": "magnitude", "restart": "rewind"}, base="dense", epochs=0.5),
        "shots": Arm({"scope": "layer"}, base="other", parts=(0.5, 0.9), training={"cycle_momentum": True}),
        "alone": Arm({"fraction": 0.3}),
    },
    bases={"dense": Base("step", {"lr": 0.1}, epochs=0.01), "other": Base(), "unused": Base()},
    plan={"fraction": 0.2, "criterion": "dropnet", "schedule_options": {"lr": 0.01}},
    cycles=5,
    seeds=2,
)


def test_each_stage_needs_only_those_before():
    bases, hosts, followers = stages(RECIPE)
    assert bases == [Job("", base, 0, seed) for seed in range(2) for base in ("dense", "other")]
    assert followers == [Job("follower", "dense", 0, seed) for seed in range(2)]
    assert {(job.arm, job.part) for job in hosts} == {("host", 0), ("shots", 0), ("shots", 1), ("alone", 0)}
    assert [job.seed for job in hosts] == [0] * 4 + [1] * 4  # first, complete sets of variants
    made = {(job.base, job.seed) for job in bases}
    assert all((job.base, job.seed) in made for job in (*hosts, *followers) if job.base)


def test_each_job_has_a_folder_of_its_own_whatever_else_runs():
    jobs = [job for stage in stages(RECIPE) for job in stage]
    assert len({job.folder for job in jobs}) == len(jobs) == 4 + 8 + 2
    assert Job("shots", "other", 1, 7).folder == "runs/shots-1/seed-7"
    assert Job("", "dense", 0, 7).folder == "networks/dense/seed-7"
    fewer = RECIPE.with_changes({"arms": ("alone",), "seeds": 1})
    assert [job.folder for stage in stages(fewer) for job in stage] == ["runs/alone-0/seed-0"]
    assert set(Job.folder.fget(job) for stage in stages(fewer) for job in stage) < {j.folder for j in jobs}


def test_a_plan_is_the_recipe_s_with_the_arm_s_changes():
    plan = RECIPE.plan_of(RECIPE.arms["host"], 0, 3)
    wanted = {"criterion": "magnitude", "fraction": 0.2, "restart": "rewind", "cycles": 5, "seed": 3}
    assert plan.settings() == {**plan.settings(), **wanted}
    assert plan.learning_rate.schedule_options == {"lr": 0.01}
    assert RECIPE.plan_of(RECIPE.arms["alone"], 0, 0).amount.fraction == 0.3
    shots = [RECIPE.plan_of(RECIPE.arms["shots"], part, 0) for part in range(2)]
    assert [(shot.amount.fraction, shot.stop.cycles) for shot in shots] == [(0.5, 1), (0.9, 1)]
    base = RECIPE.base_plan("dense", 1)
    wanted = {"cycles": 0, "fraction": 0.0, "schedule": "step", "seed": 1}
    assert base.settings() == {**base.settings(), **wanted} and not base.amount.drops


def test_trainings_are_the_recipe_s_but_for_epochs_and_the_arm_s_changes():
    assert RECIPE.training_of(RECIPE.arms["host"]) == replace(RECIPE.training, epochs=20)
    assert RECIPE.training_of(RECIPE.arms["shots"]) == replace(RECIPE.training, cycle_momentum=True)
    assert RECIPE.training_of(RECIPE.bases["dense"]) == replace(RECIPE.training, epochs=1)  # not 0.4
    assert RECIPE.training_of(RECIPE.bases["other"]) == RECIPE.training


def test_changes_change_what_they_name_and_nothing_else():
    changes = {
        "training": {"epochs": 3},
        "plan": {"fraction": 0.5},
        "arms": ("host", "follower"),
        "width": 0.5,
        "seeds": 1,
    }
    found = RECIPE.with_changes(changes)
    assert found.training == replace(RECIPE.training, epochs=3)
    assert found.plan == {**RECIPE.plan, "fraction": 0.5}
    assert found.arms == {name: RECIPE.arms[name] for name in ("follower", "host")}
    assert list(found.arms) == ["follower", "host"]  # in the recipe's order
    others = {field.name for field in fields(Recipe)} - changes.keys()
    assert {name for name in others if getattr(found, name) is not getattr(RECIPE, name)} == set()
    assert RECIPE.with_changes({}) == RECIPE


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"arms": ("hosts",)},
            r"unknown variant 'hosts' \(did you mean 'host'\?\); variants of paper/experiment are",
        ),
        (
            {"arms": ("follower", "alone")},
            "variant 'follower' trains the masks of 'host', which must be chosen",
        ),
        ({"arms": ()}, "no variant is chosen; variants of paper/experiment are follower, host, shots, alone"),
        ({"training": {"epochs": -1}}, "epochs must be at least 0, got -1"),
    ],
)
def test_a_wrong_change_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        RECIPE.with_changes(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"data": "mnist"},
        {"model": "lenet:8-7"},
        {"width": 0.5},
        {"subset": 100},
        {"classes": 3},
        {"init": "glorot-uniform"},
        {"training": {"epochs": 3}},
        {"training": {"precision": "bfloat16"}},
    ],
)
def test_what_decides_a_run_is_among_its_settings(changes):
    assert RECIPE.with_changes(changes).settings() != RECIPE.settings()
    assert plain(RECIPE.with_changes(changes).settings()) != plain(RECIPE.settings())


@pytest.mark.parametrize("changes", [{"seeds": 9}, {"cycles": 9}, {"arms": ("host",)}])
def test_more_of_the_same_has_the_same_settings(changes):
    assert RECIPE.with_changes(changes).settings() == RECIPE.settings()


def test_another_network_leaves_its_own_layers_whole():
    recipe = find_recipe("dropnet/c-cifar10")
    assert recipe.plan["exclude"] == ("hidden*",)
    assert recipe.with_changes({"model": "resnet20"}).plan["exclude"] == ()
    assert find_recipe("dropnet/a-mnist").with_changes({"model": "dropnet-c"}).plan["exclude"] == ("hidden*",)
    tickets = find_recipe("tickets/resnet20-cifar10")  # whose layers are chosen by name
    assert tickets.with_changes({"model": "resnet8"}).plan == tickets.plan
