"""Labelled images for the vision experiments: reading, downloading, splitting and augmenting them.

>>> from pruning.data import AUGMENTATIONS, SETS, load
>>> digits = load("digits", validation=0.1, subset=200)
>>> len(digits.train), len(digits.validation), digits.shape
(180, 20, (1, 8, 8))
>>> sorted(AUGMENTATIONS)
['affine', 'crop-flip', 'none']

Modules: `loading` makes the splits and `sets` lists the data sets. `idx`, `batches` and `folders` read files,
`downloads` fetches them, and `augmentation` changes training images at random.
"""

from pruning.data.augmentation import AUGMENTATIONS
from pruning.data.loading import DataSet, ImageSplit, load, training_images
from pruning.data.sets import SETS, VARIABLE, is_there

__all__ = [
    "AUGMENTATIONS",
    "SETS",
    "VARIABLE",
    "DataSet",
    "ImageSplit",
    "is_there",
    "load",
    "training_images",
]
