"""The parts of a plan. Each checks its own values; `Plan` checks the combinations.

Scoring         which weights or units are pruned?
Amount          how many does a cycle prune, and where?
StartWeights    which weights does a cycle start from?
LearningRate    at which learning rates does a cycle train?
Stop            when does the run end?
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Literal

from pruning.criteria import CRITERIA
from pruning.limits import require_one_of, require_whole
from pruning.masks import ALLOCATIONS
from pruning.schedules import Schedule, make_schedule
from pruning.sparse import Topology, make_topology

MOST_ROUNDS = 10_000


@dataclass(frozen=True)
class Scoring:
    """Which weights or units are pruned.

    Attributes:
        criterion: A name in `CRITERIA`.
        criterion_options: Options of a criterion that chooses units one by one.
        rounds: Scoring rounds in which a cycle prunes. Each round prunes an equal fraction of the remaining
            entries (SynFlow).
        topology: How weights are dropped and grown while a cycle trains: a name in `TOPOLOGIES`, or "" for
            fixed masks.
        topology_options: Options of the topology.

    Raises:
        ValueError: A value is out of range, or a topology is combined with a criterion of units.
    """

    criterion: str = "dropnet"
    criterion_options: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = 1
    topology: str = ""
    topology_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_one_of(CRITERIA, criterion=self.criterion)
        require_whole(1, rounds=self.rounds)
        if self.topology:
            make_topology(self.topology, **self.topology_options)  # raises where an option is wrong
            if self.of == "units":
                raise ValueError(
                    f"topology needs a criterion that scores weights, {self.criterion!r} scores units"
                )
        if self.rounds > MOST_ROUNDS:
            raise ValueError(f"rounds must be at most {MOST_ROUNDS}, got {self.rounds}")
        if self.chooses and self.rounds > 1:
            raise ValueError(f"criterion {self.criterion!r} allows only one round, got {self.rounds}")
        choose = CRITERIA[self.criterion].choose
        known = list(signature(choose).parameters)[2:] if choose else []
        if odd := [name for name in self.criterion_options if name not in known]:
            has = f"its options are {', '.join(known)}" if known else "it has no options"
            raise ValueError(f"criterion {self.criterion!r} has no option {odd[0]!r}: {has}")

    @property
    def of(self) -> Literal["weights", "units"]:
        """Whether weights or units are pruned."""
        return CRITERIA[self.criterion].of

    @property
    def chooses(self) -> bool:
        """Whether the criterion chooses units one by one, and scales them."""
        return CRITERIA[self.criterion].choose is not None

    @property
    def changing(self) -> Topology | None:
        """How masks change while a cycle trains; None for fixed masks."""
        return make_topology(self.topology, **self.topology_options) if self.topology else None


@dataclass(frozen=True)
class Amount:
    """How many weights or units a cycle prunes, and where.

    Attributes:
        scope: "global" ranks the scores of all layers together, "layer" ranks each layer separately.
        fraction: Fraction of the remaining entries that each cycle prunes; 0 only trains.
        count: Number of entries that each cycle prunes, instead of a fraction; with scope "layer", in each
            layer.
        floor: Minimum number of entries that each layer keeps. None is 1 for units, so that they can be
            removed, and 0 for weights.
        exclude: Layers (groups of units, or weights) that are not pruned; names with * and ?.
        allocation: Rule for the number of weights that each layer keeps: "uniform", "er" or "erk" (see
            `pruning.masks`). With "", the scores and `scope` decide.
        budget: Total of an allocation: the "weights" that `fraction` leaves, or as many weights as cost the
            "macs" of a uniform allocation of that fraction.
        coupled: For units, whether channels that are added to each other are pruned together. Otherwise they
            are only masked (DropNet masks each layer before the addition).
        embeddings: For weights, whether those of embeddings are pruned too.
        round_to: For units, each layer keeps a multiple of this, or its whole width (see `pruning.masks`).
            Processors are fastest at multiples of 16 or 32 channels.

    Raises:
        ValueError: A value is out of range, or two values exclude each other.
    """

    scope: Literal["global", "layer"] = "global"
    fraction: float = 0.2
    count: int | None = None
    floor: int | None = None
    exclude: tuple[str, ...] = ()
    allocation: str = ""
    budget: Literal["weights", "macs"] = "weights"
    coupled: bool = True
    embeddings: bool = False
    round_to: int = 1

    def __post_init__(self) -> None:
        require_one_of(("global", "layer"), scope=self.scope)
        require_one_of(("", *ALLOCATIONS), allocation=self.allocation)
        require_one_of(("weights", "macs"), budget=self.budget)
        _require_below_one(fraction=self.fraction)
        require_whole(1, count=self.count)
        require_whole(0, floor=self.floor)
        require_whole(1, round_to=self.round_to)
        if isinstance(self.exclude, str):
            raise ValueError(
                f"exclude must be a tuple of names, for example ({self.exclude!r},), got a string"
            )
        default = type(self).fraction  # a class attribute: the default of the field
        if self.count is not None and self.fraction != default:
            raise ValueError(
                f"count and fraction exclude each other: got count {self.count} and fraction {self.fraction}"
            )
        if self.allocation and self.count is not None:
            raise ValueError(
                f"allocation {self.allocation} needs a fraction: count must be None, got {self.count}"
            )
        if self.allocation and self.floor is not None:
            raise ValueError(
                f"allocation {self.allocation} sets how much layers keep: floor must be None, "
                f"got {self.floor}"
            )
        if self.round_to > 1 and not self.coupled:
            raise ValueError(
                "round_to needs coupled channels, which can be removed: coupled must be True, got False"
            )
        if self.budget != "weights" and not self.allocation:
            raise ValueError(f"budget {self.budget!r} needs an allocation, for example erk")

    @property
    def drops(self) -> bool:
        """Whether a cycle prunes anything."""
        return self.count is not None or self.fraction > 0


@dataclass(frozen=True)
class StartWeights:
    """Which weights a cycle starts from.

    Attributes:
        untrained: Whether the first cycle prunes initial weights: cycle 0 trains nothing.
        restart: Weights that a cycle starts from: "keep" continues from the previous cycle, "rewind" goes
            back to early weights, "reinit" draws new ones.
        rewind_to: Fraction of a dense training run after which its weights are taken for rewinding; 0 rewinds
            to the initial weights. A cycle then trains the remaining fraction, with the remaining schedule.
            Deviations: the optimizer starts from an empty state, and samples come in another order.

    Raises:
        ValueError: A value is out of range, or `rewind_to` is given without rewinding.
    """

    untrained: bool = False
    restart: Literal["keep", "rewind", "reinit"] = "keep"
    rewind_to: float = 0.0

    def __post_init__(self) -> None:
        require_one_of(("keep", "rewind", "reinit"), restart=self.restart)
        _require_below_one(rewind_to=self.rewind_to)
        if self.rewind_to and self.restart != "rewind":
            raise ValueError(f"rewind_to needs restart=rewind, got {self.restart!r}")


@dataclass(frozen=True)
class LearningRate:
    """At which learning rates a cycle trains.

    Attributes:
        schedule: A name in `SCHEDULES`.
        schedule_options: Options of the schedule.
        grid: Learning rates tried in each cycle as the schedule's `lr`; the best is kept (SILO's oracle).
        tolerance: A learning rate belongs to the oracle's interval if its measure is at most this far below
            the best.

    Raises:
        ValueError: A value is out of range, or the schedule has no peak `lr` for the grid to set.
    """

    schedule: str = "constant"
    schedule_options: Mapping[str, Any] = field(default_factory=dict)
    grid: tuple[float, ...] = ()
    tolerance: float = 0.005

    def __post_init__(self) -> None:
        self.of_cycle(0)  # raises where an option is wrong
        if not self.tolerance >= 0:
            raise ValueError(f"tolerance must be at least 0, got {self.tolerance}")
        if not self.grid:
            return
        if wrong := [lr for lr in self.grid if not 0 < lr < math.inf]:
            raise ValueError(f"grid must hold learning rates above 0, got {wrong[0]}")
        try:
            self.of_cycle(0, self.grid[0])
        except ValueError as error:
            raise ValueError(f"grid needs a schedule whose peak is lr: {error}") from error

    def of_cycle(self, cycle: int, peak: float | None = None) -> Callable[[float], float]:
        """Returns a cycle's learning rate as a function of progress, with a peak from the grid if given."""
        options = self.schedule_options if peak is None else {**self.schedule_options, "lr": peak}
        schedule: Schedule = make_schedule(self.schedule, **options)
        return lambda progress: schedule(progress, cycle)


@dataclass(frozen=True)
class Stop:
    """When a run ends. A finished run can be continued with other values.

    Attributes:
        cycles: Maximum number of cycles after the dense one.
        until_density: Stop after the first network that keeps at most this fraction of its prunable entries.
        kappa: Stop one cycle after the measure falls to this fraction of the dense network's measure
            (DropNet's kappa).

    Raises:
        ValueError: A value is out of range.
    """

    cycles: int = 12
    until_density: float = 0.0
    kappa: float = 0.0

    def __post_init__(self) -> None:
        require_whole(0, cycles=self.cycles)
        for name in ("until_density", "kappa"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be 0 to 1, got {getattr(self, name)}")


def _require_below_one(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} must be at least 0 and below 1, got {value}")
