"""Locations of channels: sets of channels, and their places in activations and in parameters.

A channel set holds the output channels of one layer or one addition. Channel sets that can only be pruned
together form a class.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Slice(NamedTuple):
    """The location of a group's channels in a tensor: channel c is `span` entries from `offset + c * span`.

    Attributes:
        tensor: Name of the tensor in `state_dict()`.
        dim: Dimension of the tensor that the channels lie in.
        offset: Index of the first entry of channel 0.
        span: Number of consecutive entries of a channel.
    """

    tensor: str
    dim: int
    offset: int = 0
    span: int = 1


class Run(NamedTuple):
    """A contiguous run along the channel dimension: all channels of one set, each with `span` entries."""

    source: int
    size: int
    span: int = 1


Layout = tuple[Run, ...]
"""The runs that make up the channel dimension of a tensor, from its first entry to its last."""


class OpaqueError(Exception):
    """Raised if channels cannot be followed through an operation; the message gives the reason."""


class DistrustError(OpaqueError):
    """Raised at a module that may compute something else than its class, see `trust`."""


@dataclass
class ChannelSet:
    """The channels of one layer or one addition; `pruning.channels.Group` describes the slices."""

    size: int
    layers: list[str] = field(default_factory=list)
    producers: list[Slice] = field(default_factory=list)
    statistics: list[Slice] = field(default_factory=list)
    consumers: list[Slice] = field(default_factory=list)
    fixed: str = ""
    block: int = 1  # number of neighbouring channels that can only be pruned together


class Channels:
    """All channel sets of a network, and the classes of sets that can only be pruned together."""

    def __init__(self) -> None:
        self.sets: list[ChannelSet] = []
        self._parents: list[int] = []
        self._units: list[int] = []

    def new(self, size: int, layer: str = "") -> Layout:
        """Returns the layout of a new set."""
        self.sets.append(ChannelSet(size, [layer] if layer else []))
        self._parents.append(len(self._parents))
        self._units.append(len(self._units))
        return (Run(len(self.sets) - 1, size),)

    def root(self, source: int) -> int:
        """Returns the first set in the class of a set."""
        return _first(self._parents, source)

    def classes(self) -> list[list[int]]:
        """Returns the classes of sets that can only be pruned together, ordered by their first sets."""
        return _gathered(self._parents, range(len(self.sets)))

    def parts(self, members: Iterable[int]) -> list[list[int]]:
        """Splits a class into parts that can be masked separately, each before the parts are added."""
        return _gathered(self._units, members)

    def tie(self, first: Layout, second: Layout) -> None:
        """Joins the channels at the same places into one class; OpaqueError if the layouts do not match."""
        if [run[1:] for run in first] != [run[1:] for run in second]:
            raise OpaqueError("which mixes different channels")
        for one, other in zip(first, second, strict=True):
            low, high = sorted((self.root(one.source), self.root(other.source)))
            self._parents[high] = low

    def bind(self, layouts: Sequence[Layout], block: int) -> None:
        """Joins `block` neighbours at the same places of all layouts into a unit; OpaqueError as in `tie`."""
        for layout in layouts:
            self.tie(layouts[0], layout)
            for one, other in zip(layouts[0], layout, strict=True):
                low, high = sorted(_first(self._units, run.source) for run in (one, other))
                self._units[high] = low
                self.sets[other.source].block = math.lcm(self.sets[other.source].block, block)

    def fork(self, layout: Layout, layer: str = "") -> Layout:
        """Returns new sets in the same layout, tied to the old ones."""
        new = tuple(Run(self.new(run.size, layer)[0].source, run.size, run.span) for run in layout)
        self.tie(layout, new)
        return new

    def fix(self, layouts: Iterable[Layout], reason: str) -> None:
        """Records the reason why channels cannot be pruned; an earlier reason is kept."""
        for source in {run.source for layout in layouts for run in layout}:
            self.sets[source].fixed = self.sets[source].fixed or reason

    def note(self, kind: str, layout: Layout, tensor: str, dim: int) -> None:
        """Adds a tensor, with this layout in `dim`, to its sets' "producers", "statistics" or "consumers"."""
        for run, offset in placed(layout):
            getattr(self.sets[run.source], kind).append(Slice(tensor, dim, offset, run.span))


def _first(parents: Sequence[int], source: int) -> int:
    while parents[source] != source:
        source = parents[source]
    return source


def _gathered(parents: Sequence[int], sources: Iterable[int]) -> list[list[int]]:
    """Returns the sources grouped by their first parent, in order."""
    found: dict[int, list[int]] = {}
    for source in sources:
        found.setdefault(_first(parents, source), []).append(source)
    return list(found.values())


def placed(layout: Layout) -> Iterator[tuple[Run, int]]:
    """Yields each run with the index of its first entry."""
    offset = 0
    for run in layout:
        yield run, offset
        offset += run.size * run.span
