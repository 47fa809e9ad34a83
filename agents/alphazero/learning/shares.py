"""Gradient steps that several processes share: each has the gradients of its part of the batch.

Normalisations use the statistics of a process's part, and their running statistics are those of the process
that takes the steps. Neither depends on which process is faster.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

LEAST_SHARE = 64
"""Samples below which a part of a batch is too small for the statistics of normalisations."""


class Helper(Protocol):
    """Another process that computes gradients."""

    def start(self, samples: np.ndarray, turns: np.ndarray) -> None:
        """Gives it its samples of the next steps, `[steps, b]`, and the numbers of their symmetries."""

    def ask(self, weights: np.ndarray) -> None:
        """Lets it compute the gradient of the next step for these weights `[P] float32`."""

    def answer(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the gradient `[P] float32` and the losses `[2] float32` that were asked for."""


def shares(batch: int, processes: int) -> list[slice]:
    """Returns the parts of a batch: one for each process, or fewer where they would be too small."""
    number = max(1, min(processes, batch // LEAST_SHARE))
    ends = np.linspace(0, batch, number + 1).astype(int).tolist()
    return [slice(start, end) for start, end in pairwise(ends)]


def as_vector(tensors: Iterable[Tensor | None]) -> Tensor:
    """Returns all numbers of tensors, `[P]`."""
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors if tensor is not None])


def add_shared(
    parameters: Sequence[nn.Parameter], losses: Tensor, helpers: Sequence[tuple[Helper, float]]
) -> Tensor:
    """Replaces the gradients of a part of the batch by those of the whole; returns the whole's losses.

    Args:
        parameters: The parameters, with the gradients of the own part.
        losses: `[2]`, the losses of the own part.
        helpers: The other processes with the fractions of the batch that are theirs.
    """
    own = 1 - sum(fraction for _, fraction in helpers)
    trained = [parameter for parameter in parameters if parameter.grad is not None]
    gradient, losses = as_vector(each.grad for each in trained) * own, losses * own
    for helper, fraction in helpers:
        their_gradient, their_losses = map(torch.from_numpy, helper.answer())
        gradient.add_(their_gradient, alpha=fraction)
        losses = losses + fraction * their_losses
    for each, part in zip(trained, gradient.split([each.numel() for each in trained]), strict=True):
        each.grad = torch.empty_like(each).copy_(part.view_as(each))
    return losses


@torch.no_grad()
def set_weights(parameters: Sequence[nn.Parameter], weights: np.ndarray) -> None:
    """Sets parameters to those of which `as_vector` gave the numbers."""
    parts = torch.from_numpy(weights).split([parameter.numel() for parameter in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.copy_(part.view_as(parameter))
