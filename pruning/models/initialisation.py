"""Rules for the initial weights of a network.

Each rule except the first draws new weights for convolutions and linear layers and sets their biases to 0.
Other parameters stay as their modules made them; one rule also draws the scales of batch normalisations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from pruning.channels import LAYERS, NORMS

SPREAD = 0.02
"""Standard deviation of the normalisations' initial scales in SILO's recipe; their mean is 1."""


def keep(network: nn.Module) -> None:
    """Leaves the network as it was built."""


def draw(network: nn.Module, weights: Callable[[Tensor], object], spread: float = 0.0) -> None:
    """Draws a network's weights in place, from torch's global random numbers.

    Args:
        network: Any network.
        weights: Draws one weight in place.
        spread: Standard deviation of the scales of batch normalisation, around 1.
    """
    for module in network.modules():
        if isinstance(module, LAYERS):
            weights(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, NORMS) and module.affine and spread:
            nn.init.normal_(module.weight, 1.0, spread)


INITS: dict[str, Callable[[nn.Module], None]] = {
    "default": keep,
    "glorot-uniform": partial(draw, weights=nn.init.xavier_uniform_),
    "xavier-normal": partial(draw, weights=nn.init.xavier_normal_, spread=SPREAD),
    "kaiming-normal": partial(draw, weights=partial(nn.init.kaiming_normal_, nonlinearity="relu")),
}
"""The rules by name: as built (torch's defaults, except in the ViT), Keras (DropNet), SILO, He for ReLU."""
