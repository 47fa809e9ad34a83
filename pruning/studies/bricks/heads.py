"""Linear policy and value heads on the features of a frozen trunk.

The policy's logit of a cell is linear in the outputs of the trunk and the policy head's convolutions at that
cell. The value is the tanh of a linear function of the trunk's means and maxima over cells and the value
head's hidden units. The fitting loss is the policy's cross entropy over free cells, plus the cross entropy of
the value as a probability of winning, (1 + v) / 2, plus L2. It is strongly convex, unlike the loss of the
network's own heads with the squared error of a tanh. Losses on held-out positions are the losses of the
network's training: the policy's cross entropy and the value's squared error.

Shapes: N positions, A cells of the board, F features of a cell, G features of a position.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from agents.alphazero.learning import images, make_batch
from agents.alphazero.network import PolicyValueNet
from bttt import Board
from pruning.bilevel import Counter
from pruning.studies.alphazero import legal_cells

Heads = Mapping[str, Tensor]
"""The lower variables: "policy" `[F]` and "value" `[G]`."""
BATCH = 256
IMPOSSIBLE = -1e4
"""Logit of a cell that is not free; with infinity, 0 times the logit would be nan."""
MOST_EVALUATIONS = 500
TOLERANCE = 1e-4
"""Largest gradient entry at which a fit has converged."""
RIDGE = 1e-3
"""Smallest variance that whitening divides by, as a fraction of the largest variance."""


class Features(NamedTuple):
    """The inputs and targets of heads for some positions.

    Attributes:
        cells: `[N, A, F] float32`, features of each cell.
        whole: `[N, G] float32`, features of the position; one is constant before whitening.
        free: `[N, A] bool`, the cells where a stone can be placed.
        policies: `[N, A] float32`, target policies.
        values: `[N] float32`, target values.
    """

    cells: Tensor
    whole: Tensor
    free: Tensor
    policies: Tensor
    values: Tensor


class Trunk:
    """A network as a feature extractor; its features are whitened on some positions.

    After whitening, the curvature is similar in all directions of the heads, so fits and conjugate gradients
    converge in few steps.

    Args:
        network: The network.
        samples: The positions, `[N]` of `agents.alphazero.learning.sample_type`.
        size: A board of the same size.
    """

    def __init__(self, network: PolicyValueNet, samples: np.ndarray, size: Board):
        self.network = network.eval()
        self.size = size
        self.bricks_plane = network.config.encoding == "bricks"
        self._whitening: tuple[Tensor, Tensor] | None = None
        found = self.features(samples)
        free = found.free.unsqueeze(2).float()
        # subtracting the mean over free cells does not change the softmax
        middle = (found.cells * free).sum(1, keepdim=True) / free.sum(1, keepdim=True)
        self._whitening = whitening((found.cells - middle)[found.free]), whitening(found.whole)

    def features(self, samples: np.ndarray) -> Features:
        """Returns the features of samples `[N]`, without symmetries."""
        upright = images(self.size, "none")
        parts = []
        for start in range(0, len(samples), BATCH):
            part = samples[start : start + BATCH]
            batch = make_batch(part, self.size, upright[np.zeros(len(part), np.int64)], self.bricks_plane)
            planes, policies, values = map(torch.from_numpy, batch)
            cells, whole = self.see(planes)
            parts.append((cells, whole, legal_cells(planes, self.bricks_plane), policies, values))
        return Features(*(torch.cat(each) for each in zip(*parts, strict=True)))

    @torch.no_grad()
    def see(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the features of cells `[B, A, F]` and of positions `[B, G]` for planes `[B, 3, R, C]`."""
        seen: dict[str, Tensor] = {}
        with ExitStack() as hooks:
            for name in ("policy_conv", "policy_out", "value_out"):

                def look(module: torch.nn.Module, inputs: tuple[Tensor], name: str = name) -> None:
                    seen[name] = inputs[0]

                hook = getattr(self.network, name).register_forward_pre_hook(look)
                hooks.callback(hook.remove)
            self.network(planes)
        stream = seen["policy_conv"].flatten(2)
        policy = seen["policy_out"].reshape(len(planes), -1, stream.shape[2])  # dense heads flatten it
        cells = torch.cat([stream, policy], 1).transpose(1, 2).contiguous()
        constant = torch.ones(len(planes), 1)
        whole = torch.cat([stream.mean(2), stream.amax(2), seen["value_out"], constant], 1)
        if self._whitening is not None:
            cells, whole = cells @ self._whitening[0], whole @ self._whitening[1]
        return cells, whole

    def evaluator(self, heads: Heads) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Returns an evaluator of heads on this trunk: planes -> logits `[B, A]` and values `[B]`."""

        def evaluate(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            cells, whole = self.see(torch.from_numpy(planes))
            return (cells @ heads["policy"]).numpy(), torch.tanh(whole @ heads["value"]).numpy()

        return evaluate


def no_heads(features: Features) -> dict[str, Tensor]:
    """Returns all-zero heads with the shapes of some features."""
    like = features.cells
    return {"policy": like.new_zeros(like.shape[2]), "value": like.new_zeros(features.whole.shape[1])}


def fitting_losses(heads: Heads, features: Features) -> Tensor:
    """Returns the fitting loss of each position, `[N]`, convex in the heads."""
    policy, value = _said(heads, features)
    won = functional.binary_cross_entropy_with_logits(2 * value, (1 + features.values) / 2, reduction="none")
    return policy + won


def losses(heads: Heads, features: Features) -> Tensor:
    """Returns the loss of each position, `[N]`, with the definition of the network's training."""
    policy, value = _said(heads, features)
    return policy + (torch.tanh(value) - features.values).square()


