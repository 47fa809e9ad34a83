"""The gradients of a `PolicyValueNet` on one CPU thread, in bfloat16 1.4 times as fast as by autograd.

Autograd reads and writes convolutions, normalisations, sums and activations separately, and memory takes most
of the time; here they are one step, see `layers`. The hidden layer of the value is left to autograd.

Shapes: B positions, A cells of a board; images as in `layers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from agents.alphazero.learning.heads import read_heads, read_heads_back
from agents.alphazero.learning.layers import Images, Layer, Room, add_gradient, sides_for
from agents.alphazero.learning.normalisation import Sides
from agents.alphazero.network import AlphaZeroNetwork, Block, PolicyValueNet

_KNOWN = (PolicyValueNet, Block, nn.ModuleList, nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.LeakyReLU, nn.Linear)


def has_gradients(network: AlphaZeroNetwork) -> TypeGuard[PolicyValueNet]:
    """Returns whether `Gradients` computes the gradients of a network: if it knows all that its layers do."""
    return (
        isinstance(network, PolicyValueNet)
        and network.config.heads == "conv"
        and all(
            type(module) in _KNOWN
            and "forward" not in vars(module)
            and not any(hooks for name, hooks in vars(module).items() if name.endswith("_hooks"))
            for module in network.modules()
        )
    )


def losses_of(logits: Tensor, expected: Tensor, policies: Tensor, values: Tensor) -> Tensor:
    """Returns the mean cross entropy to `policies` `[B, A]` and squared error of `values` `[B]`, `[2]`."""
    policy = -(policies * functional.log_softmax(logits.float(), 1)).sum(1).mean()
    return torch.stack([policy, functional.mse_loss(expected.float(), values)])


class Gradients:
    """The gradients of a network, whose weights may change, but not its layers.

    Args:
        network: The network; see `has_gradients`.
        precision: Of activations and products: float32 or bfloat16.
    """

    def __init__(self, network: PolicyValueNet, precision: torch.dtype):
        self.network = network
        self.gap = network.config.kernel // 2
        self.room = Room(precision)

        def layer(name: str, *pairs: tuple[nn.Module, nn.Module]) -> Layer:
            return Layer(name, pairs, network.config.slope, self.room)

        self.stem = layer("stem", (network.stem, network.stem_bn))
        self.blocks = [
            (
                layer(f"{number}, first", (block.conv1, block.bn1)),
                layer(f"{number}, second", (block.conv2, block.bn2)),
            )
            for number, block in enumerate(cast(Sequence[Block], network.blocks))
        ]
        policy, value = (network.policy_conv, network.policy_bn), (network.value_conv, network.value_bn)
        self.heads = layer("heads", policy, value)

    @torch.no_grad()
    def add(self, planes: Tensor, policies: Tensor, values: Tensor, value_weight: float) -> Tensor:
        """Adds the gradients of the loss on a batch to those of the parameters; returns the losses `[2]`.

        Args:
            planes: `[B, 3, rows, cols] float32`.
            policies: `[B, A] float32`, policy targets.
            values: `[B] float32`, value targets.
            value_weight: Weight of the value's loss.
        """
        number, _, rows, cols = planes.shape
        sides = sides_for(number, rows, cols, self.gap)
        stem = self.stem.forward(sides, self._inputs(sides, planes))
        steps, stream = [], stem.outputs
        for first, second in self.blocks:
            inner = first.forward(sides, stream)
            outer = second.forward(sides, inner.outputs, stream)
            steps.append((inner, outer))
            stream = outer.outputs
        heads = self.heads.forward(sides, stream)
        losses, gradient = self._answer(sides, heads.outputs, policies, values, value_weight)
        self.heads.backward(heads, gradient, inner="inner")
        at_stream = self.heads.at_inputs(heads)
        past: Images | None = None  # the part of the gradient at the stream that passes by the block
        for place in reversed(range(len(steps))):
            (first, second), (inner, outer) = self.blocks[place], steps[place]
            past = second.backward(outer, at_stream, past, inner=f"past {place % 2}")
            first.backward(inner, second.at_inputs(outer), inner="inner")
            at_stream = first.at_inputs(inner)
        self.stem.backward(stem, at_stream, past, inner="inner")
        return losses

    def _inputs(self, sides: Sides, planes: Tensor) -> Images:
        """Returns planes `[B, 3, rows, cols]` as images."""
        images = self.room.images("planes", sides, len(planes) // sides.boards, planes.shape[1])
        cells = images.tensor.permute(0, 2, 3, 1).unflatten(2, (sides.boards, -1))
        boards = planes.unflatten(0, (-1, sides.boards))
        cells[:, :, :, : sides.cols].copy_(boards.permute(0, 3, 1, 4, 2))  # between them it stays 0
        return images

    def _answer(
        self, sides: Sides, outputs: Images, policies: Tensor, values: Tensor, value_weight: float
    ) -> tuple[Tensor, Images]:
        """Returns the losses `[2]`, and the gradient at the outputs of the heads' convolutions."""
        policy, value = self.heads.widths
        weights = cast(nn.Conv2d, self.network.policy_out).weight
        logits, pooled = torch.empty_like(policies), torch.empty(len(policies), 2 * value)
        ties = np.empty((len(policies), value), np.float32)
        vector = weights.flatten().numpy()
        read_heads(outputs.rows, sides, vector, logits.numpy(), pooled.numpy(), ties)
        with torch.enable_grad():
            expected = self.network.judge(pooled.requires_grad_())
            losses = losses_of(logits.requires_grad_(), expected, policies, values)
            (losses[0] + value_weight * losses[1]).backward()
        gradient = self.room.images("answer", sides, len(outputs.tensor), policy + value)
        of_weights = np.zeros(outputs.rows.shape[1], np.float32)
        at_logits, at_pooled = (cast(Tensor, leaf.grad).numpy() for leaf in (logits, pooled))
        found = pooled.detach().numpy(), ties, at_logits, at_pooled
        read_heads_back(outputs.rows, sides, vector, *found, gradient.rows, of_weights)
        own = of_weights.reshape(-1, policy + value).sum(0)[:policy]
        add_gradient(weights, torch.from_numpy(own).view_as(weights))
        return losses.detach(), gradient
