"""Standard deviations of a network's gradients and activations, which motivate SILO's schedule.

Liu et al. (TMLR 2023): a pruned ReLU network has narrower activations and therefore narrower gradients, so it
needs a larger learning rate. Both standard deviations are taken over all entries together.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import nn

from pruning.channels import cuttable, find_groups, observer
from pruning.criteria import Batch, Network


def measure_spread(
    network: nn.Module, batch: Batch, loss: Callable[[Network, Batch], torch.Tensor]
) -> dict[str, float]:
    """Returns the standard deviations of gradients and of activations on one batch.

    "gradient" is the value for the loss's gradient with respect to the nonzero weights of convolutions and
    linear layers; pruned weights are 0 and do not count. "activation" is the value for the units' outputs
    after their activations, including units that are always 0, without the network's outputs.

    Args:
        network: The network, in the mode in which it should run; it is not changed.
        batch: A batch; its first tensor holds the images.
        loss: Returns the mean loss of a network on a batch.
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
