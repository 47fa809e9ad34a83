"""Importance scores: how much each weight or unit matters to a trained network. Larger scores are kept.

A criterion is one function of the scoring context (`Evidence`) and one row of `CRITERIA`. Criteria for
weights return a score for each entry of each weight. Criteria for units return a score for each channel of
each group of coupled channels. Entries that are already pruned get a score too, which is ignored. `initial`
scores weights before training; `greedy` and `imitation` choose units one by one.

Shapes: N samples, C channels of a group, P positions of a feature map (1 for a linear layer). The units of a
group of attention heads are the heads: C is then their number, and positions are channels times tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.func import functional_call

from pruning.channels import Group, Slice, observer, removable, shrink
from pruning.criteria.evidence import Evidence, Network, Scores
from pruning.criteria.greedy import forward_selection
from pruning.criteria.imitation import global_imitation, local_imitation
from pruning.criteria.initial import grasp, snip, synflow
from pruning.masks import Masks, weight_masks


@dataclass(frozen=True, slots=True)
class Criterion:
    """A row of `CRITERIA`.

    Attributes:
        score: The scoring function; None for a criterion that chooses units.
        of: What it scores: "weights" or "units".
        before: Whether it needs the weights one epoch before the end of training.
        choose: The choosing function, instead of `score`, for units that are chosen one by one. It takes the
            scoring context and the number of units that each group keeps. It returns weights a_i of the units
            by group, which sum to 1 and are above 0 for kept units. A kept unit is scaled by N a_i, where N
            is the number of units before.
    """

    score: Callable[[Evidence], Scores] | None
    of: Literal["weights", "units"]
    before: bool = False
    choose: Callable[[Evidence, Mapping[str, int]], Scores] | None = None


def magnitude(evidence: Evidence) -> Scores:
    """Returns ``|w|`` of each weight."""
    return {name: weight.abs() for name, weight in evidence.weights().items()}


def gradient(evidence: Evidence) -> Scores:
    """Returns ``|w - w'|`` of each weight, where w' is its value one epoch earlier.

    The "gradient" of SILO's published code for ResNet-20 (Liu et al., TMLR 2023). Deviations: in that code,
    w' is two epochs old by an oversight, and the weights of normalisations are pruned too; here they are not.
    """
    return {name: change.abs() for name, change in evidence.changes().items()}


def gradient_magnitude(evidence: Evidence) -> Scores:
    """Returns ``|w - w'| |w|`` of each weight, where w' is its value one epoch earlier.

    The score of SILO's published code for VGG-19, which ranks it layer by layer.
    """
    changes = evidence.changes()
    return {name: changes[name].abs() * w.abs() for name, w in evidence.weights().items()}


def random(evidence: Evidence) -> Scores:
    """Returns a uniform random number for each weight or unit."""
    return {
        name: torch.rand(mask.shape, generator=evidence.generator) for name, mask in evidence.alive.items()
    }


def dropnet(evidence: Evidence) -> Scores:
    """Returns each unit's mean absolute activation over samples and positions.

    DropNet's expected absolute value E (Tan and Motani, ICML 2020, section 3.1): ``|V|`` after the
    activation, averaged over the positions of the feature map and over the training split. A residual stream
    has one score for all places where it is read: their mean. The paper prunes such networks layer by layer.
    """
    return mean_of_maps(evidence, lambda maps: maps.abs().mean(2))


def dropnet_code(evidence: Evidence) -> Scores:
    """Returns each unit's mean over samples of ``|mean over positions|``, as in DropNet's published code.

    It differs from the paper's formula if activations can be negative.
    """
    return mean_of_maps(evidence, lambda maps: maps.mean(2).abs())


def maximum(evidence: Evidence) -> Scores:
    """Returns the negative of `dropnet`: the most active units are pruned first (the paper's control)."""
    return {name: -score for name, score in dropnet(evidence).items()}


def apoz(evidence: Evidence) -> Scores:
    """Returns minus the fraction of zeros among each unit's samples and positions (Hu et al., 2016).

    Raises:
        ValueError: No activation is exactly zero, for example after a leaky ReLU: all scores would be equal.
    """
    scores = mean_of_maps(evidence, lambda maps: -(maps == 0).double().mean(2))
    if not any(score[evidence.alive[name]].any() for name, score in scores.items()):
        raise ValueError("apoz counts activations that are zero, but this network has none: try dropnet")
    return scores


def apoz_code(evidence: Evidence) -> Scores:
    """Returns minus the fraction of samples for which the mean of the unit's map is zero.

    DropNet's published code counts this way; after a ReLU the mean is zero if the whole map is zero.
    """
    return mean_of_maps(evidence, lambda maps: -(maps.mean(2) == 0).double())


def l1(evidence: Evidence) -> Scores:
    """Returns the sum of absolute weights of each unit's filters (Li et al., ICLR 2017).

    Only weights of convolutions and linear layers count as filters; a group's score sums over its layers.
    """
    return _sum_over_filters(evidence, lambda filters: filters.abs().sum(1))


def l2(evidence: Evidence) -> Scores:
    """Returns the Euclidean norm of the weights of each unit's filters; see `l1`."""
    squares = _sum_over_filters(evidence, lambda filters: filters.square().sum(1))
    return {name: score.sqrt() for name, score in squares.items()}


def taylor(evidence: Evidence) -> Scores:
    """Returns the squared first-order change of the loss without each unit, averaged over batches.

    (sum of gradient times weight)^2 of Molchanov et al. (CVPR 2019, eq. 8), summed over the weights that read
    the unit. This sum equals the sum of gradient times activation over samples and positions. If the weights
    that make the unit were used instead, a normalisation would count twice: its own weights give the same
    sum, and the filter's weights nearly the same.
    """
    # copies, since parameters of the network may be frozen
    parameters = {
        name: weight.detach().clone().requires_grad_() for name, weight in evidence.network.named_parameters()
    }
    totals = {group.name: torch.zeros(group.size, dtype=torch.double) for group in evidence.scored_groups()}
    count = 0
    for batch in evidence.batches():
        loss = evidence.loss(lambda inputs: functional_call(evidence.network, parameters, (inputs,)), batch)
        grads = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        products = {
            name: (grad * weight).detach()
            for (name, weight), grad in zip(parameters.items(), grads, strict=True)
            if grad is not None
        }
        for group in evidence.scored_groups():
            parts = [_rows(part, group, products).sum(1) for part in _effects(group)]
            if parts:  # none for a layer whose output is unused
                totals[group.name] += sum(parts[1:], parts[0]).double().square().cpu()
        count += 1
    return {name: total / count for name, total in totals.items()}


def oracle(evidence: Evidence) -> Scores:
    """Returns the network's training loss without each single unit.

    DropNet's oracle (section 4.4 of the paper). It costs one pass over the training split for each unit, and
    suits plans that prune one unit per cycle.
    """
    scores = {}
    for group in evidence.scored_groups():
        alive = evidence.alive[group.name]
        scores[group.name] = torch.zeros(group.size, dtype=torch.double)
        for unit in alive.nonzero().flatten().tolist():
            kept = torch.ones(group.size, dtype=torch.bool)
            kept[unit] = False
            without = _masked_copy(evidence, group, kept)
            scores[group.name][unit] = _mean_loss(evidence, without)
    return scores


CRITERIA: dict[str, Criterion] = {
    "magnitude": Criterion(magnitude, "weights"),
    "gradient": Criterion(gradient, "weights", before=True),
    "gradient-magnitude": Criterion(gradient_magnitude, "weights", before=True),
    "random-weights": Criterion(random, "weights"),
    "snip": Criterion(snip, "weights"),
    "grasp": Criterion(grasp, "weights"),
    "synflow": Criterion(synflow, "weights"),
    "dropnet": Criterion(dropnet, "units"),
    "dropnet-code": Criterion(dropnet_code, "units"),
    "maximum": Criterion(maximum, "units"),
    "random": Criterion(random, "units"),
    "apoz": Criterion(apoz, "units"),
    "apoz-code": Criterion(apoz_code, "units"),
    "l1": Criterion(l1, "units"),
    "l2": Criterion(l2, "units"),
    "taylor": Criterion(taylor, "units"),
    "oracle": Criterion(oracle, "units"),
    "greedy-forward": Criterion(None, "units", choose=forward_selection),
    "greedy-local": Criterion(None, "units", choose=local_imitation),
    "greedy-global": Criterion(None, "units", choose=global_imitation),
}


@torch.no_grad()
def mean_of_maps(evidence: Evidence, of_maps: Callable[[Tensor], Tensor]) -> Scores:
    """Returns the mean over samples and a group's taps of `of_maps`, from maps `[N, C, P]` to `[N, C]`."""
    network, groups, alive = evidence.network, evidence.scored_groups(), evidence.alive
    if removable(evidence.groups, alive):
        network, _ = shrink(network, evidence.groups, alive)  # the same activations at less cost
    else:
        alive = Masks.ones(alive.shapes)
    observe = observer(network, [tap for group in groups for tap in group.taps])
    totals = {group.name: torch.zeros(int(alive[group.name].sum()), dtype=torch.double) for group in groups}
    samples = 0
    for batch in evidence.batches():
        observed = observe(batch[0])
        for group in groups:
            for tap in group.taps:
                maps = _maps(observed[tap], len(totals[group.name]), last=tap in group.last)
                totals[group.name] += of_maps(maps).double().sum(0).cpu() / len(group.taps)
        samples += len(batch[0])
    return {
        name: torch.zeros(mask.shape, dtype=torch.double).masked_scatter(mask, totals[name] / samples)
        for name, mask in alive.items()
    }


def _maps(values: Tensor, units: int, *, last: bool) -> Tensor:
    """Returns a tap's values as maps `[N, units, P]`; for a head, P counts its channels and tokens."""
    values = values.movedim(-1, 1) if last else values
    return values.reshape(len(values), units, -1)


def _sum_over_filters(evidence: Evidence, of_filters: Callable[[Tensor], Tensor]) -> Scores:
    """Returns the sum over a group's layers of `of_filters`, from filters `[C, weights]` to `[C]`."""
    weights = {name: tensor.detach().double() for name, tensor in evidence.network.named_parameters()}
    scores = {}
    for group in evidence.scored_groups():
        filters = [part for part in group.producers if weights[part.tensor].dim() > 1]
        sums = [of_filters(_rows(part, group, weights)) for part in filters]
        scores[group.name] = sum(sums[1:], sums[0]).cpu()
    return scores


def _rows(part: Slice, group: Group, tensors: Mapping[str, Tensor]) -> Tensor:
    """Returns a group's channels in one of its tensors, `[C, entries]`; zeros `[C, 1]` if it is missing."""
    if part.tensor not in tensors:
        return torch.zeros(group.size, 1)
    tensor = tensors[part.tensor].movedim(part.dim, 0)
    return tensor[part.offset : part.offset + group.size * part.span].reshape(group.size, -1)


def _effects(group: Group) -> Sequence[Slice]:
    """Returns the weights whose gradients times values sum to the effect of each channel of a group.

    These are the weights that read the channels. A layer before an addition has no such weights of its own:
    the weights of its normalisation are used instead, or else its own weights.
    """
    if not group.tied:
        return group.consumers
    norms = [part for part in group.producers if part.tensor.rpartition(".")[0] not in group.layers]
    return norms or group.producers


def _masked_copy(evidence: Evidence, group: Group, kept: Tensor) -> Network:
    """Returns the network as a function in which a group's dropped units are zero."""
    masks = weight_masks([group], {group.name: kept}, evidence.network)
    state = {name: tensor.detach() for name, tensor in evidence.network.state_dict().items()}
    for name, mask in masks.items():
        state[name] = state[name] * mask.to(state[name].device)
    return lambda inputs: functional_call(evidence.network, state, (inputs,))


@torch.no_grad()
def _mean_loss(evidence: Evidence, network: Network) -> float:
    total, samples = 0.0, 0
    for batch in evidence.batches():
        total += float(evidence.loss(network, batch)) * len(batch[0])
        samples += len(batch[0])
    return total / samples
