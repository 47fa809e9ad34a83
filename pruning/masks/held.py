"""Masks: which weights or units are kept. They live outside the network, which stays a plain module.

A *weight mask* has the name and shape of a parameter. A *unit mask* has the name of a group and one entry for
each of its channels. True means kept. Only `hold_at_zero` enforces masks during training.
"""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from pruning.masks.files import read_tensors, write_tensors

if TYPE_CHECKING:
    from pruning.channels import Group

KIND = "pruning masks"


class Masks(Mapping[str, Tensor]):
    """An immutable mapping of names to bool tensors on the CPU; True means kept. It returns copies.

    The order of the names breaks ties in selection, so files preserve it. Equality ignores the order.

    Args:
        masks: Name -> bool tensor of any shape; copied.

    Raises:
        ValueError: A tensor is not bool.
    """

    def __init__(self, masks: Mapping[str, Tensor]):
        for name, mask in masks.items():
            if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
                found = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
                raise ValueError(f"mask {name!r} must be a bool tensor, got {found}")
        plain = torch.contiguous_format
        self._masks = {
            name: mask.detach().to("cpu", copy=True, memory_format=plain) for name, mask in masks.items()
        }

    @classmethod
    def ones(cls, shapes: Mapping[str, tuple[int, ...] | torch.Size]) -> Masks:
        """Returns masks with these shapes that keep everything."""
        return cls({name: torch.ones(tuple(shape), dtype=torch.bool) for name, shape in shapes.items()})

    @classmethod
    def load(cls, path: Path) -> Masks:
        """Returns the masks from a file that `save` wrote.

        Raises:
            ValueError: The file does not exist, is corrupt, or has another kind.
        """
        tensors, header = read_tensors(path, KIND)
        names = header.get("names")
        if not isinstance(names, list) or sorted(map(str, names)) != sorted(tensors):
            raise ValueError(f"{path} is corrupt: its header and its tensors name different masks")
        try:
            masks = cls({name: tensors[name] for name in names})
        except ValueError as error:
            raise ValueError(f"{path} is corrupt: {error}") from error
        if header.get("digest") != masks.digest():
            raise ValueError(f"{path} is corrupt: its masks do not match its digest")
        return masks

    def save(self, path: Path) -> None:
        """Writes the masks to a safetensors file, atomically."""
        write_tensors(path, self._masks, KIND, {"names": list(self), "digest": self.digest()})

    def __getitem__(self, name: str) -> Tensor:
        return self._masks[name].clone()

    def __iter__(self) -> Iterator[str]:
        return iter(self._masks)

    def __len__(self) -> int:
        return len(self._masks)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Masks):
            return NotImplemented
        return self.shapes == other.shapes and all(
            torch.equal(mask, other._masks[name]) for name, mask in self._masks.items()
        )

    def __repr__(self) -> str:
        return f"Masks({len(self)} layers, {self.kept} of {self.size} kept)"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each mask."""
        return {name: tuple(mask.shape) for name, mask in self._masks.items()}

    @property
    def kept(self) -> int:
        """Number of kept entries, over all masks."""
        return sum(int(mask.sum()) for mask in self._masks.values())

    @property
    def size(self) -> int:
        """Number of entries, kept or not, over all masks."""
        return sum(mask.numel() for mask in self._masks.values())

    def density(self) -> float:
        """Returns the fraction of all entries that is kept, in [0, 1]; 1 if there are no entries."""
        return self.kept / self.size if self.size else 1.0

    def densities(self) -> dict[str, float]:
        """Returns the fraction that each layer keeps, in [0, 1]."""
        return {name: int(mask.sum()) / (mask.numel() or 1) for name, mask in self._masks.items()}

    def digest(self) -> str:
        """Returns the SHA-256 of names, shapes and bits in hex; independent of the order of the names."""
        found = hashlib.sha256()
        for name, mask in sorted(self._masks.items()):
            found.update(json.dumps([name, list(mask.shape)]).encode())
            found.update(np.packbits(mask.numpy().ravel()).tobytes())
        return found.hexdigest()

    def within(self, other: Masks) -> bool:
        """Returns whether `other` keeps every entry that these masks keep.

        Raises:
            ValueError: The masks have different names or shapes.
        """
        if self.shapes != other.shapes:
            raise ValueError(f"masks differ in names or shapes: {_difference(self.shapes, other.shapes)}")
        return not any((mask & ~other._masks[name]).any() for name, mask in self._masks.items())


def weight_masks(groups: Iterable[Group], units: Mapping[str, Tensor], network: nn.Module) -> Masks:
    """Returns unit masks as masks of the parameters that belong to the units.

    A pruned channel is False in the parameters that make it (rows of weights, biases, normalisations) and in
    those that read it (columns of weights). The result omits parameters that no group of `units` touches.
    Groups that `units` does not name keep all their channels.

    Args:
        groups: The network's groups.
        units: Group name -> bool `[size]`.
        network: The network, for the shapes of its parameters.

    Raises:
        ValueError: `units` names a group that is not in `groups`, its mask is not bool `[size]`, or it prunes
            a channel of a fixed group.
    """
    known = {group.name: group for group in groups}
    parameters = _parameters(network)
    found: dict[str, Tensor] = {}
    for name, kept in Masks(units).items():
        if name not in known:
            raise ValueError(f"no group {name!r}; the groups are {', '.join(known)}")
        group = known[name]
        if tuple(kept.shape) != (group.size,):
            raise ValueError(
                f"the mask of group {name!r} must have shape ({group.size},), got {tuple(kept.shape)}"
            )
        if group.fixed and not kept.all():
            raise ValueError(f"group {name!r} cannot be pruned: {group.fixed}")
        for slice_ in (*group.producers, *group.consumers):
            if slice_.tensor not in parameters:
                raise ValueError(f"group {name!r} belongs to another network: this has no {slice_.tensor}")
            if slice_.tensor not in found:
                found[slice_.tensor] = torch.ones(parameters[slice_.tensor].shape, dtype=torch.bool)
            part = found[slice_.tensor].narrow(slice_.dim, slice_.offset, group.size * slice_.span)
            part.movedim(slice_.dim, -1).logical_and_(kept.repeat_interleave(slice_.span))
    return Masks(found)


def apply(network: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Sets the weights that the masks drop to 0 once, in place; later training can change them again.

    Raises:
        ValueError: The network has no parameter with a mask's name and shape.
    """
    with torch.no_grad():
        for parameter, dropped in _dropped(network, masks):
            parameter.masked_fill_(dropped, 0)


