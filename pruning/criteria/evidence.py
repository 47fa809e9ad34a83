"""What a criterion may look at: `Evidence`, the network at the end of a cycle and the data.

Shapes: N samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.channels import Group
from pruning.masks import Masks

Batch = Sequence[Tensor]
"""Tensors of N samples; the first is the network's input."""
Network = Callable[[Tensor], object]
Scores = dict[str, Tensor]


@dataclass(frozen=True)
class Evidence:
    """What a criterion may look at, at the end of a cycle.

    Attributes:
        network: The trained network, in evaluation mode; a criterion leaves it as it is.
        alive: What is not pruned, by weight or by group: the names to score.
        groups: The groups of coupled channels.
        batches: The training split, batch by batch, the same at each call.
        loss: Mean loss of a network on a batch.
        before: Weights an epoch before the end of the training, by name.
        generator: Random numbers.
        sample: A few samples of the training split, stratified, for scores before training.
        example: An input of the network, where it is.
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
        tensors = dict(self.network.named_parameters())
        return {name: tensors[name].detach() for name in self.alive}

    def scored_groups(self) -> list[Group]:
        """Returns the groups to score."""
        return [group for group in self.groups if group.name in self.alive]


def as_tuple(outputs: object) -> tuple[Tensor, ...]:
    """Returns a network's outputs, the logits first."""
    return (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)  # type: ignore[arg-type]


def batches_of(tensors: Batch, size: int) -> Iterator[Batch]:
    """Yields the samples of `tensors` in order, at most `size` at a time."""
    for start in range(0, len(tensors[0]), size):
        yield [tensor[start : start + size] for tensor in tensors]
