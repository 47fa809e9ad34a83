"""Scores of weights before training: SNIP, GraSP and SynFlow. Larger scores are kept.

The scores use the same weights that are trained afterwards. They are computed on a temporary copy of the
network, since batch normalisation in training mode would update its statistics. (The published code of GraSP
and SNIP scores newly drawn weights in linear layers.)

The data are a small stratified sample, `Evidence.sample`: equally many samples of each class, or of each part
of a game. Losses are summed over its batches; each batch has its own normalisation statistics.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from pruning.criteria.evidence import Evidence, Scores, as_tuple, with_tensors

TEMPERATURE = 200.0
"""GraSP's temperature: it divides the outputs by this number."""


def snip(evidence: Evidence) -> Scores:
    """Returns |g w| of each weight, where g is the gradient of the loss (Lee et al., ICLR 2019, eq. 6).

    The paper's division by the sum of all scores is left out, since it changes no mask.
    """
    network = _scored_copy(evidence)
    weights = _weights(network, evidence)
    return {
        name: (gradient * weights[name]).abs().detach()
        for name, gradient in _gradients(evidence, network, weights, graph=False).items()
    }


def grasp(evidence: Evidence) -> Scores:
    """Returns w (H g) of each weight: the loss of squared gradient norm when the weight is removed.

    Wang, Zhang and Grosse, ICLR 2020, eq. 8: S = -w (H g) is the change of the gradient flow when the weight
    is removed. The weights with the largest S are pruned, so the score is -S. Gradient g and Hessian H are
    those of the loss with outputs divided by 200, over the prunable weights that are alive. If a network has
    several outputs, for example policy and value, all are divided: otherwise the loss of the undivided
    outputs would dominate the scores.
    """
    network = _scored_copy(evidence)
    weights = _weights(network, evidence)
    gradients = _gradients(evidence, network, weights, graph=True, temperature=TEMPERATURE)
    flow = torch.stack(
        [
            (gradient * gradient.detach() * evidence.alive[name].to(gradient.device)).sum()
            for name, gradient in gradients.items()
        ]
    ).sum()
    products = torch.autograd.grad(flow, list(weights.values()), allow_unused=True)
    return {
        name: torch.zeros_like(weight) if product is None else (weight * product).detach()
        for (name, weight), product in zip(weights.items(), products, strict=True)
    }


def synflow(evidence: Evidence) -> Scores:
    """Returns |w| dR/d|w| of each weight, where R is the sum of outputs for an input of ones.

    Tanaka et al., NeurIPS 2020.

    Weights are replaced by their absolute values, normalisations have mean 0 and variance 1, and tanh and
    sigmoid, which would saturate, are skipped. R is then a sum over paths from input to output, which
    avoids layer collapse: no layer is the first to lose its last path. The score uses no data and is computed
    in float64. It suits many rounds (`Scoring.rounds`; the paper uses 100). Where the network reads tokens,
    whole numbers, each embedding returns the mean of all its rows: an input in which no token is preferred.
    """
    network = copy.deepcopy(evidence.network).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.requires_grad_(False).abs_()
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats:
                module.reset_running_stats()
    weights = _weights(network, evidence)
    tokens = not evidence.example.is_floating_point()
    ones = torch.ones_like(evidence.example[:1], dtype=None if tokens else torch.double)
    with _WithoutSaturation():
        outputs = network(ones)
    sums = [output.sum() for output in as_tuple(outputs)]
    total = sum(sums[1:], sums[0])
    gradients = torch.autograd.grad(total, list(weights.values()), allow_unused=True)
    return {
        name: torch.zeros_like(weight) if gradient is None else (weight * gradient).detach()
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
    }


class _WithoutSaturation(TorchFunctionMode):
    """Makes tanh and sigmoid return their input, and embeddings the mean of their rows."""

    _LEFT_OUT = (torch.tanh, Tensor.tanh, torch.sigmoid, Tensor.sigmoid)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func is functional.embedding:
            tokens, weight = args[:2]
            return weight.mean(0).expand(*tokens.shape, -1)
        return args[0] if func in self._LEFT_OUT else func(*args, **(kwargs or {}))


def _scored_copy(evidence: Evidence) -> nn.Module:
    network = copy.deepcopy(evidence.network).train()
    return network.requires_grad_(False)


def _weights(network: nn.Module, evidence: Evidence) -> dict[str, Tensor]:
    """Returns the weights to score, the only parameters that require gradients."""
    parameters = dict(network.named_parameters(remove_duplicate=False))
    return {name: parameters[name].requires_grad_() for name in evidence.alive}


def _gradients(
    evidence: Evidence,
    network: nn.Module,
    weights: dict[str, Tensor],
    *,
    graph: bool,
    temperature: float = 1.0,
) -> dict[str, Tensor]:
    """Returns the gradients of the loss, summed over the sample's batches; zeros for unused weights."""

    def cooled(inputs: Tensor) -> object:
        return with_tensors(network(inputs), lambda output: output / temperature)

    totals = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    count = 0
    for batch in evidence.sample():
        with sdpa_kernel(SDPBackend.MATH):  # fused attention has no second derivative
            loss = evidence.loss(cooled, batch) * len(batch[0])
        found = torch.autograd.grad(loss, list(weights.values()), create_graph=graph, allow_unused=True)
        for (name, total), gradient in zip(list(totals.items()), found, strict=True):
            totals[name] = total if gradient is None else total + gradient
        count += len(batch[0])
    if not count:
        raise ValueError("scores before training need samples, but the task's sample is empty")
    return totals
