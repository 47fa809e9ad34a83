"""What is pruned, a `Task`, and how, a `Plan`: all that a run of the pruning loop depends on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from inspect import signature
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from pruning.channels import Group, cuttable
from pruning.criteria import CRITERIA, Batch, Network
from pruning.masks import ALLOCATIONS, Masks, weight_masks
from pruning.schedules import Schedule, make_schedule
from pruning.sparse import Topology, make_topology

Hold = Callable[[torch.optim.Optimizer], object]
"""To be called with the optimizer once it is made: it keeps pruned weights and their buffers at zero."""
MOST_ROUNDS = 10_000
ENDS = ("cycles", "until_density", "kappa")
"""The settings of a plan that only say when it ends."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training brought, beside the weights of the network, which it changes in place.

    Attributes:
        metrics: Numbers to record, as losses.
        before: Weights an epoch before the end, by name; only some criteria need them.
    """

    metrics: dict[str, float]
    before: dict[str, Tensor]


class Task(Protocol):
    """What is pruned and on which data. A batch is tensors of samples, the first the network's input.

    Attributes:
        measure: The entry of `evaluate` that a plan compares; above 0, larger is better. Never of the test
            split.
        example: An input of the network.
    """

    measure: str
    example: Tensor

    def build(self, seed: int | None) -> nn.Module:
        """Returns an untrained network; None gives the initial weights of the dense one, to rewind to."""

    def dense(self) -> nn.Module | None:
        """Returns the trained network to begin with, which may be changed; None to train one in cycle 0."""

    def train(
        self, network: nn.Module, hold: Hold, lr: Callable[[float], float], seed: int, share: float = 1.0
    ) -> Trained:
        """Trains `network` in place, at learning rate `lr(progress)`; only the first `share` of the steps.

        `progress` goes from 0 to `share`.
        """

    def evaluate(self, network: nn.Module) -> dict[str, float]:
        """Returns measurements on the validation split."""

    def batches(self) -> Iterable[Batch]:
        """Yields the training split, the same at each call, for scores."""

    def sample(self) -> Iterable[Batch]:
        """Yields a few samples of the training split, of each stratum alike, for scores before training."""

    def loss(self, network: Network, batch: Batch) -> Tensor:
        """Returns the mean loss of a batch."""


@dataclass(frozen=True)
class Plan:
    """How a network is pruned.

    Attributes:
        criterion: A name in `CRITERIA`.
        criterion_options: Options of a criterion that chooses units one after the other.
        scope: Whether the lowest scores go over all layers together, or in each layer.
        fraction: Share of what is left that each cycle drops; 0 only trains.
        count: Entries that each cycle drops, instead of a share; with scope "layer", in each layer.
        cycles: Most cycles after the dense one.
        restart: Weights that a cycle starts from: "keep" those of the cycle before, "rewind" to early ones,
            "reinit" draws new ones.
        rewind_to: The weights to rewind to: those after this share of a dense training; 0 is the initial
            ones. A cycle then trains for the rest, with the rest of its schedule. Deviations: the optimizer
            begins anew, and samples come in another order.
        schedule: A name in `lr_schedules.SCHEDULES`.
        schedule_options: Its options.
        floor: Entries that each layer keeps; None is 1 for units, so that they can be removed, and 0 for
            weights.
        exclude: Layers (groups of units, or weights) left whole; names with * and ?.
        untrained: Whether the first cycle prunes initial weights: cycle 0 trains nothing.
        rounds: In how many rounds of scoring a cycle prunes, each an equal share of what the ones before
            have left (SynFlow).
        allocation: How many weights each layer keeps, instead of what `scope` makes of it: "uniform", "er" or
            "erk" (see `pruning.masks.allocation`); "" leaves it to the scores.
        budget: What an allocation shares out: as many "weights" as `fraction` says, or as many as have the
            "macs" that a uniform allocation of that fraction has.
        topology: How weights are dropped and grown while a cycle trains, a name in
            `pruning.sparse.training.TOPOLOGIES`; "" leaves the masks as they are.
        topology_options: Its options.
        coupled: For units, whether channels that are added to each other are cut together; where not, only
            masked (DropNet masks each layer before the addition).
        until_density: Stop after the first network with at most this share of prunable entries.
        kappa: Stop one cycle after the measure falls to this share of the dense network's (DropNet's kappa).
        grid: Learning rates tried in each cycle as the schedule's `lr`; the best is kept (SILO's oracle).
        tolerance: A value of the grid whose measure is so close to the best is in the oracle's interval.
        seed: Seed of all random numbers.

    Raises:
        ValueError: A value is out of range.
    """

    criterion: str = "dropnet"
    criterion_options: Mapping[str, Any] = field(default_factory=dict)
    scope: Literal["global", "layer"] = "global"
    fraction: float = 0.2
    count: int | None = None
    cycles: int = 12
    restart: Literal["keep", "rewind", "reinit"] = "keep"
    rewind_to: float = 0.0
    schedule: str = "constant"
    schedule_options: Mapping[str, Any] = field(default_factory=dict)
    floor: int | None = None
    exclude: tuple[str, ...] = ()
    untrained: bool = False
    rounds: int = 1
    allocation: str = ""
    budget: Literal["weights", "macs"] = "weights"
    topology: str = ""
    topology_options: Mapping[str, Any] = field(default_factory=dict)
    coupled: bool = True
    until_density: float = 0.0
    kappa: float = 0.0
    grid: tuple[float, ...] = ()
    tolerance: float = 0.005
    seed: int = 0

    def __post_init__(self) -> None:
        known = {"criterion": CRITERIA, "scope": ("global", "layer"), "restart": ("keep", "rewind", "reinit")}
        known |= {"allocation": ("", *ALLOCATIONS), "budget": ("weights", "macs")}
        for name, choices in known.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        for name in ("fraction", "rewind_to"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {getattr(self, name)}")
        for name in ("until_density", "kappa"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be 0 to 1, got {getattr(self, name)}")
        for name, least in {"count": 1, "cycles": 0, "floor": 0, "seed": 0, "rounds": 1}.items():
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and value >= least):
                raise ValueError(f"{name} must be a whole number, at least {least}, got {value}")
        if isinstance(self.exclude, str):
            raise ValueError(f"exclude must be several names, as ({self.exclude!r},), got a text")
        self._check_training()
        self._check_sparse()

    def _check_training(self) -> None:
        if self.rewind_to and self.restart != "rewind":
            raise ValueError(f"rewind_to needs restart=rewind, got {self.restart!r}")
        self.lr(0)  # raises where an option is wrong
        if not self.tolerance >= 0:
            raise ValueError(f"tolerance must be at least 0, got {self.tolerance}")
        if not self.grid:
            return
        if wrong := [lr for lr in self.grid if not 0 < lr < math.inf]:
            raise ValueError(f"grid must hold learning rates above 0, got {wrong[0]}")
        try:
            self.lr(0, self.grid[0])
        except ValueError as error:
            raise ValueError(f"grid needs a schedule whose peak is lr: {error}") from error

    def _check_sparse(self) -> None:
        if self.topology:
            make_topology(self.topology, **self.topology_options)  # raises where an option is wrong
        for name in ("allocation", "topology"):
            if getattr(self, name) and self.of == "units":
                raise ValueError(f"{name} needs a criterion of weights, {self.criterion!r} is of units")
        if self.allocation and self.count is not None:
            raise ValueError(f"allocation {self.allocation} shares out a fraction, not count {self.count}")
        if self.allocation and self.floor is not None:
            raise ValueError(
                f"allocation {self.allocation} says what layers keep: floor must be none, got {self.floor}"
            )
        if self.topology and self.rewind_to:
            raise ValueError(f"topology needs a whole training: rewind_to must be 0, got {self.rewind_to}")
        if self.budget != "weights" and not self.allocation:
            raise ValueError(f"budget {self.budget!r} needs an allocation, as erk")
        self._check_choosing()

    def _check_choosing(self) -> None:
        if self.chooses and self.scope != "layer":
            raise ValueError(
                f"criterion {self.criterion!r} chooses in each layer: scope must be layer, got {self.scope!r}"
            )
        if self.rounds > MOST_ROUNDS:
            raise ValueError(f"rounds must be at most {MOST_ROUNDS}, got {self.rounds}")
        if self.chooses and self.rounds > 1:
            raise ValueError(f"criterion {self.criterion!r} takes one round, got {self.rounds}")
        known = list(signature(CRITERIA[self.criterion].choose).parameters)[2:] if self.chooses else []
        if odd := [name for name in self.criterion_options if name not in known]:
            has = f"its options are {', '.join(known)}" if known else "it has no options"
            raise ValueError(f"criterion {self.criterion!r} has no option {odd[0]!r}: {has}")

    @property
    def changing(self) -> Topology | None:
        """How masks change in training, if they do."""
        return make_topology(self.topology, **self.topology_options) if self.topology else None

    @property
    def chooses(self) -> bool:
        """Whether the criterion chooses units one after the other, and scales them."""
        return CRITERIA[self.criterion].choose is not None

    @property
    def of(self) -> Literal["weights", "units"]:
        """What is pruned."""
        return CRITERIA[self.criterion].of

    @property
    def least(self) -> int:
        """Entries that each layer keeps."""
        return self.floor if self.floor is not None else int(self.of == "units")

    @property
    def amount(self) -> dict[str, float | int]:
        """What each cycle drops, as an argument of `drop_lowest`."""
        return {"fraction": self.fraction} if self.count is None else {"count": self.count}

    @property
    def drops(self) -> bool:
        """Whether anything is pruned at all."""
        return self.count is not None or self.fraction > 0

    def lr(self, cycle: int, peak: float | None = None) -> Callable[[float], float]:
        """Returns a cycle's learning rate by progress, with the peak of the grid where there is one."""
        options = self.schedule_options if peak is None else {**self.schedule_options, "lr": peak}
        schedule: Schedule = make_schedule(self.schedule, **options)
        return lambda progress: schedule(progress, cycle)

    def seed_of(self, *key: int) -> int:
        """Returns the seed of one use of random numbers: of a cycle, or of a number of it."""
        sequence = np.random.SeedSequence(self.seed, spawn_key=key)
        return int(sequence.generate_state(1)[0])


