"""How widely the gradients and the activations of a network are spread: what SILO's schedule reasons from.

Liu et al. (TMLR 2023): a ReLU network that is pruned has narrower activations, so narrower gradients, so it
wants a larger learning rate. Both are measured here; the deviations are of all entries together.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import nn

from pruning.channels import cuttable, find_groups, observer
from pruning.criteria import Batch, Network


def spread(
    network: nn.Module, batch: Batch, loss: Callable[[Network, Batch], torch.Tensor]
) -> dict[str, float]:
    """Returns the standard deviations of gradients and of activations on one batch.

    "gradient": of the loss with respect to the weights of convolutions and linear layers that are not exactly
    0, which pruned weights are. "activation": of the units' values after their activations, those that are
    always 0 too; the network's outputs are no units.

    Args:
        network: In the mode in which it runs; it stays as it is.
        batch: Images first.
        loss: The mean loss of a batch.
    """
    network = copy.deepcopy(network)
    loss(network, batch).backward()
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    weights = [(layer.weight, layer.weight.grad) for layer in layers]
    gradients = torch.cat([grad[weight != 0].flatten() for weight, grad in weights if grad is not None])
    taps = [tap for group in cuttable(find_groups(network, batch[0][:1])) for tap in group.taps]
    with torch.no_grad():
        observed = observer(network, taps)(batch[0])
    numbers = torch.cat([values.flatten() for values in observed.values()])
    return {"gradient": float(gradients.double().std()), "activation": float(numbers.double().std())}
