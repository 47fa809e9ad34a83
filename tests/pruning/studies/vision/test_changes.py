"""The small scale of a recipe on data sets that have fewer images than it asks for."""

import pytest
from tiny_data import write_image_folder

from pruning.studies.experiment import VisionConfig
from pruning.studies.vision.changes import changed
from pruning.studies.vision.recipes import VISION_RECIPES

RECIPE = VISION_RECIPES["silo/resnet20-cifar10"]


def small(folder, **options):
    config = VisionConfig(RECIPE.name, small=True, data=folder, data_set="folder", **options)
    return changed(RECIPE, config).subset


def test_the_small_scale_takes_the_images_that_are_there_and_says_so(tmp_path, capsys):
    write_image_folder(tmp_path, images=15)
    assert RECIPE.small["subset"] > 30
    assert small(tmp_path) is None
    out = capsys.readouterr().out
    assert f"folder has 30 training images, fewer than the {RECIPE.small['subset']:,} that" in out
    assert out.strip().endswith("all are used")


def test_a_subset_of_one_s_own_is_not_changed(tmp_path, capsys):
    write_image_folder(tmp_path, images=2)
    assert small(tmp_path, subset=30) == 30  # refused when it is loaded
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["missing"])
def test_missing_data_are_not_looked_at(tmp_path, name):
    assert small(tmp_path / name) == RECIPE.small["subset"]