def settings(plan: Plan) -> dict[str, Any]:
    """Returns a plan as JSON values."""
    several = ("criterion_options", "schedule_options", "topology_options")
    options = {name: dict(getattr(plan, name)) for name in several}
    values = {**asdict(plan), **options}
    return {name: _plain(value) for name, value in values.items()}


def whole(plan: Plan, network: nn.Module, groups: Sequence[Group]) -> Masks:
    """Returns masks that keep all that a plan may prune; ValueError where that is nothing.

    Weights are those of convolutions and linear layers, the first and the last too; units are the channels of
    all groups but those that are fixed, as the network's outputs are, and for criteria that choose and scale
    units those that several layers make, as residual streams.
    """
    if plan.of == "units":
        sizes = {group.name: (group.size,) for group in cuttable(groups)}
    else:
        sizes = {
            f"{name}.weight".removeprefix("."): tuple(module.weight.shape)
            for name, module in network.named_modules()
            if isinstance(module, nn.Conv2d | nn.Linear)
        }
    if not sizes:
        raise ValueError("nothing to prune: the network has no Conv2d or Linear layer that can be cut")
    for pattern in plan.exclude:
        if not any(fnmatchcase(name, pattern) for name in sizes):
            raise ValueError(f"exclude names no layer: {pattern!r}; layers are {', '.join(sizes)}")
    tied = {group.name for group in groups if plan.chooses and not _is_inner(group)}
    chosen = {
        name: shape
        for name, shape in sizes.items()
        if name not in tied and not any(fnmatchcase(name, pattern) for pattern in plan.exclude)
    }
    if not chosen:
        raise ValueError("nothing is left to prune: every layer is excluded")
    return Masks.ones(chosen)


def enforced(plan: Plan, groups: Iterable[Group], masks: Masks, network: nn.Module) -> Masks:
    """Returns a plan's masks as masks of parameters."""
    return masks if plan.of == "weights" else weight_masks(groups, masks, network)


def _is_inner(group: Group) -> bool:
    """Returns whether a single layer makes a group's channels."""
    return len(group.layers) == 1 and not group.tied


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
