"""The weights or units that a plan may prune, and the plan's masks as masks of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from torch import nn

from pruning.channels import Group, cuttable
from pruning.loop.plan import Plan
from pruning.masks import Masks, weight_masks


def whole(plan: Plan, network: nn.Module, groups: Sequence[Group]) -> Masks:
    """Returns the masks of the dense network, which keep every prunable entry.

    Prunable weights are the weights of all convolutions and linear layers, including the first and the last.
    Prunable units are the channels of all groups except fixed ones, for example the network's outputs.
    Criteria that choose and scale units also leave out channels that several layers make, for example
    residual streams.

    Raises:
        ValueError: Nothing is prunable, or a pattern of `exclude` matches no layer.
    """
    exclude = plan.amount.exclude
    sizes: dict[str, tuple[int, ...]]
    if plan.scoring.of == "units":
        sizes = {group.name: (group.size,) for group in cuttable(groups)}
    else:
        sizes = {
            f"{name}.weight".removeprefix("."): tuple(module.weight.shape)
            for name, module in network.named_modules()
            if isinstance(module, nn.Conv2d | nn.Linear)
        }
    if not sizes:
        raise ValueError("nothing to prune: the network has no Conv2d or Linear layer that can be pruned")
    for pattern in exclude:
        if not any(fnmatchcase(name, pattern) for name in sizes):
            raise ValueError(f"exclude matches no layer: {pattern!r}; layers are {', '.join(sizes)}")
    tied = {group.name for group in groups if plan.scoring.chooses and not _is_inner(group)}
    chosen = {
        name: shape
        for name, shape in sizes.items()
        if name not in tied and not any(fnmatchcase(name, pattern) for pattern in exclude)
    }
    if not chosen:
        raise ValueError("nothing to prune: every layer is excluded")
    return Masks.ones(chosen)


def enforced(plan: Plan, groups: Iterable[Group], masks: Masks, network: nn.Module) -> Masks:
    """Returns the masks of a plan's weights or units as masks of parameters."""
    return masks if plan.scoring.of == "weights" else weight_masks(groups, masks, network)


def _is_inner(group: Group) -> bool:
    """Returns whether a single layer makes the channels of a group."""
    return len(group.layers) == 1 and not group.tied
