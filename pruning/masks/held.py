"""Masks: which weights, or which units, are kept. They live outside the network, which stays a plain module.

A *weight mask* has the name and shape of a parameter; a *unit mask* has the name of a group and one entry for
each of its channels. True is kept. `hold_at_zero` is the one place where masks are enforced in training.
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
    """A frozen mapping of names to bool tensors on the CPU; True is kept. What it hands out are copies.

    The order of the names is kept, by files too, for it breaks ties in selection; equality does not mind it.

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
        """Returns masks of these shapes that keep everything."""
        return cls({name: torch.ones(tuple(shape), dtype=torch.bool) for name, shape in shapes.items()})

    @classmethod
    def load(cls, path: Path) -> Masks:
        """Returns the masks of a file that `save` wrote.

        Raises:
            ValueError: There is no such file, or it is damaged or of another kind.
        """
        tensors, header = read_tensors(path, KIND)
        names = header.get("names")
        if not isinstance(names, list) or sorted(map(str, names)) != sorted(tensors):
            raise ValueError(f"{path} is damaged: its header and its tensors name different masks")
        try:
            masks = cls({name: tensors[name] for name in names})
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}") from error
        if header.get("digest") != masks.digest():
            raise ValueError(f"{path} is damaged: its masks are not those of its digest")
        return masks

    def save(self, path: Path) -> None:
        """Writes the masks as safetensors, atomically: a kill leaves the old file or the new one."""
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
        """Entries that are kept, in all."""
        return sum(int(mask.sum()) for mask in self._masks.values())

    @property
    def size(self) -> int:
        """Entries, kept or not, in all."""
        return sum(mask.numel() for mask in self._masks.values())

    def density(self) -> float:
        """Returns the share of all entries that is kept, in [0, 1]: large layers weigh more. 1 of nothing."""
        return self.kept / self.size if self.size else 1.0

    def densities(self) -> dict[str, float]:
        """Returns the share that each layer keeps, in [0, 1]."""
        return {name: int(mask.sum()) / (mask.numel() or 1) for name, mask in self._masks.items()}

    def digest(self) -> str:
        """Returns the SHA-256 of names, shapes and bits, in hex; the order of the names does not matter."""
        found = hashlib.sha256()
        for name, mask in sorted(self._masks.items()):
            found.update(json.dumps([name, list(mask.shape)]).encode())
            found.update(np.packbits(mask.numpy().ravel()).tobytes())
        return found.hexdigest()

    def within(self, other: Masks) -> bool:
        """Returns whether everything that is kept here is kept in `other` too.

        Raises:
            ValueError: The two do not have the same names and shapes.
        """
        if self.shapes != other.shapes:
            raise ValueError(f"masks of different names or shapes: {_difference(self.shapes, other.shapes)}")
        return not any((mask & ~other._masks[name]).any() for name, mask in self._masks.items())


def weight_masks(groups: Iterable[Group], units: Mapping[str, Tensor], network: nn.Module) -> Masks:
    """Returns unit masks as masks of the parameters that hold the units.

    A cut channel is False in all that makes it (rows of weights, biases, normalisations) and in all that
    reads it (columns of weights). Parameters that no group of `units` touches are not named; groups that
    `units` does not name are kept whole.

    Args:
        groups: The network's groups.
        units: Group name -> bool `[size]`.
        network: Gives the parameters' shapes.

    Raises:
        ValueError: `units` names a group that is not in `groups`, its mask is not bool `[size]`, or it cuts
            a channel of a group that is fixed.
    """
    known = {group.name: group for group in groups}
    parameters = _parameters(network)
    found: dict[str, Tensor] = {}
    for name, kept in Masks(units).items():
        if name not in known:
            raise ValueError(f"no group {name!r}, there are {', '.join(known)}")
        group = known[name]
        if tuple(kept.shape) != (group.size,):
            raise ValueError(f"the mask of group {name!r} has shape {tuple(kept.shape)}, not ({group.size},)")
        if group.fixed and not kept.all():
            raise ValueError(f"group {name!r} cannot be cut: {group.fixed}")
        for slice_ in (*group.producers, *group.consumers):
            if slice_.tensor not in found:
                found[slice_.tensor] = torch.ones(parameters[slice_.tensor].shape, dtype=torch.bool)
            part = found[slice_.tensor].narrow(slice_.dim, slice_.offset, group.size * slice_.span)
            part.movedim(slice_.dim, -1).logical_and_(kept.repeat_interleave(slice_.span))
    return Masks(found)


