"""Image classifiers for the vision experiments: DropNet's models, LeNet, ResNet, VGG, WRN and a ViT.

>>> import torch
>>> from pruning.models import make_model
>>> network = make_model("resnet8", shape=(3, 32, 32), classes=10, width=0.5, seed=0)
>>> network(torch.zeros(2, 3, 32, 32)).shape
torch.Size([2, 10])

Room `registry` makes a network by its name. The other rooms hold one family of networks each, the sizes of
their layers (`sizes`), and the rules for initial weights (`initialisation`).
"""

from pruning.models.memory import lay_out
from pruning.models.registry import MODELS, Model, check_model, make_model, unmasked

__all__ = [
    "MODELS",
    "Model",
    "check_model",
    "lay_out",
    "make_model",
    "unmasked",
]
