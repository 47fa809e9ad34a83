"""The scoring context of a criterion, `Evidence`: the network at the end of a cycle, and the data.

Shapes: N samples.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pruning.channels import Group, tensors_of
from pruning.masks import Masks
from pruning.words import kind_of

Batch = Sequence[Tensor]
"""Tensors of N samples; the first is the network's input."""
Network = Callable[[Tensor], object]
Scores = dict[str, Tensor]


@dataclass(frozen=True)
class Evidence:
    """The scoring context: everything that a criterion can use at the end of a cycle.

    Attributes:
        network: The trained network, in evaluation mode; a criterion must not change it.
        alive: Masks of the entries that are not pruned; their names are the weights or groups to score.
        groups: The groups of coupled channels; () for a plan of weights, whose network is not traced.
        batches: Returns the training split batch by batch, the same at each call.
        loss: Returns the mean loss of a network on a batch.
        before: Weights one epoch before the end of the training run, by name.
        generator: Generator of the criterion's random numbers.
        sample: Returns batches of a small stratified training sample, for scores before training.
        example: An input `[B, ...]`, on the network's device.
    """

    network: nn.Module
    alive: Masks
    groups: tuple[Group, ...]
    batches: Callable[[], Iterable[Batch]]
    loss: Callable[[Network, Batch], Tensor]
    before: Mapping[str, Tensor]
    generator: torch.Generator
    sample: Callable[[], Iterable[Batch]]
    example: Tensor

    def weights(self) -> dict[str, Tensor]:
        """Returns the weights to score, by name."""
        tensors = dict(self.network.named_parameters(remove_duplicate=False))
        return {name: tensors[name].detach() for name in self.alive}

    def changes(self) -> dict[str, Tensor]:
        """Returns the change of each weight to score in the last epoch, by name.

        Raises:
            ValueError: The task's training gave no weights one epoch before its end.
        """
        tensors = dict(self.network.named_parameters(remove_duplicate=False))
        early = {id(tensors[name]): tensor for name, tensor in self.before.items() if name in tensors}
        if missing := [name for name in self.alive if id(tensors[name]) not in early]:
            raise ValueError(
                "the task's train must return the weights one epoch before the end (Trained.before), "
                f"but gave none for {missing[0]!r}"
            )
        return {name: tensors[name].detach() - early[id(tensors[name])] for name in self.alive}

    def scored_groups(self) -> list[Group]:
        """Returns the groups to score."""
        return [group for group in self.groups if group.name in self.alive]


def as_tuple(outputs: object) -> tuple[Tensor, ...]:
    """Returns the tensors of a network's outputs in their order, the logits first; see `tensors_of`.

    Raises:
        ValueError: The outputs hold no tensor.
    """
    if found := tensors_of(outputs):
        return found
    raise ValueError(f"the network must return tensors, it returned {kind_of(outputs)} without any")


def with_tensors(outputs: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Returns a network's outputs in their own form, with changed tensors; others stay as they are."""
    if isinstance(outputs, Tensor):
        return change(outputs)
    if isinstance(outputs, Mapping):
        copied: Any = copy.copy(outputs)  # of the same class, whose attributes a loss may read
        for name, each in outputs.items():
            copied[name] = with_tensors(each, change)
        return copied
    if isinstance(outputs, tuple | list):
        parts = [with_tensors(each, change) for each in outputs]
        return type(outputs)(*parts) if hasattr(outputs, "_fields") else type(outputs)(parts)
    if dataclasses.is_dataclass(outputs) and not isinstance(outputs, type):
        parts_by_name = {name: with_tensors(each, change) for name, each in vars(outputs).items()}
        return dataclasses.replace(outputs, **parts_by_name)
    return outputs


def checked(batches: Callable[[], Iterable[Batch]]) -> Callable[[], Iterable[Batch]]:
    """Returns a function that yields the same batches; ValueError for one that is no sequence of tensors."""

    def each() -> Iterator[Batch]:
        for batch in batches():
            if not isinstance(batch, list | tuple) or not batch or not isinstance(batch[0], Tensor):
                raise ValueError(
                    "a batch must be a list or tuple of tensors, the network's input first, "
                    f"got {kind_of(batch)}"
                )
            yield batch

    return each


def batches_of(tensors: Batch, size: int) -> Iterator[Batch]:
    """Yields the samples of `tensors` in order, at most `size` at a time."""
    for start in range(0, len(tensors[0]), size):
        yield [tensor[start : start + size] for tensor in tensors]
