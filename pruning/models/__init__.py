"""Image classifiers for the vision experiments: DropNet's models, LeNet, ResNet, VGG, WRN and a ViT.

>>> import torch
>>> from pruning.models import make_model
>>> network = make_model("resnet8", shape=(3, 32, 32), classes=10, width=0.5, seed=0)
>>> network(torch.zeros(2, 3, 32, 32)).shape
torch.Size([2, 10])

Modules: `registry` makes a network from its name, `sizes` has layer sizes, and `initialisation` has the rules
for initial weights. Each other module holds one family of networks.
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