class Held:
    """Masks that are attached to an optimizer; see `hold_at_zero`."""

    def __init__(self, network: nn.Module, optimizer: Optimizer, masks: Mapping[str, Tensor]):
        self._network = network
        self._optimizer = weakref.ref(optimizer)  # weak, since the optimizer's hook refers to this object
        self.change(masks)
        self._handle = optimizer.register_step_post_hook(self._enforce)

    def change(self, masks: Mapping[str, Tensor]) -> None:
        """Enforces other masks from now on: weights that they drop are 0 at once, the others may change.

        Raises:
            ValueError: See `hold_at_zero`; the previous masks then stay attached.
        """
        optimizer = self._optimizer()
        if optimizer is None:
            raise ValueError("the optimizer no longer exists: call hold_at_zero with the new one")
        pairs = _dropped(self._network, masks)
        trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        if pairs and not any(id(parameter) in trained for parameter, _ in pairs):
            raise ValueError(
                "the optimizer trains none of the masked parameters: use the optimizer of this network"
            )
        self._pairs, self._names = pairs, tuple(masks)
        self._enforce(optimizer)

    def remove(self) -> None:
        """Detaches the masks from the optimizer."""
        self._handle.remove()

    @torch.no_grad()
    def _enforce(self, optimizer: Optimizer, *_: object) -> None:
        self._require_held()
        for index, (parameter, dropped) in enumerate(self._pairs):
            if dropped.device != parameter.device:
                dropped = dropped.to(parameter.device)
                self._pairs[index] = parameter, dropped
            parameter.masked_fill_(dropped, 0)
            for buffer in _buffers(optimizer, parameter):
                buffer.masked_fill_(dropped, 0)

    def _require_held(self) -> None:
        """Raises ValueError if the network has got other parameters than those that are held."""
        for name, (parameter, _) in zip(self._names, self._pairs, strict=True):
            if _parameter(self._network, name) is not parameter:
                raise ValueError(
                    f"the network's parameter {name!r} was replaced, for example by "
                    "load_state_dict(assign=True): the optimizer trains the old one, so make a new optimizer "
                    "and call hold_at_zero with it"
                )


