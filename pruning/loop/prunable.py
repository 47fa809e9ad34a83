"""The weights or units that a plan may prune, what it leaves out, and its masks as masks of parameters."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from math import prod

from torch import Tensor, nn

from pruning.channels import Group, cuttable, find_groups, find_weights, require_usable
from pruning.loop.plan import Plan
from pruning.masks import Masks, weight_masks
from pruning.words import kind_of

EXCLUDED, OUTPUT = "excluded by the plan", "output of the network"
MOST_NAMED = 6
LOG = logging.getLogger("pruning")
"""Its warnings are lines on the standard error, unless the program sets up logging."""


def groups_of(plan: Plan, network: nn.Module, example: Tensor) -> tuple[Group, ...]:
    """Returns the groups that a plan of units needs; () for a plan of weights, whose network is not traced.

    Raises:
        ValueError: The network cannot be used, or for a plan of units not traced; or the example is not one
            tensor.
    """
    if not isinstance(network, nn.Module):
        raise ValueError(f"the task's build must return a network, it returned {kind_of(network)}")
    require_usable(network)
    if not isinstance(example, Tensor):
        raise ValueError(f"the task's example must be one tensor [B, ...], got {kind_of(example)}")
    if plan.scoring.of == "weights":
        return ()
    return find_groups(network, example, coupled=plan.amount.coupled)


def whole(plan: Plan, network: nn.Module, groups: Sequence[Group]) -> Masks:
    """Returns the masks of the dense network, which keep every prunable entry.

    Prunable weights are those of `pruning.channels.find_weights`: of all layers that torch has, including the
    first and the last; of embeddings if the plan asks for them.
    Prunable units are the channels of all groups except fixed ones, for example the network's outputs.
    Criteria that choose and scale units also leave out channels that several layers make, for example
    residual streams.

    Raises:
        ValueError: Nothing is prunable, a pattern of `exclude` matches no layer, the plan asks for embeddings
            that the network does not have, or it rounds to more units than the largest layer has.
    """
    exclude = plan.amount.exclude
    sizes: dict[str, tuple[int, ...]]
    if plan.scoring.of == "units":
        sizes = {group.name: (group.size,) for group in cuttable(groups)}
    else:
        sizes = find_weights(network, embeddings=plan.amount.embeddings).prunable
        if plan.amount.embeddings and sizes.keys() == find_weights(network).prunable.keys():
            raise ValueError("embeddings: the network has no embedding whose weights could be pruned")
    if not sizes:
        found = "; ".join(f"{name}: {why}" for name, why in left_out(plan, network, groups).items())
        raise ValueError(f"nothing to prune: no layer can be pruned ({found or 'the network has none'})")
    for pattern in exclude:
        if not any(fnmatchcase(name, pattern) for name in sizes):
            raise ValueError(f"exclude matches no layer: {pattern!r}; layers are {', '.join(sizes)}")
    tied = {group.name for group in groups if plan.scoring.chooses and not _is_inner(group)}
    chosen = {
        name: shape for name, shape in sizes.items() if name not in tied and not _matches(name, exclude)
    }
    if not chosen:
        found = "; ".join(f"{name}: {why}" for name, why in left_out(plan, network, groups).items())
        raise ValueError(f"nothing to prune: every layer is excluded or left out ({found})")
    most = max(prod(shape) for shape in chosen.values())
    if plan.amount.drops and plan.amount.round_to > max(1, most - 1):
        raise ValueError(
            f"round_to must be below the size of the largest layer, {most}, got {plan.amount.round_to}"
        )
    return Masks.ones(chosen)


def left_out(plan: Plan, network: nn.Module, groups: Iterable[Group]) -> dict[str, str]:
    """Returns the weights, or groups of units, that a plan does not prune, each with the reason."""
    if plan.scoring.of == "units":
        shared = "made by several layers, whose units the criterion cannot choose one by one"
        found = {
            group.name: group.fixed or shared
            for group in groups
            if group.fixed or (plan.scoring.chooses and not _is_inner(group))
        }
        names = [group.name for group in groups if group.name not in found]
    else:
        weights = find_weights(network, embeddings=plan.amount.embeddings)
        found, names = dict(weights.left_out), list(weights.prunable)
    return found | {name: EXCLUDED for name in names if _matches(name, plan.amount.exclude)}


@cache
def _say(text: str) -> None:
    LOG.warning(text)


def say_left_out(found: Mapping[str, str]) -> None:
    """Logs what a plan leaves out, besides outputs and what it excludes itself; once in a process."""
    told = [f"{name} ({why})" for name, why in found.items() if why not in (EXCLUDED, OUTPUT)]
    if told:
        more = f"; and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
        _say(f"left out of pruning: {'; '.join(told[:MOST_NAMED])}{more}")


def density_of_all(network: nn.Module, held: Masks) -> float:
    """Returns the fraction of all weights of two dimensions or more that masks of parameters keep, in [0, 1].

    All weights: also those that the plan leaves out.
    """
    total = find_weights(network).total
    dropped = sum(int((~mask).sum()) for mask in held.values() if mask.dim() > 1)
    return (total - dropped) / total if total else 1.0


def enforced(plan: Plan, groups: Iterable[Group], masks: Masks, network: nn.Module) -> Masks:
    """Returns the masks of a plan's weights or units as masks of parameters."""
    return masks if plan.scoring.of == "weights" else weight_masks(groups, masks, network)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_inner(group: Group) -> bool:
    """Returns whether a single layer makes the channels of a group."""
    return len(group.layers) == 1 and not group.tied
