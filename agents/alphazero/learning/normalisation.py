"""Kernels of batch normalisation with its activation, forward and back, each in two passes over memory.

Boards lie side by side, see `Sides`. Activations are their rows, `[R, L]`: the C channels of each cell, one
cell after the other. They are float32, or bfloat16 as uint16 words, a type that numba does not have. Inside
the kernels, vectors of L numbers repeat a number per channel for each cell, which makes the loops long. They
are 0 between the boards, and so are the results there.

The activation is the identity for positive inputs and `slope` times the input otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from bttt.kernels import entry_point, kernel

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value
    from numba.core.typing.templates import Signature

_ZERO = np.float32(0)
_ONE = np.float32(1)
_WORD, _HALF = ir.IntType(32), ir.IntType(16)


class Sides(NamedTuple):
    """Where the boards lie.

    Attributes:
        boards: Boards side by side.
        rows: Rows of a board.
        cols: Columns of a board.
        gap: Columns of zeros after each board.
    """

    boards: int
    rows: int
    cols: int
    gap: int


@intrinsic
def _number(typing_context: object, stored: Any) -> tuple[Signature, Callable[..., Value]]:
    """Returns a stored number as float32: bfloat16 is the upper half of its bits."""

    def generate(context: object, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Value:
        if stored == types.float32:
            return args[0]
        return builder.bitcast(builder.shl(builder.zext(args[0], _WORD), _WORD(16)), ir.FloatType())

    return types.float32(stored), generate


@intrinsic
def _stored_as(typing_context: object, found: object, like: Any) -> tuple[Signature, Callable[..., Value]]:
    """Returns a float32 number as `like` is stored, rounded to the nearest, ties away from zero."""

    def generate(context: object, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Value:
        if like == types.float32:
            return args[0]
        word = builder.add(builder.bitcast(args[0], _WORD), _WORD(0x8000))
        return builder.trunc(builder.lshr(word, _WORD(16)), _HALF)

    return like(types.float32, like), generate


# Kernels call an intrinsic without its first parameter, the typing context.
number = cast(Callable[[Any], np.float32], _number)
stored_as = cast(Callable[[np.float32, Any], Any], _stored_as)


@kernel
def cell_start(sides, side, col, channels):
    """Returns where the channels of a cell start in a row of the images."""
    return (side * (sides.cols + sides.gap) + col) * channels


@kernel
def _lanes(vector, sides, width):
    """Returns `vector` `[C]` at each cell and 0 between the boards, `[L] float32`."""
    lanes = np.zeros(width, np.float32)
    for side in range(sides.boards):
        for col in range(sides.cols):
            start = cell_start(sides, side, col, len(vector))
            for c in range(len(vector)):
                lanes[start + c] = vector[c]
    return lanes


@kernel
def _collect(lanes, sides, sums):
    """Adds the cells of `lanes` `[L]` to `sums` `[C] float64`."""
    for side in range(sides.boards):
        for col in range(sides.cols):
            start = cell_start(sides, side, col, len(sums))
            for c in range(len(sums)):
                sums[c] += lanes[start + c]


@entry_point
def measure(x, sides, mean, variance):
    """Fills `mean` and `variance` `[C] float64` of `x` `[R, L]` over the cells of all boards."""
    width = x.shape[1]
    first, second = np.zeros(width, np.float32), np.zeros(width, np.float32)
    for r in range(len(x)):
        for k in range(width):
            value = number(x[r, k])
            first[k] += value
            second[k] += value * value
    mean[:] = 0.0
    variance[:] = 0.0
    _collect(first, sides, mean)
    _collect(second, sides, variance)
    cells = len(x) * sides.boards * sides.cols
    for c in range(len(mean)):
        mean[c] /= cells
        variance[c] = max(variance[c] / cells - mean[c] ** 2, 0.0)


@entry_point
def normalise(x, sides, scale, shift, slope, stream, y):
    """Fills `y` `[R, L]` with the activation of `x * scale + shift + stream`.

    Args:
        x: `[R, L]`.
        sides: Where the boards lie.
        scale: `[C]`.
        shift: `[C]`.
        slope: The activation's slope, float32.
        stream: `[R, L]`, or without rows for zeros.
        y: `[R, L]`, another array than the others: else the loops are not vectorised.
    """
    width = x.shape[1]
    scales, shifts = _lanes(scale, sides, width), _lanes(shift, sides, width)
    for r in range(len(x)):
        if len(stream):
            for k in range(width):
                value = number(x[r, k]) * scales[k] + shifts[k] + number(stream[r, k])
                y[r, k] = stored_as(value * (_ONE if value > _ZERO else slope), y[r, k])
        else:
            for k in range(width):
                value = number(x[r, k]) * scales[k] + shifts[k]
                y[r, k] = stored_as(value * (_ONE if value > _ZERO else slope), y[r, k])


@entry_point
def pass_activation(gradient, other, y, slope, x, sides, mean, inner, sums):
    """Passes gradients back through the activation, and adds up what the normalisation needs of them.

    Args:
        gradient: `[R, L]`, the loss's gradient at `y`.
        other: `[R, L]`, another part of it, from a second reader of `y`; without rows, there is none.
        y: `[R, L]`, the outputs of the activation, whose signs are those of its inputs.
        slope: The activation's slope, float32.
        x: `[R, L]`, the inputs of the normalisation.
        sides: Where the boards lie.
        mean: `[C]`, the means of `x`.
        inner: `[R, L]`, another array; filled with the gradient at the inputs of the activation.
        sums: `[2, C] float64`, filled with the sums of `inner` and of `inner * (x - mean)`.
    """
    width = x.shape[1]
    first, second = np.zeros(width, np.float32), np.zeros(width, np.float32)
    row = np.empty(width, np.float32)  # a loop that writes one array is vectorised best
    means = _lanes(mean, sides, width)
    for r in range(len(x)):
        if len(other):
            for k in range(width):
                row[k] = number(gradient[r, k]) + number(other[r, k])
            for k in range(width):
                row[k] *= _ONE if number(y[r, k]) > _ZERO else slope
        else:
            for k in range(width):
                row[k] = number(gradient[r, k]) * (_ONE if number(y[r, k]) > _ZERO else slope)
        for k in range(width):
            inner[r, k] = stored_as(row[k], inner[r, k])
            first[k] += row[k]
        for k in range(width):
            second[k] += row[k] * (number(x[r, k]) - means[k])
    sums[:] = 0.0
    _collect(first, sides, sums[0])
    _collect(second, sides, sums[1])


@entry_point
def pass_normalisation(inner, x, sides, mean, inverse, weight, sums, gradient):
    """Passes gradients back through the normalisation.

    Args:
        inner: `[R, L]`, the loss's gradient at its outputs.
        x: `[R, L]`, its inputs.
        sides: Where the boards lie.
        mean: `[C]`, their means.
        inverse: `[C]`, one over their standard deviations.
        weight: `[C]`, the normalisation's weights.
        sums: `[2, C] float64`, as from `pass_activation`.
        gradient: `[R, L]`, another array; filled with the gradient at `x`.
    """
    width, cells = x.shape[1], len(x) * sides.boards * sides.cols
    scale = inverse * weight
    slant = -scale * sums[1] * inverse**2 / cells
    scales, slants = _lanes(scale, sides, width), _lanes(slant, sides, width)
    biases = _lanes(-scale * sums[0] / cells - slant * mean, sides, width)
    for r in range(len(x)):
        for k in range(width):
            value = number(inner[r, k]) * scales[k] + number(x[r, k]) * slants[k] + biases[k]
            gradient[r, k] = stored_as(value, gradient[r, k])
