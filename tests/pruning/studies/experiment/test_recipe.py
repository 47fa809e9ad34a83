"""What recipes of all kinds share, on a recipe without any kind."""

from dataclasses import dataclass, fields

import pytest

from bttt.runs.folder import default_folder
from bttt.runs.settings import option
from pruning.studies.bilevel.recipes import BILEVEL_RECIPES
from pruning.studies.experiment.recipe import ExperimentRecipe
from pruning.studies.vision.recipes import VISION_RECIPES


@dataclass(frozen=True)
class Way:
    speed: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Walk(ExperimentRecipe[Way, float]):
    miles: tuple[float, ...] = (1.0, 2.0)
    shoes: str = option("old", setting=False)


WALK = Walk(name="paper/walk", paper="A Paper", data="hills", model="legs", arms={"a": Way(), "b": Way(2.0)})


def test_settings_are_the_fields_that_say_so():
    settings = {"name": "paper/walk", "data": "hills", "model": "legs", "miles": [1.0, 2.0]}
    assert WALK.settings() == WALK.identity() == settings
    assert WALK.changeable() == {**WALK.settings(), "seeds": 3}
    assert WALK.record() == {"arms": {"a": {"speed": 1.0}, "b": {"speed": 2.0}}}


def test_changes_are_of_values_and_of_arms_by_name():
    found = WALK.with_changes({"arms": ["b"], "miles": (3.0,), "seeds": 1})
    assert (found.arms, found.miles, found.seeds) == ({"b": Way(2.0)}, (3.0,), 1)
    unchanged = {each.name for each in fields(Walk)} - {"arms", "miles", "seeds"}
    assert all(getattr(found, name) == getattr(WALK, name) for name in unchanged)
    assert list(WALK.with_changes({"arms": ["b", "a"]}).arms) == ["a", "b"]  # in the recipe's order


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 0}, "seeds must be at least 1, got 0"),
        ({"arms": ()}, "no variant is chosen; variants of paper/walk are a, b"),
        ({"arms": ["B"]}, r"unknown variant 'B' \(did you mean 'b'\?\); variants of paper/walk are a, b"),
    ],
)
def test_wrong_changes_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        WALK.with_changes(changes)


@pytest.mark.parametrize(
    ("recipe", "changes", "digest"),
    [
        ("dropnet/a-mnist", {}, "a52c63e7"),
        ("dropnet/a-mnist", {"data": "digits", "subset": None}, "b56b130e"),
        ("bilevel/cleaning-mnist", {}, "2f9a799d"),
        (
            "bilevel/cleaning-mnist",
            {"train": 1000, "validation": 1000, "passes": 100, "calls": 2000},
            "d33823ba",
        ),
    ],
)
def test_folders_keep_their_names(recipe, changes, digest):
    """Of runs made before recipes had a common base."""
    found = {**VISION_RECIPES, **BILEVEL_RECIPES}[recipe].with_changes(changes)
    assert default_folder("vision", found.identity()).name == f"vision-{digest}"
