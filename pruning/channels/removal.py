"""Physical removal of channels: a smaller network of the same class, and the way back to full size.

In evaluation mode the smaller network computes the same outputs, up to rounding, as the masked network: the
one in which both the producers of the pruned channels and the columns that read them are 0, which is what
`pruning.masks.weight_masks` masks. With only the producers at 0, the outputs are equal only if each operation
between them and their readers maps 0 to 0; `shrink` does not rely on this.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from pruning.channels.groups import Group
from pruning.channels.tracing import first_line, tensors_of
from pruning.channels.trust import require_no_global_hooks, require_usable
from pruning.words import nearest

TOLERANCE = 1e-9
"""Largest difference that rounding explains, as a fraction of the largest output."""


@dataclass(frozen=True)
class ParamMap:
    """The entries of a network's tensors that a smaller network keeps.

    Attributes:
        kept: `{tensor: {dim: kept indices, int64, ascending}}`; tensors without an entry are kept completely.
    """

    kept: Mapping[str, Mapping[int, Tensor]]

    def gather(self, name: str, tensor: Tensor) -> Tensor:
        """Returns a copy of the kept part of the tensor with this name, in the same memory format."""
        kept = tensor.detach()
        for dim, indices in self.kept.get(name, {}).items():
            kept = kept.index_select(dim, indices.to(kept.device))
        return kept.clone(memory_format=_memory_format(tensor))

    def scatter_(self, name: str, small: Tensor, big: Tensor) -> None:
        """Writes the kept part `small` to its places in `big`; other entries are not changed."""
        if name not in self.kept:
            big.copy_(small)
            return
        index = [torch.arange(size, device=big.device) for size in big.shape]
        for dim, indices in self.kept[name].items():
            index[dim] = indices.to(big.device)
        big[torch.meshgrid(*index, indexing="ij")] = small.to(big)


def shrink(
    network: nn.Module,
    groups: Iterable[Group],
    masks: Mapping[str, Tensor],
    *,
    check: Tensor | None = None,
) -> tuple[nn.Module, ParamMap]:
    """Returns a copy of the network without the masked channels, and the map of its parameters.

    The caller must update settings of the network that name widths (a `config`). Gradients are not copied.

    Args:
        network: The network; it is not changed.
        groups: Its groups, from `find_groups`.
        masks: Group name -> bool `[size]`, True for channels to keep; other groups keep all their channels.
        check: An input `[B, ...]` of usual values, on the network's device. If given, the masked and the
            shrunk network are compared on it once, in evaluation mode and double precision.

    Raises:
        ValueError: A name is unknown, a mask has the wrong size or keeps nothing, or a group cannot be
            removed; or with `check`, the shrunk network cannot run, or its outputs differ by more than
            `TOLERANCE` of the largest.
    """
    require_usable(network)
    require_no_global_hooks()
    known = {group.name: group for group in groups}
    for name, mask in masks.items():
        _check(known, name, mask)
    cut = {name: torch.as_tensor(mask).cpu() for name, mask in masks.items() if not mask.all()}
    tensors = network.state_dict(keep_vars=True)
    for name in cut:
        group = known[name]
        for entry in group.producers + group.statistics + group.consumers:
            if entry.tensor not in tensors:
                raise ValueError(f"group {name!r} belongs to another network: this has no {entry.tensor}")
    kept = ParamMap(_kept(tensors, [(known[name], mask) for name, mask in cut.items()]))
    small = copy.deepcopy(network)
    for name in kept.kept:
        _replace(small, name, kept.gather(name, tensors[name]))
    if check is not None:
        _compare(network, small, kept, check)
    return small, kept


@torch.no_grad()
def _compare(network: nn.Module, small: nn.Module, kept: ParamMap, check: Tensor) -> None:
    """Raises ValueError if the shrunk network computes another function than the masked one."""
    masked = copy.deepcopy(network)
    restore(small, masked, kept)  # what was removed is 0
    example = check.double() if check.is_floating_point() else check
    found = []
    for one in (masked, copy.deepcopy(small)):
        try:
            found.append([each.double() for each in tensors_of(one.double().eval()(example))])
        except Exception as error:  # from the network's own code, which may rely on its widths
            raise ValueError(f"the network cannot run without these channels: {first_line(error)}") from error
    if [each.shape for each in found[0]] != [each.shape for each in found[1]]:
        raise ValueError("the network without these channels has outputs of other shapes than the masked one")
    most = max((float(each.abs().max()) for each in found[0] if each.numel()), default=0.0)
    apart = [float((a - b).abs().max()) for a, b in zip(*found, strict=True) if a.numel()]
    if not max(apart, default=0.0) <= TOLERANCE * max(most, torch.finfo(torch.double).tiny):
        raise ValueError(
            f"the network without these channels differs from the masked one by {max(apart):.3g}, where its "
            f"largest output is {most:.3g}: it uses them in a way that was not followed"
        )


def removable(groups: Iterable[Group], masks: Mapping[str, Tensor]) -> bool:
    """Returns whether `shrink` can remove the masked channels; True if nothing is masked."""
    held = {group.name for group in groups if group.fixed or group.tied}
    return all(mask.all() or (mask.any() and name not in held) for name, mask in masks.items())


def restore(small: nn.Module, into: nn.Module, param_map: ParamMap) -> None:
    """Writes a shrunk network's parameters and buffers back to their places in the full-size network.

    Everything that was removed becomes 0: the channels' producers and statistics, and the columns that read
    them.
    """
    values = small.state_dict()
    with torch.no_grad():
        for name, tensor in into.state_dict().items():
            if name in param_map.kept:
                tensor.zero_()
            param_map.scatter_(name, values[name], tensor)


def carry_optimizer_state(
    old: Optimizer, new: Optimizer, old_network: nn.Module, new_network: nn.Module, param_map: ParamMap
) -> None:
    """Copies the state (momentum, moments, steps) of the kept weights to the optimizer of a shrunk network.

    The options (learning rate, weight decay) of `new` are not changed.

    Raises:
        ValueError: The optimizers have different classes, or only one of them trains a parameter.
    """
    if type(old) is not type(new):
        raise ValueError(f"state of {type(old).__name__} cannot be carried to {type(new).__name__}")
    parameters = dict(new_network.named_parameters())
    trained = {id(each) for group in new.param_groups for each in group["params"]}
    known = {id(each) for group in old.param_groups for each in group["params"]}
    for name, parameter in old_network.named_parameters():
        if (id(parameter) in known) != (id(parameters[name]) in trained):
            raise ValueError(
                f"only one of the two optimizers trains {name}; give the new one the new network's parameters"
            )
        if parameter in old.state:
            new.state[parameters[name]] = _carried(name, parameter, old.state[parameter], param_map)


def _carried(
    name: str, parameter: Tensor, state: Mapping[str, object], param_map: ParamMap
) -> dict[str, object]:
    def carry(value: object) -> object:
        if not isinstance(value, Tensor):
            return copy.deepcopy(value)
        return param_map.gather(name, value) if value.shape == parameter.shape else value.clone()

    return {key: carry(value) for key, value in state.items()}


def _check(known: Mapping[str, Group], name: str, mask: Tensor) -> None:
    if name not in known:
        raise ValueError(f"no group {name!r}{nearest(name, known)}; the groups are {', '.join(known)}")
    group = known[name]
    if mask.dtype != torch.bool or mask.shape != (group.size,):
        raise ValueError(
            f"the mask of {name} must be bool of shape [{group.size}], got {mask.dtype} {[*mask.shape]}"
        )
    if mask.all():
        return
    if group.fixed or group.tied:
        raise ValueError(f"{name} cannot be removed: {group.fixed or group.tied}")
    if not mask.any():
        raise ValueError(f"the mask of {name} must keep at least one of its {group.size} channels, got none")


def _kept(tensors: Mapping[str, Tensor], cut: list[tuple[Group, Tensor]]) -> dict[str, dict[int, Tensor]]:
    """Returns the kept indices of each tensor and dimension; one tensor can hold several groups."""
    alive: dict[str, dict[int, Tensor]] = {}
    for group, mask in cut:
        for entry in group.producers + group.statistics + group.consumers:
            whole = torch.ones(tensors[entry.tensor].shape[entry.dim], dtype=torch.bool)
            entries = alive.setdefault(entry.tensor, {}).setdefault(entry.dim, whole)
            places = mask.repeat_interleave(entry.span)
            entries[entry.offset : entry.offset + len(places)] &= places
    return {
        name: {dim: entries.nonzero().flatten() for dim, entries in dims.items()}
        for name, dims in alive.items()
    }


def _replace(network: nn.Module, name: str, value: Tensor) -> None:
    """Replaces a module's tensor by a smaller one, and updates the module's sizes."""
    path, _, key = name.rpartition(".")
    module = network.get_submodule(path)
    if key in module._buffers:
        module._buffers[key] = value
    elif (old := module._parameters[key]) is not None:
        module._parameters[key] = nn.Parameter(value, requires_grad=old.requires_grad)
    if isinstance(module, nn.Conv2d):
        module.groups = module.groups if module.groups == 1 else len(module.weight)
        module.out_channels = len(module.weight)
        module.in_channels = module.weight.shape[1] * module.groups
    elif isinstance(module, nn.Linear):
        module.out_features, module.in_features = module.weight.shape
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        module.num_features = len(value)


def _memory_format(tensor: Tensor) -> torch.memory_format:
    """Returns channels_last if only this format fits the tensor (a 1x1 filter can fit both formats)."""
    last = torch.channels_last
    if tensor.dim() == 4 and tensor.is_contiguous(memory_format=last) and not tensor.is_contiguous():
        return last
    return torch.contiguous_format
