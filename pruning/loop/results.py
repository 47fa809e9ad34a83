"""The result of a cycle: the pruned entries, the measurements, and the wall time.

A cycle's file stores the result as a flat JSON object. Files of earlier versions lack the newer keys; those
fields are then nan or empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan, nan
from typing import Any, TypeAlias

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
"""Any JSON value."""


@dataclass(frozen=True)
class Seconds:
    """Wall time of a cycle, in seconds.

    Attributes:
        training: Training, summed over all learning rates of a grid.
        evaluation: Evaluation on the validation split.
        rest: Everything else: scores, selection, publishing.
    """

    training: float = 0.0
    evaluation: float = 0.0
    rest: float = 0.0

    @property
    def total(self) -> float:
        """Seconds of the whole cycle."""
        return self.training + self.evaluation + self.rest


@dataclass(frozen=True)
class GridSearch:
    """The learning rates that a cycle tried.

    Attributes:
        tried: Each learning rate and the task's measure after training with it.
        best: The learning rate with the largest measure.
        interval: The lowest and the highest learning rate whose measure is within the plan's tolerance of the
            best measure.
    """

    tried: tuple[tuple[float, float], ...]
    best: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Additions:
    """The publisher's additions to the result of a level.

    Attributes:
        measures: Numbers by name.
        groups: Groups of numbers by name, for example "cost".
        notes: Other JSON values by name.
    """

    measures: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notes: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of a cycle.

    Attributes:
        cycle: Number of the cycle; 0 is the dense network.
        sparse_macs: Multiply-adds of one input if pruned weights were skipped; nan in files of earlier
            versions.
        training_cost: Multiply-adds of the training run if pruned weights were skipped, relative to training
            the dense network for as many steps; nan in files of earlier versions.
        density: Fraction of the prunable entries that is kept, in [0, 1].
        density_of_all: Fraction of all weights of two dimensions or more that is kept, in [0, 1], including
            those that the plan leaves out; nan in files of earlier versions.
        left_out: Weights, or groups of units, that the plan does not prune, each with the reason.
        dense_macs: Multiply-adds of one input of the dense network; nan in files of earlier versions.
        dense_bytes: Bytes of the dense network's tensors; nan in files of earlier versions.
        sparse_bytes: Bytes if only kept weights and a bit for each prunable weight were stored, for plans of
            weights; otherwise nan.
        kept: Number of prunable entries (weights or units) that are kept.
        prunable: Number of prunable entries of the dense network.
        asked: Number of entries that this cycle was to prune.
        got: Number of entries that this cycle pruned.
        layers: Kept and prunable entries of each layer, by name.
        masks: Digest of the masks.
        measures: Numbers from the task's `evaluate` and from the publisher, by name.
        training: Numbers that the task's `train` recorded, by name.
        grid: The learning rates tried, if the plan has a grid.
        asks_next: Number of entries that the next cycle is to prune.
        dropped_next: Number of entries that the next cycle prunes.
        groups: Groups of numbers from the publisher, by name.
        notes: Other values from the publisher, by name.
        seconds: Wall time; zeros until the cycle is stored.

    Raises:
        ValueError: The task or the publisher uses a name that the loop itself stores, or both use the same
            name.
    """

    cycle: int
    sparse_macs: float = nan
    training_cost: float = nan
    density: float
    density_of_all: float = field(default=nan, compare=False)  # earlier files lack it, and are equal
    left_out: Mapping[str, str] = field(default_factory=dict, compare=False)
    dense_macs: float = field(default=nan, compare=False)
    dense_bytes: float = field(default=nan, compare=False)
    sparse_bytes: float = field(default=nan, compare=False)
    kept: int
    prunable: int
    asked: int
    got: int
    layers: Mapping[str, tuple[int, int]]
    masks: str
    measures: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, float] = field(default_factory=dict)
    grid: GridSearch | None = None
    asks_next: int
    dropped_next: int
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notes: Mapping[str, Json] = field(default_factory=dict)
    seconds: Seconds = field(default_factory=Seconds)

    def __post_init__(self) -> None:
        names = [*self.measures, *self.groups, *self.notes]
        taken = [name for number, name in enumerate(names) if name in KEYS or name in names[:number]]
        if taken:
            raise ValueError(f"the name {taken[0]!r} is taken: the task or the publisher must use another")

    @property
    def cost(self) -> Mapping[str, float]:
        """The group "cost": parameters, multiply-adds and bytes of the published network."""
        return self.groups.get("cost", {})

    def finished(self, added: Additions, seconds: Seconds) -> Result:
        """Returns the result with the publisher's additions and the seconds of the whole cycle.

        Raises:
            ValueError: An added name is taken.
        """
        if again := [name for name in added.measures if name in self.measures]:
            raise ValueError(f"the name {again[0]!r} is taken by a measure of the task: publish another name")
        return replace(
            self,
            measures={**self.measures, **added.measures},
            groups={**self.groups, **added.groups},
            notes={**self.notes, **added.notes},
            seconds=seconds,
        )

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON object that a cycle's file stores."""
        newer = {key: getattr(self, name) for key, name in NEWER.items()}
        return {
            "cycle": self.cycle,
            **{name: value for name, value in newer.items() if not isnan(value)},
            "density": self.density,
            "kept": self.kept,
            "prunable": self.prunable,
            "asked": self.asked,
            "got": self.got,
            "layers": {name: list(counts) for name, counts in self.layers.items()},
            **({"left out": dict(self.left_out)} if self.left_out else {}),
            "masks": self.masks,
            **self.measures,
            "training": dict(self.training),
            **({} if self.grid is None else _grid_to_json(self.grid)),
            "asks next": self.asks_next,
            "dropped next": self.dropped_next,
            **self.notes,
            **{name: dict(numbers) for name, numbers in self.groups.items()},
            "seconds": {name: getattr(self.seconds, name) for name in ("training", "evaluation", "rest")},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Result:
        """Returns the result of a stored JSON object.

        Raises:
            ValueError: A key is missing, or its value has the wrong type.
        """
        others = {str(name): value for name, value in stored.items() if name not in KEYS}
        measures = {name: value for name, value in others.items() if _is_number(value)}
        groups = {name: value for name, value in others.items() if _is_group(value)}
        try:
            return cls(
                cycle=int(stored["cycle"]),
                **_numbers({name: stored.get(key, nan) for key, name in NEWER.items()}),
                left_out={name: str(why) for name, why in stored.get("left out", {}).items()},
                density=float(stored["density"]),
                kept=int(stored["kept"]),
                prunable=int(stored["prunable"]),
                asked=int(stored["asked"]),
                got=int(stored["got"]),
                layers={name: (int(kept), int(size)) for name, (kept, size) in stored["layers"].items()},
                masks=str(stored["masks"]),
                measures=measures,
                training=_numbers(stored["training"]),
                grid=_grid_from_json(stored) if "grid" in stored else None,
                asks_next=int(stored["asks next"]),
                dropped_next=int(stored["dropped next"]),
                groups=groups,
                notes={n: value for n, value in others.items() if n not in measures and n not in groups},
                seconds=Seconds(**_numbers(stored["seconds"])),
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise ValueError(f"not the result of a cycle ({type(error).__name__}: {error})") from error


NEWER = {
    "sparse macs": "sparse_macs",
    "training cost": "training_cost",
    "density of all weights": "density_of_all",
    "dense macs": "dense_macs",
    "dense bytes": "dense_bytes",
    "sparse bytes": "sparse_bytes",
}
"""Key in a file -> field, of numbers that files of earlier versions lack; nan is not stored."""
KEYS = {
    *NEWER,
    *("cycle", "density", "kept", "prunable", "asked", "got", "layers", "left out"),
    *("masks", "training", "grid", "best lr", "interval", "asks next", "dropped next", "seconds"),
}
"""The keys of the loop itself; all other keys belong to the task or the publisher."""


def _grid_to_json(grid: GridSearch) -> dict[str, Json]:
    return {
        "grid": [[lr, value] for lr, value in grid.tried],
        "best lr": grid.best,
        "interval": list(grid.interval),
    }


def _grid_from_json(stored: Mapping[str, Any]) -> GridSearch:
    low, high = stored["interval"]
    tried = tuple((float(lr), float(value)) for lr, value in stored["grid"])
    return GridSearch(tried, float(stored["best lr"]), (float(low), float(high)))


def _numbers(stored: Mapping[str, Any]) -> dict[str, float]:
    for name, value in stored.items():
        if not _is_number(value):
            raise ValueError(f"{name} must be a number, got {value!r}")
    return dict(stored)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_group(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(_is_number, value.values()))