def hold_at_zero(network: nn.Module, optimizer: Optimizer, masks: Mapping[str, Tensor]) -> Held:
    """Keeps the weights that the masks drop at 0: at once, and after each step of the optimizer.

    The optimizer's buffers with a weight's shape (momentum, moments) are kept at 0 too. Otherwise a buffer
    would move the weight again, and would be wrong once the masks are detached. Gradients stay unmasked,
    since masking them stops neither momentum nor weight decay. To clip gradients by their norm as in a shrunk
    network, mask them first. If weights change between steps, for example when a state is loaded, they are
    masked only at the next step: call `apply` after the change.

    Args:
        network: The network with the masked parameters. Nothing is attached to it: it can be copied and
            pickled safely.
        optimizer: The optimizer, which trains some or all of these parameters.
        masks: Parameter name -> bool tensor of the parameter's shape.

    Returns:
        A handle; `change(masks)` enforces other masks, `remove()` detaches them.

    Raises:
        ValueError: The network has no parameter with a mask's name and shape; or the optimizer trains none of
            the masked parameters, for example because it belongs to another network. A step of the optimizer
            raises it if a masked parameter of the network was replaced in between.
    """
    return Held(network, optimizer, masks)


def _buffers(optimizer: Optimizer, parameter: Tensor) -> Iterator[Tensor]:
    """Yields an optimizer's state tensors that have one value for each entry of a parameter."""
    # get() instead of []: the state is a defaultdict, and an added foreign parameter would make it unsavable
    for name, value in optimizer.state.get(parameter, {}).items():
        if name != "step" and isinstance(value, Tensor) and value.shape == parameter.shape:
            yield value


def _dropped(network: nn.Module, masks: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Returns each masked parameter and its dropped entries, bool with the parameter's device and layout."""
    parameters = _parameters(network)
    pairs: list[tuple[Tensor, Tensor]] = []
    for name, mask in masks.items():
        if name not in parameters:
            raise ValueError(f"mask {name!r} has no parameter with that name in the network")
        parameter = parameters[name]
        if mask.dtype != torch.bool or mask.shape != parameter.shape:
            found = f"{mask.dtype} {tuple(mask.shape)}"
            raise ValueError(
                f"mask {name!r} must be torch.bool {tuple(parameter.shape)} as its parameter, got {found}"
            )
        dropped = torch.empty_like(parameter, dtype=torch.bool, requires_grad=False)
        pairs.append((parameter, dropped.copy_(~mask)))
    return pairs


def _parameters(network: nn.Module) -> dict[str, nn.Parameter]:
    """Returns all parameters by name; a parameter with several names appears under each of them."""
    return dict(network.named_parameters(remove_duplicate=False))


def _parameter(network: nn.Module, name: str) -> nn.Parameter | None:
    """Returns a parameter of the network as it is now, None if it is gone."""
    path, _, key = name.rpartition(".")
    try:
        return network.get_submodule(path)._parameters.get(key)
    except AttributeError:
        return None


def _difference(one: Mapping[str, object], other: Mapping[str, object]) -> str:
    name = next(name for name in (*one, *other) if one.get(name) != other.get(name))
    return f"{name!r} is {one.get(name, 'missing')} and {other.get(name, 'missing')}"