def apply(network: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Sets the weights that the masks drop to 0, in place, once; training may move them again.

    Raises:
        ValueError: A mask has no parameter of its name, or another shape.
    """
    with torch.no_grad():
        for parameter, dropped in _dropped(network, masks):
            parameter.masked_fill_(dropped, 0)


class Held:
    """Weights that are held at zero, see `hold_at_zero`."""

    def __init__(self, network: nn.Module, optimizer: Optimizer, masks: Mapping[str, Tensor]):
        self._network = network
        self._optimizer = weakref.ref(optimizer)  # it has us in its hook
        self.change(masks)
        self._handle = optimizer.register_step_post_hook(self._enforce)

    def change(self, masks: Mapping[str, Tensor]) -> None:
        """Holds by other masks from now on: what they drop is at 0 at once, what they do not drop may move.

        Raises:
            ValueError: As `hold_at_zero`; the masks until now hold on.
        """
        optimizer = self._optimizer()
        if optimizer is None:
            raise ValueError("the optimizer is gone: hold the network again with the new one")
        pairs = _dropped(self._network, masks)
        trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        if pairs and not any(id(parameter) in trained for parameter, _ in pairs):
            raise ValueError("the optimizer holds none of the masked parameters: it is of another network")
        self._pairs = pairs
        self._enforce(optimizer)

    def remove(self) -> None:
        """Ends the hold."""
        self._handle.remove()

    @torch.no_grad()
    def _enforce(self, optimizer: Optimizer, *_: object) -> None:
        for index, (parameter, dropped) in enumerate(self._pairs):
            if dropped.device != parameter.device:
                dropped = dropped.to(parameter.device)
                self._pairs[index] = parameter, dropped
            parameter.masked_fill_(dropped, 0)
            for buffer in _buffers(optimizer, parameter):
                buffer.masked_fill_(dropped, 0)


def hold_at_zero(network: nn.Module, optimizer: Optimizer, masks: Mapping[str, Tensor]) -> Held:
    """Keeps the weights that the masks drop at 0: at once, and after each step of the optimizer.

    The optimizer's buffers of a weight's shape (momentum, moments) are held at 0 with it: a buffer that
    is not would move the weight again, and it would be wrong for the weights after the hold has ended.
    Gradients are left alone, since masking them stops neither momentum nor weight decay; to clip them by
    their norm as a shrunk network would, mask them first. What changes weights between steps, as loading a
    state does, is seen at the next step only: call `apply` after it.

    Args:
        network: Has the masks' parameters. Nothing is attached to it: copying and pickling it is safe.
        optimizer: Trains all or some of them.
        masks: Parameter name -> bool tensor of its shape.

    Returns:
        A handle; `change(masks)` holds by others, `remove()` ends the hold.

    Raises:
        ValueError: A mask has no parameter of its name, or another shape; or the optimizer trains none of
            them, as one that was made for another network.
    """
    return Held(network, optimizer, masks)


def _buffers(optimizer: Optimizer, parameter: Tensor) -> Iterator[Tensor]:
    """Yields what an optimizer remembers of each entry of a parameter."""
    # not with []: that would add parameters of another optimizer, and this one's could not be saved any more
    for name, value in optimizer.state.get(parameter, {}).items():
        if name != "step" and isinstance(value, Tensor) and value.shape == parameter.shape:
            yield value


def _dropped(network: nn.Module, masks: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Returns each masked parameter with its dropped entries, bool on its device and in its layout."""
    parameters = _parameters(network)
    pairs: list[tuple[Tensor, Tensor]] = []
    for name, mask in masks.items():
        if name not in parameters:
            raise ValueError(f"mask {name!r} has no parameter of that name in the network")
        parameter = parameters[name]
        if mask.dtype != torch.bool or mask.shape != parameter.shape:
            found = f"{mask.dtype} {tuple(mask.shape)}"
            raise ValueError(f"mask {name!r} is {found}, its parameter wants bool {tuple(parameter.shape)}")
        dropped = torch.empty_like(parameter, dtype=torch.bool, requires_grad=False)
        pairs.append((parameter, dropped.copy_(~mask)))
    return pairs


def _parameters(network: nn.Module) -> dict[str, nn.Parameter]:
    """Returns all parameters by name; one that has several names stands under each."""
    return dict(network.named_parameters(remove_duplicate=False))


def _difference(one: Mapping[str, object], other: Mapping[str, object]) -> str:
    name = next(name for name in (*one, *other) if one.get(name) != other.get(name))
    return f"{name!r} is {one.get(name, 'missing')} and {other.get(name, 'missing')}"
