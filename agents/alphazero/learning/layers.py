"""A layer of the network forward and back: convolution, normalisation, sum with the stream, activation.

Boards lie side by side in wide images, with columns of zeros between them that stand for the padding, since
convolutions of short rows are slow, above all their weights' gradients.

Shapes: n images, C channels, images of rows x width cells, their rows `[R, L]` with R = n * rows and
L = width * C.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import grad as conv_grad

from agents.alphazero.learning.normalisation import (
    Sides,
    measure,
    normalise,
    pass_activation,
    pass_normalisation,
)

ROW_CELLS = 32
"""Boards are put side by side up to this many cells in a row."""


def sides_for(positions: int, rows: int, cols: int, gap: int) -> Sides:
    """Returns how boards lie in the images of a batch; all images have as many."""
    most = max(1, min(positions, ROW_CELLS // (cols + gap)))
    boards = next(number for number in range(most, 0, -1) if positions % number == 0)
    return Sides(boards, rows, cols, gap)


class Images(NamedTuple):
    """Boards side by side: one array, seen in two ways.

    Attributes:
        tensor: `[n, C, rows, width]`, channels last.
        rows: `[R, L]`; bfloat16 as uint16 words.
    """

    tensor: Tensor
    rows: np.ndarray


def images_of(tensor: Tensor) -> Images:
    """Returns images of a tensor `[n, C, rows, width]`, channels last."""
    number, channels, rows, width = tensor.shape
    flat = tensor.permute(0, 2, 3, 1).reshape(number * rows, width * channels)
    return Images(tensor, (flat.view(torch.uint16) if tensor.dtype == torch.bfloat16 else flat).numpy())


class Room:
    """Memory for images, which the next batch uses again: new memory is slow when it is first written.

    Args:
        precision: float32 or bfloat16.
    """

    def __init__(self, precision: torch.dtype):
        self.precision = precision
        self._images: dict[str, tuple[tuple[int, ...], Images]] = {}

    def images(self, name: str, sides: Sides, number: int, channels: int) -> Images:
        """Returns `number` images of a name, with any content; they end those of this name before."""
        shape = number, sides.rows, sides.boards * (sides.cols + sides.gap), channels
        if name not in self._images or self._images[name][0] != shape:
            made = images_of(torch.zeros(shape, dtype=self.precision).permute(0, 3, 1, 2))
            self._images[name] = shape, made
        return self._images[name][1]


def add_gradient(parameter: Tensor, gradient: Tensor) -> None:
    """Adds to a parameter's gradient."""
    if parameter.grad is not None:
        parameter.grad += gradient
        return
    if gradient.dtype != parameter.dtype:
        gradient = gradient.to(parameter.dtype)
    if gradient.stride() != parameter.stride():  # fused optimizers need the layout of the parameter
        gradient = torch.empty_like(parameter).copy_(gradient)
    parameter.grad = gradient


class Step(NamedTuple):
    """What a layer remembers of its way forward, for its way back."""

    sides: Sides
    inputs: Images
    weight: Tensor
    convolved: Images
    mean: np.ndarray
    inverse: np.ndarray
    outputs: Images


