"""The Gram matrix of a group's units: how similar their contributions to the layers that read them are.

A unit's contribution is the output of a consumer (a convolution or linear layer) for this unit's values
alone. The consumer's output without its bias is the sum of the contributions of all its inputs. With U the
consumer's unfolded input and W its weight, G_ij is the sum over the entries s of unit i and t of unit j of
(U'U)_st (W'W)_st. No contribution needs to be computed for this; if units have many entries, computing them
is cheaper.

A consumer's input is observed at its call of `conv2d` or `linear`: after its own padding, and without
attaching anything to the network.

Shapes: R rows (samples times positions), C units of a group, each with E entries of a row, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from pruning.channels import Group, Slice

CHUNK = 50
"""Samples processed at once; all of them are observed at the same positions."""
MOST_ENTRIES = 8192
"""Maximum number of entries of all units in a row whose products are kept in memory: 0.5 GB."""
MOST_NUMBERS = 1 << 23
"""Maximum number of contribution values in memory at once."""


@torch.no_grad()
def gram_matrix(
    network: nn.Module, group: Group, inputs: Tensor, *, rows: int = 10_000, generator: torch.Generator
) -> Tensor:
    """Returns the mean over samples of the inner products of a group's contributions, float64 `[C, C]`.

    Inner products are taken over a consumer's outputs and positions, and are summed over several consumers.
    They are estimated from random positions of a map (or random tokens).

    Args:
        network: The network, in evaluation mode.
        group: One of the network's groups.
        inputs: Inputs `[B, ...]`, on the network's device.
        rows: Approximate number of samples times positions observed for a consumer; at least one position
            for each sample.
        generator: Generator that chooses the positions.

    Returns:
        The matrix, on the CPU.

    Raises:
        ValueError: A consumer is not called, or not through torch's `conv2d` or `linear`; or a contribution
            is not finite.
    """
    parameters = dict(network.named_parameters(remove_duplicate=False))
    parts: dict[str, list[Slice]] = {}
    for part in group.consumers:
        parts.setdefault(part.tensor, []).append(part)
    sums = {name: _Sums(parameters[name], group, each) for name, each in parts.items()}
    places = max(1, -(-rows // max(1, len(inputs))))

    def see(weight: Tensor, call: _Call) -> None:
        for name, total in sums.items():
            if weight is parameters[name]:
                total.add(*call.rows(places, generator))

    with _Watch(see):
        for chunk in inputs.split(CHUNK):
            network(chunk)
    if unseen := [name for name, total in sums.items() if not total.seen]:
        raise ValueError(f"{unseen[0]} is never given to conv2d or linear, so its input is unknown")
    found = torch.zeros(group.size, group.size, dtype=torch.double)
    for total in sums.values():
        found += total.gram().cpu() / len(inputs)
    if not found.isfinite().all():
        raise ValueError(f"the contributions of the units of {group.name} are not finite")
    return (found + found.T) / 2


class _Sums:
    """Sums over the rows of one consumer, from inputs or from contributions, whichever is cheaper."""

    def __init__(self, weight: Tensor, group: Group, parts: Sequence[Slice]):
        filters = weight.detach().double().flatten(1)
        places = weight[0, 0].numel()
        columns = [_columns(part, group.size, places) for part in parts]
        self.columns = torch.cat(columns, 1).to(weight.device)  # [C, E]
        self.filters = filters[:, self.columns]  # [O, C, E]
        outputs, units, entries = self.filters.shape
        self.whole = _by_inputs(outputs, units, entries)
        size = units * entries if self.whole else units
        self.total = torch.zeros(size, size, dtype=torch.double, device=weight.device)
        self.seen = False

    def add(self, rows: Tensor, each: float) -> None:
        """Adds rows `[R, columns of the filters]`, each with weight `each`."""
        self.seen = True
        outputs, units, _ = self.filters.shape
        values = rows[:, self.columns.flatten()].double()
        if self.whole:
            self.total += each * (values.T @ values)
            return
        for part in values.split(max(1, MOST_NUMBERS // (outputs * units))):
            by_unit = part.view(len(part), *self.columns.shape).movedim(1, 0)  # [C, R, E]
            made = by_unit @ self.filters.permute(1, 2, 0)  # [C, R, O]
            made = made.flatten(1)
            self.total += each * (made @ made.T)

    def gram(self) -> Tensor:
        """Returns the inner products of the contributions, summed over the rows, `[C, C]`."""
        if not self.whole:
            return self.total
        filters = self.filters.flatten(1)
        products = self.total * (filters.T @ filters)
        units, entries = self.columns.shape
        return products.view(units, entries, units, entries).sum((1, 3))


def _by_inputs(outputs: int, units: int, entries: int) -> bool:
    """Returns whether products of inputs are cheaper per row than contributions and their products."""
    whole = units * entries
    return whole <= MOST_ENTRIES and whole**2 <= outputs * units * (entries + units)


def _columns(part: Slice, units: int, places: int) -> Tensor:
    """Returns the columns of each unit's entries in a consumer's rows, int64 `[C, span * places]`."""
    first, span = part.offset * places, part.span * places
    return (first + torch.arange(units * span)).view(units, span)


@dataclass(frozen=True)
class _Call:
    """A call of `conv2d`, or of `linear` if `stride` is None.

    Attributes:
        values: The input.
        filters: Rows and columns of a filter.
    """

    values: Tensor
    filters: tuple[int, ...] = ()
    stride: tuple[int, ...] | None = None
    padding: tuple[int, ...] | str = (0, 0)
    dilation: tuple[int, ...] = (1, 1)

    def rows(self, places: int, generator: torch.Generator) -> tuple[Tensor, float]:
        """Returns the filters' inputs at a number of positions, `[R, entries]`, and the weight of a row."""
        if self.stride is None:
            tokens = self.values.reshape(len(self.values), -1, self.values.shape[-1])
            chosen = _some(tokens.shape[1], places, generator).to(tokens.device)
            return tokens[:, chosen].flatten(0, 1), tokens.shape[1] / len(chosen)
        padded = functional.pad(self.values, self._margins())
        sizes = [
            (size - dilation * (side - 1) - 1) // stride + 1
            for size, side, stride, dilation in zip(
                padded.shape[2:], self.filters, self.stride, self.dilation, strict=True
            )
        ]
        chosen = _some(sizes[0] * sizes[1], places, generator)
        downs, rights = (
            (start * stride)[:, None] + torch.arange(side) * dilation
            for start, side, stride, dilation in zip(
                (chosen // sizes[1], chosen % sizes[1]), self.filters, self.stride, self.dilation, strict=True
            )
        )
        where = downs[:, :, None].to(padded.device), rights[:, None].to(padded.device)
        seen = padded[:, :, where[0], where[1]]  # [B, channels, places, rows, columns]
        return seen.movedim(2, 1).flatten(2).flatten(0, 1), sizes[0] * sizes[1] / len(chosen)

    def _margins(self) -> tuple[int, ...]:
        """Returns the padding of a map: left, right, above, below."""
        if not isinstance(self.padding, str):
            down, right = self.padding
            return right, right, down, down
        if self.padding == "valid":
            return 0, 0, 0, 0
        down, right = (d * (side - 1) for d, side in zip(self.dilation, self.filters, strict=True))
        return right // 2, right - right // 2, down // 2, down - down // 2


def _some(number: int, most: int, generator: torch.Generator) -> Tensor:
    """Returns all of `number` positions, or `most` random ones."""
    if number <= most:
        return torch.arange(number)
    return torch.randperm(number, generator=generator)[:most]


class _Watch(TorchFunctionMode):
    """Reports each call of `conv2d` and `linear` inside its context."""

    def __init__(self, see: Callable[[Tensor, _Call], None]):
        super().__init__()
        self.see = see

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        if func is functional.conv2d:
            self.see(*_conv_call(*args, **kwargs))
        elif func is functional.linear:
            self.see(*_linear_call(*args, **kwargs))
        return func(*args, **kwargs)


def _conv_call(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> tuple[Tensor, _Call]:
    pads = padding if isinstance(padding, str) else _pair(padding)
    return weight, _Call(input, tuple(weight.shape[2:]), _pair(stride), pads, _pair(dilation))


def _linear_call(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> tuple[Tensor, _Call]:
    return weight, _Call(input)


def _pair(value: int | Sequence[int]) -> tuple[int, ...]:
    return (value, value) if isinstance(value, int) else tuple(value) * (2 // len(value))
