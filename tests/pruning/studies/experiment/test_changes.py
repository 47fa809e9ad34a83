"""Options of `bttt vision`: which field of a recipe each sets, for each kind."""

from dataclasses import fields

import pytest

from pruning.studies.bilevel.recipes import BILEVEL_RECIPES
from pruning.studies.experiment.changes import option_changes
from pruning.studies.experiment.config import BILEVEL, CLASSIFIER, SETS, VisionConfig
from pruning.studies.vision.experiment import Recipe
from pruning.studies.vision.recipes import VISION_RECIPES
from pruning.studies.vision.task import Training

RECIPE, OF_WEIGHTS = VISION_RECIPES["silo/resnet20-cifar10"], BILEVEL_RECIPES["bilevel/l2-mnist"]
TARGETS = {
    CLASSIFIER: {field.name for field in fields(Recipe)}
    | {f"training.{field.name}" for field in fields(Training)},
    BILEVEL: {field.name for field in fields(type(OF_WEIGHTS))} | {"samples"},
}
OPTIONS = {option.name: option.metadata[SETS] for option in fields(VisionConfig) if SETS in option.metadata}


def test_every_option_sets_a_field_that_recipes_of_the_kind_have():
    assert len(OPTIONS) == 11
    for name, sets in OPTIONS.items():
        assert sets and sets.keys() <= TARGETS.keys(), name
        for kind, target in sets.items():
            assert target in TARGETS[kind], name


def test_no_two_options_set_the_same_field():
    for kind in TARGETS:
        found = [sets[kind] for sets in OPTIONS.values() if kind in sets]
        assert len(set(found)) == len(found)


def test_options_stand_above_the_small_scale_and_leave_the_rest_of_it(tmp_path):
    config = VisionConfig(small=True, epochs=7, batch=8, width=1.0, data=tmp_path)
    assert RECIPE.small["training"].keys() == {"epochs", "precision"} and RECIPE.small["width"] != 1
    training = {**RECIPE.small["training"], "epochs": 7, "batch": 8}
    assert option_changes(config, RECIPE, CLASSIFIER) == {**RECIPE.small, "training": training, "width": 1.0}
    assert option_changes(VisionConfig(data=tmp_path), RECIPE, CLASSIFIER) == {}


@pytest.mark.parametrize("name", [name for name, sets in OPTIONS.items() if BILEVEL not in sets])
def test_options_of_another_kind_are_refused(name):
    config = VisionConfig(recipe=OF_WEIGHTS.name, **{name: 1})
    with pytest.raises(ValueError, match=f"bilevel/l2-mnist has no option {name}, got 1"):
        option_changes(config, OF_WEIGHTS, BILEVEL)


def test_the_data_are_digits_where_no_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("BTTT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert option_changes(VisionConfig(), RECIPE, CLASSIFIER) == {"data": "digits"}
    assert option_changes(VisionConfig(data=tmp_path), RECIPE, CLASSIFIER) == {}
    assert option_changes(VisionConfig(data_set="mnist"), RECIPE, CLASSIFIER) == {"data": "mnist"}
    monkeypatch.setenv("BTTT_DATA", str(tmp_path))
    assert option_changes(VisionConfig(), RECIPE, CLASSIFIER) == {}