def policy_losses(logits: Tensor, free: Tensor, policies: Tensor) -> Tensor:
    """Returns the cross entropy of logits `[N, A]` over the free cells to policies, `[N]`."""
    return -(policies * functional.log_softmax(logits.masked_fill(~free, IMPOSSIBLE), 1)).sum(1)


def _said(heads: Heads, features: Features) -> tuple[Tensor, Tensor]:
    """Returns the policy's losses, and the values before their tanh, `[N]` each."""
    logits = features.cells @ heads["policy"]
    return policy_losses(logits, features.free, features.policies), features.whole @ heads["value"]


def fit(loss: Callable[[Heads], Tensor], start: Heads, counter: Counter) -> dict[str, Tensor]:
    """Returns the heads that minimise a loss, by L-BFGS; counts every gradient.

    Args:
        loss: A strongly convex loss.
        start: Initial heads.
        counter: Counts gradients.
    """
    heads = {name: weights.detach().clone().requires_grad_() for name, weights in start.items()}
    optimizer = torch.optim.LBFGS(
        list(heads.values()),
        max_iter=MOST_EVALUATIONS,
        max_eval=MOST_EVALUATIONS,
        tolerance_grad=TOLERANCE,
        tolerance_change=0.0,
        history_size=30,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        counter.add(None, gradients=1)
        optimizer.zero_grad()
        value = loss(heads)
        value.backward()
        return value

    optimizer.step(closure)
    return {name: weights.detach() for name, weights in heads.items()}


def joined(parts: Sequence[Features]) -> Features:
    """Returns several features concatenated."""
    return Features(*(torch.cat(each) for each in zip(*parts, strict=True)))


def whitening(features: Tensor) -> Tensor:
    """Returns the matrix `[F, F]` whose product with features `[N, F]` has second moments near the identity.

    Directions with less than `RIDGE` of the largest second moment stay smaller.
    """
    moments = (features.double().T @ features.double()) / len(features)
    sizes, directions = torch.linalg.eigh(moments)
    return (directions / (sizes + RIDGE * sizes[-1]).sqrt()).to(features.dtype)
