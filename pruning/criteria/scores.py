"""Importance scores: how much each weight, or each unit, matters to a trained network. Larger is kept.

A criterion is one function of `Evidence` and one row of `CRITERIA`. Those of weights return a score for each
entry of each weight, those of units one for each channel of each group of coupled channels; what is pruned
already gets a score as well, which no one looks at. Those for weights that are not trained yet stand in
`initial_criteria`, those that choose units one after the other in `greedy` and `imitation`.

Shapes: N samples, C channels of a group, P positions of a feature map (1 for a linear layer). The units of a
group of attention heads are the heads: then C is their number, and positions are channels times tokens.
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
        score: The function.
        of: What it scores: "weights" or "units".
        before: Whether it needs the weights of an epoch before the end.
        choose: Instead of `score`, for units that are chosen one after the other: from the evidence and the
            number of units that each group keeps to a share a_i of the layer's output for each unit, above 0
            where it is kept, in all 1. What is kept is scaled by N a_i, N being the units there were.
    """

    score: Callable[[Evidence], Scores] | None
    of: Literal["weights", "units"]
    before: bool = False
    choose: Callable[[Evidence, Mapping[str, int]], Scores] | None = None


def magnitude(evidence: Evidence) -> Scores:
    """Returns ``|w|`` of each weight."""
    return {name: weight.abs() for name, weight in evidence.weights().items()}


def gradient(evidence: Evidence) -> Scores:
    """Returns ``|w - w'|`` of each weight, w' being its value an epoch earlier.

    The "gradient" of SILO's published code for ResNet-20 (Liu et al., TMLR 2023). Deviations: there w' is two
    epochs old, by an oversight, and the weights of normalisations are pruned too, here never.
    """
    return {name: (w - evidence.before[name]).abs() for name, w in evidence.weights().items()}


def gradient_magnitude(evidence: Evidence) -> Scores:
    """Returns ``|w - w'| |w|`` of each weight, w' being its value an epoch earlier.

    The score of SILO's published code for VGG-19, there layer by layer.
    """
    return {name: (w - evidence.before[name]).abs() * w.abs() for name, w in evidence.weights().items()}


def random(evidence: Evidence) -> Scores:
    """Returns a uniform random number for each weight or unit."""
    return {
        name: torch.rand(mask.shape, generator=evidence.generator) for name, mask in evidence.alive.items()
    }


def dropnet(evidence: Evidence) -> Scores:
    """Returns each unit's mean absolute activation over samples and positions.

    DropNet's expected absolute value E (Tan and Motani, ICML 2020, section 3.1): ``|V|`` after the
    activation, mean over the positions of the feature map, mean over the training split. A stream of
    residual blocks, which the paper's networks cut layer by layer, has one value for all places where it is
    read: their mean.
    """
    return mean_of_maps(evidence, lambda maps: maps.abs().mean(2))


def dropnet_code(evidence: Evidence) -> Scores:
    """Returns each unit's mean over samples of ``|mean over positions|``, as DropNet's published code has it.

    It differs from the paper's formula where activations can be negative.
    """
    return mean_of_maps(evidence, lambda maps: maps.mean(2).abs())


def maximum(evidence: Evidence) -> Scores:
    """Returns the negative of `dropnet`: the most active units are dropped first (the paper's control)."""
    return {name: -score for name, score in dropnet(evidence).items()}


def apoz(evidence: Evidence) -> Scores:
    """Returns minus each unit's share of zeros among samples and positions (Hu et al., 2016).

    Raises:
        ValueError: No activation is zero anywhere, as behind a leaky ReLU: the scores would say nothing.
    """
    scores = mean_of_maps(evidence, lambda maps: -(maps == 0).double().mean(2))
    if not any(score[evidence.alive[name]].any() for name, score in scores.items()):
        raise ValueError("apoz counts activations that are zero, of which this network has none: try dropnet")
    return scores


def apoz_code(evidence: Evidence) -> Scores:
    """Returns minus each unit's share of samples whose map is zero on average.

    So DropNet's published code counts; after a ReLU that is where the whole map is zero.
    """
    return mean_of_maps(evidence, lambda maps: -(maps.mean(2) == 0).double())


def l1(evidence: Evidence) -> Scores:
    """Returns the sum of absolute weights of each unit's filters (Li et al., ICLR 2017).

    Filters are weights of convolutions and linear layers alone; a group's is the sum over its layers.
    """
    return _sum_over_filters(evidence, lambda filters: filters.abs().sum(1))


def l2(evidence: Evidence) -> Scores:
    """Returns the root of the sum of squared weights of each unit's filters; see `l1`."""
    squares = _sum_over_filters(evidence, lambda filters: filters.square().sum(1))
    return {name: score.sqrt() for name, score in squares.items()}


def taylor(evidence: Evidence) -> Scores:
    """Returns the squared first-order change of the loss without each unit, mean over batches.

    (sum of gradient times weight)^2, as Molchanov et al. (CVPR 2019, eq. 8), over the weights that read the
    unit: that sum is the one of gradient times activation over samples and positions. (Over the weights that
    make it a normalisation would count twice: its own weights give that sum, the filter's nearly so again.)
    """
    # copies, since a parameter of the network may be frozen
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
            if parts:  # a layer whose output is not used has none
                totals[group.name] += sum(parts[1:], parts[0]).double().square().cpu()
        count += 1
    return {name: total / count for name, total in totals.items()}


def oracle(evidence: Evidence) -> Scores:
    """Returns the training loss of the network without each unit, one at a time.

    DropNet's oracle (section 4.4 of the paper): it costs a pass over the training split for each unit. Meant
    for plans that drop one unit a cycle.
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
    """Returns a tap's values as maps `[N, units, P]`; the channels of a head are places as its tokens are."""
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
    """Returns a group's channels in one of its tensors, `[C, entries]`; no entries where it is not there."""
    if part.tensor not in tensors:
        return torch.zeros(group.size, 1)
    tensor = tensors[part.tensor].movedim(part.dim, 0)
    return tensor[part.offset : part.offset + group.size * part.span].reshape(group.size, -1)


def _effects(group: Group) -> Sequence[Slice]:
    """Returns weights whose gradients times values sum up to the effect of each channel of a group.

    They are those that read it. A layer before an addition has none of its own: then they are its
    normalisation's, or its own.
    """
    if not group.tied:
        return group.consumers
    norms = [part for part in group.producers if part.tensor.rpartition(".")[0] not in group.layers]
    return norms or group.producers


def _masked_copy(evidence: Evidence, group: Group, kept: Tensor) -> Network:
    """Returns the network as a function, with a group's units that are not kept at zero."""
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
