"""pruning/data."""

from pruning.data.augmentation import AUGMENTATIONS
from pruning.data.loading import DataSet, ImageSplit, load
from pruning.data.sets import SETS, VARIABLE, is_there

__all__ = [
    "AUGMENTATIONS",
    "SETS",
    "VARIABLE",
    "DataSet",
    "ImageSplit",
    "is_there",
    "load",
]
