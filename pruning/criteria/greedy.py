"""Greedy forward selection of units, and the shared parts of greedy methods (`imitation` has the others).

A layer of N units is the average of N contributions. A pruned layer gives each unit a weight a_i >= 0; the
weights sum to 1, and most are 0. A kept unit is therefore scaled by N a_i. `fold` writes this scale into the
columns that read the unit; without it the methods lose most of their advantage. Layers are pruned in order of
execution, and later layers see the network as pruned so far.

N counts the alive units, which were not pruned before. Only groups of one layer can be selected from. Groups
that make a residual stream, or that a depthwise convolution follows, have no contributions of their own.

Shapes: C units of a group, B samples of a batch.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pruning.channels import Group
from pruning.criteria.evidence import Batch, Evidence, Network, as_tuple, batches_of
from pruning.limits import require_whole
from pruning.words import nearest

Weights = dict[str, Tensor]
"""Group name -> the weight a of each of its units, float64 `[C]` on the CPU."""


@dataclass(frozen=True)
class Layer:
    """A group to select from.

    Attributes:
        network: The network as pruned so far, in evaluation mode, without gradients.
        group: The group.
        alive: Units that were not pruned before, bool `[C]`.
        count: Number of units to keep.
    """

    network: nn.Module
    group: Group
    alive: Tensor
    count: int

    def gated(self, weights: Tensor) -> Network:
        """Returns the network as a function in which the units have these weights a; gradients flow to a."""
        tensors = dict(self.network.named_parameters(remove_duplicate=False))
        factors = _factors(self.group, weights * int(self.alive.sum()), tensors)
        gated = {name: tensors[name] * factor for name, factor in factors.items()}
        return lambda inputs: functional_call(self.network, gated, (inputs,))


def forward_selection(
    evidence: Evidence,
    keep: Mapping[str, int],
    *,
    candidates: int = 50,
    batch: int = 128,
    samples: int = 4000,
    tolerance: float | None = None,
    gate: float = 0.05,
    checked: int = 1000,
) -> Weights:
    """Returns the weights of units that are added one by one, each time the unit with the lowest loss.

    Ye et al., "Good Subnetworks Provably Exist" (ICML 2020), as in its code. With k units chosen, the weights
    step towards the next unit by 1 / (k + 1). No unit is chosen twice, so all chosen units have the same
    weight. Each step tries random units and compares their losses on a mini-batch. Deviation: no fine-tuning
    between layers; the cycle trains afterwards.

    Args:
        evidence: The scoring context.
        keep: Group name -> number of units to keep.
        candidates: Number of units tried in a step, among those not yet chosen.
        batch: Samples of a mini-batch.
        samples: Number of random training samples from which mini-batches are drawn.
        tolerance: If given, a layer is finished once the accuracy on `checked` training samples is at least
            1 - tolerance times the accuracy before the layer (the paper's code: 0.02). The layer may then
            keep fewer or more units than `keep`, or all of them. Needs labels, or distributions, as the
            second tensor of a batch.
        gate: That accuracy is measured only if the accuracy on the mini-batch is at least 1 - gate times the
            accuracy before the layer.
        checked: Number of samples for that accuracy.

    Returns:
        For each group of `keep`, weights with `keep` nonzero entries, or with a tolerance as many as needed.

    Raises:
        ValueError: An option or `keep` is out of range, or a group cannot be selected from.
    """
    require_whole(1, candidates=candidates, batch=batch, samples=samples, checked=checked)
    for name, share in {"tolerance": tolerance, "gate": gate}.items():
        if share is not None and not 0 <= share <= 1:
            raise ValueError(f"{name} must be 0 to 1, got {share}")
    drawn = draw(evidence, samples)
    minibatches = endless(drawn, batch, evidence.generator)
    check = [tensor[:checked] for tensor in drawn]

    def select(layer: Layer) -> Tensor:
        before = 0.0 if tolerance is None else _accuracy(layer.network, check)

        def ready(network: Network, batch: Batch, chosen: int) -> bool:
            if tolerance is None:
                return chosen == layer.count
            near = _accuracy(network, batch) >= (1 - gate) * before
            return near and _accuracy(network, check) >= (1 - tolerance) * before

        return _forward(layer, evidence, minibatches, candidates, ready)

    return layer_by_layer(evidence, keep, select, skip_whole=tolerance is None)


@torch.no_grad()
def _forward(
    layer: Layer,
    evidence: Evidence,
    minibatches: Iterator[Batch],
    candidates: int,
    ready: Callable[[Network, Batch, int], bool],
) -> Tensor:
    chosen = torch.zeros_like(layer.alive)
    while not chosen.equal(layer.alive):
        batch = next(minibatches)
        rest = (layer.alive & ~chosen).nonzero().flatten()
        tried = rest[torch.randperm(len(rest), generator=evidence.generator)[:candidates]]
        losses = []
        for unit in tried.tolist():
            network = layer.gated(equal(_with(chosen, unit)))
            losses.append(float(evidence.loss(network, batch)))
        best = torch.tensor(losses).nan_to_num(torch.inf).argmin()
        chosen = _with(chosen, int(tried[best]))
        if ready(layer.gated(equal(chosen)), batch, int(chosen.sum())):
            break
    return equal(chosen)


def layer_by_layer(
    evidence: Evidence,
    keep: Mapping[str, int],
    select: Callable[[Layer], Tensor],
    *,
    skip_whole: bool = True,
) -> Weights:
    """Returns the weights that `select` gives each group, in order of execution, each folded before the next.

    Args:
        evidence: The scoring context; its network is not changed.
        keep: Group name -> number of units to keep.
        select: Layer -> its weights `[C]`.
        skip_whole: Whether to skip layers that keep all their units.

    Raises:
        ValueError: `keep` names an unknown group or one that cannot be selected from, or its number is below
            1 or above the number of alive units.
    """
    network = copy.deepcopy(evidence.network).eval().requires_grad_(False)
    groups = _asked(evidence, keep)
    found = {}
    for group in groups:
        layer = Layer(network, group, evidence.alive[group.name], keep[group.name])
        whole = skip_whole and layer.count == int(layer.alive.sum())
        found[group.name] = equal(layer.alive) if whole else select(layer)
        fold(network, [group], scales({group.name: found[group.name]}, evidence.alive))
    return found


def scales(weights: Mapping[str, Tensor], alive: Mapping[str, Tensor]) -> Weights:
    """Returns the scale N a_i of each unit, by group.

    Args:
        weights: Group name -> weights a `[C]`.
        alive: Group name -> units before the selection, bool `[C]`.
    """
    return {name: each * int(alive[name].sum()) for name, each in weights.items()}


@torch.no_grad()
def fold(network: nn.Module, groups: Iterable[Group], scales: Mapping[str, Tensor]) -> None:
    """Multiplies the columns that read each unit by its scale, in place; a scale of 0 disconnects the unit.

    Args:
        network: The network at full size, dense or masked; a shrunk network has fewer columns.
        groups: The network's groups.
        scales: Group name -> scale of each unit `[C]`; other groups are not changed.

    Raises:
        ValueError: A name is unknown, or a group has another number of units.
    """
    known = {group.name: group for group in groups}
    tensors = dict(network.named_parameters(remove_duplicate=False))
    for name, scale in scales.items():
        if name not in known:
            raise ValueError(f"no group {name!r}{nearest(name, known)}; the groups are {', '.join(known)}")
        if scale.shape != (known[name].size,):
            raise ValueError(f"the scales of {name} must be [{known[name].size}], got {[*scale.shape]}")
        for tensor, factor in _factors(known[name], scale, tensors).items():
            tensors[tensor].mul_(factor)


def _factors(group: Group, scales: Tensor, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns factors for the tensors that read a group, by tensor name, in shapes that broadcast."""
    found: dict[str, Tensor] = {}
    shapes = {}
    for part in group.consumers:
        if part.tensor not in tensors:
            raise ValueError(f"group {group.name!r} belongs to another network: this has no {part.tensor}")
        tensor = tensors[part.tensor]
        shapes[part.tensor] = [-1 if dim == part.dim else 1 for dim in range(tensor.dim())]
        factor = found.setdefault(part.tensor, tensor.new_ones(tensor.shape[part.dim], requires_grad=False))
        entries = scales.to(tensor).repeat_interleave(part.span)
        factor[part.offset : part.offset + len(entries)] = entries
    return {name: factor.view(shapes[name]) for name, factor in found.items()}


def equal(units: Tensor) -> Tensor:
    """Returns equal weights for the units that are True in a bool `[C]`, float64 `[C]` with sum 1."""
    return units.double() / units.sum()


def draw(evidence: Evidence, samples: int) -> list[Tensor]:
    """Returns a number of random training samples in random order, or all if the split has fewer.

    It makes one pass over the split, and keeps only one batch and the drawn samples in memory.
    """
    keys = torch.empty(0)
    drawn: list[Tensor] = []
    for batch in evidence.batches():
        keys = torch.cat([keys, torch.rand(len(batch[0]), generator=evidence.generator)])
        drawn = [torch.cat(pair) for pair in zip(drawn, batch, strict=True)] if drawn else list(batch)
        keys, order = keys.sort()
        keys, order = keys[:samples], order[:samples].to(drawn[0].device)
        drawn = [tensor[order] for tensor in drawn]
    return drawn


def endless(drawn: Batch, size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Yields mini-batches without end, of `size` samples or all; each pass has another order."""
    size = min(size, len(drawn[0]))
    while True:
        order = torch.randperm(len(drawn[0]), generator=generator).to(drawn[0].device)
        for batch in batches_of([tensor[order] for tensor in drawn], size):
            if len(batch[0]) == size:
                yield batch


def _asked(evidence: Evidence, keep: Mapping[str, int]) -> list[Group]:
    """Returns the groups that `keep` names, in order of execution."""
    known = {group.name: group for group in evidence.scored_groups()}
    for name, count in keep.items():
        if name not in known:
            raise ValueError(
                f"no group {name!r} to select from{nearest(name, known)}; the groups are {', '.join(known)}"
            )
        if known[name].tied or len(known[name].layers) > 1:
            raise ValueError(f"{name} shares its channels, so its units cannot be selected one by one")
        alive = int(evidence.alive[name].sum())
        if not isinstance(count, int) or not 1 <= count <= alive:
            raise ValueError(f"{name} must keep 1 to {alive} units, got {count!r}")
    return [group for name, group in known.items() if name in keep]


@torch.no_grad()
def _accuracy(network: Network, batch: Batch) -> float:
    """Returns the fraction of samples whose largest logit is at the label, or at the target's maximum."""
    logits = as_tuple(network(batch[0]))[0]
    labels = batch[1] if batch[1].dim() == 1 else batch[1].argmax(1)
    return float((logits.argmax(1) == labels).double().mean())


def _with(chosen: Tensor, unit: int) -> Tensor:
    chosen = chosen.clone()
    chosen[unit] = True
    return chosen