class Layer:
    """Convolutions of the same inputs, with their normalisations and the activation.

    Args:
        name: Of the layer, in the network.
        pairs: The convolutions, each with its normalisation.
        slope: Slope of the activation for negative inputs.
        room: Memory for the images.
    """

    def __init__(self, name: str, pairs: Sequence[tuple[nn.Module, nn.Module]], slope: float, room: Room):
        self.name = name
        convs = [cast(nn.Conv2d, conv) for conv, _ in pairs]
        self.norms = [cast(nn.BatchNorm2d, norm) for _, norm in pairs]
        self.filters = [conv.weight for conv in convs]
        self.weights = [norm.weight for norm in self.norms]
        self.biases = [norm.bias for norm in self.norms]
        self.widths = [conv.out_channels for conv in convs]
        self.padding = convs[0].padding
        self.slope = np.float32(slope)
        self.room = room

    def forward(self, sides: Sides, inputs: Images, stream: Images | None = None) -> Step:
        """Takes the step forward, and moves the normalisations' running statistics.

        Args:
            sides: Where the boards lie.
            inputs: `[n, C, rows, width]`, zero between the boards.
            stream: `[n, channels of all convolutions, rows, width]`, added before the activation.
        """
        weight = _joined(self.filters)
        weight = weight.to(self.room.precision).contiguous(memory_format=torch.channels_last)
        convolved = images_of(torch.conv2d(inputs.tensor, weight, padding=self.padding))
        mean, variance = np.empty(len(weight)), np.empty(len(weight))
        measure(convolved.rows, sides, mean, variance)
        self._move(mean, variance, len(convolved.rows) * sides.boards * sides.cols)
        inverse = 1 / np.sqrt(variance + self.norms[0].eps)
        scale = inverse * _numbers(self.weights)
        outputs = self.room.images(self.name, sides, len(inputs.tensor), len(weight))
        shift = _numbers(self.biases) - mean * scale
        added = _rows(stream, convolved)
        normalise(convolved.rows, sides, scale, shift, self.slope, added, outputs.rows)
        return Step(sides, inputs, weight, convolved, mean, inverse, outputs)

    def backward(self, step: Step, gradient: Images, other: Images | None = None, *, inner: str) -> Images:
        """Takes the step back to the convolution, and adds the gradients of the parameters to theirs.

        Args:
            step: The step forward.
            gradient: The loss's gradient at the outputs.
            other: Another part of that gradient, from a second reader of the outputs.
            inner: Name of the memory for the result.

        Returns:
            The gradient at the stream, if one was added.
        """
        sides, x, inputs = step.sides, step.convolved.rows, step.inputs.tensor
        at_stream = self.room.images(inner, sides, len(inputs), len(step.weight))
        passed = self.room.images("passed", sides, len(inputs), len(step.weight))
        sums = np.empty((2, len(step.weight)))
        given = gradient.rows, _rows(other, step.convolved), step.outputs.rows
        pass_activation(*given, self.slope, x, sides, step.mean, at_stream.rows, sums)
        self._add(self.biases, torch.from_numpy(sums[0]))
        self._add(self.weights, torch.from_numpy(sums[1] * step.inverse))
        weight = _numbers(self.weights)
        pass_normalisation(at_stream.rows, x, sides, step.mean, step.inverse, weight, sums, passed.rows)
        shape = list(step.weight.shape)
        padding = self.padding
        self._add(self.filters, conv_grad.conv2d_weight(inputs, shape, passed.tensor, padding=padding))
        return at_stream

    def at_inputs(self, step: Step) -> Images:
        """Takes the rest of the last step back; returns the gradient at its inputs."""
        inputs = step.inputs.tensor
        passed = self.room.images("passed", step.sides, len(inputs), len(step.weight)).tensor
        shape = list(inputs.shape)
        return images_of(conv_grad.conv2d_input(shape, step.weight, passed, padding=self.padding))

    def _move(self, mean: np.ndarray, variance: np.ndarray, cells: int) -> None:
        """Moves the running statistics towards a batch's, with the unbiased variance."""
        means = torch.from_numpy(mean).float().split(self.widths)
        variances = torch.from_numpy(variance * (cells / max(cells - 1, 1))).float().split(self.widths)
        for norm, *moments in zip(self.norms, means, variances, strict=True):
            for running, own in zip((norm.running_mean, norm.running_var), moments, strict=True):
                cast(Tensor, running).lerp_(own, norm.momentum or 0.0)
            cast(Tensor, norm.num_batches_tracked).add_(1)

    def _add(self, parameters: Sequence[Tensor], gradient: Tensor) -> None:
        for parameter, part in zip(parameters, gradient.split(self.widths), strict=True):
            add_gradient(parameter, part)


def _numbers(tensors: Sequence[Tensor]) -> np.ndarray:
    return _joined(tensors).detach().double().numpy()


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors))


def _rows(images: Images | None, like: Images) -> np.ndarray:
    """Returns the rows of images, or none of the same width and type."""
    return like.rows[:0] if images is None else images.rows
