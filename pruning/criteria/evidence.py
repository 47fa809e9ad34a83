"""The scoring context of a criterion, `Evidence`: the network at the end of a cycle, and the data.

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
    """The scoring context: everything that a criterion can use at the end of a cycle.

    Attributes:
        network: The trained network, in evaluation mode; a criterion must not change it.
        alive: Masks of the entries that are not pruned; their names are the weights or groups to score.
        groups: The groups of coupled channels.
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
        tensors = dict(self.network.named_parameters())
        return {name: tensors[name].detach() for name in self.alive}

    def scored_groups(self) -> list[Group]:
        """Returns the groups to score."""
        return [group for group in self.groups if group.name in self.alive]


def as_tuple(outputs: object) -> tuple[Tensor, ...]:
    """Returns a network's outputs as a tuple, the logits first."""
    # The network is the user's, so its outputs have no type here; one without a tensor or tuple fails.
    return (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)  # type: ignore[arg-type]


def batches_of(tensors: Batch, size: int) -> Iterator[Batch]:
    """Yields the samples of `tensors` in order, at most `size` at a time."""
    for start in range(0, len(tensors[0]), size):
        yield [tensor[start : start + size] for tensor in tensors]
