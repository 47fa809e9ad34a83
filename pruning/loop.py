"""The one pruning loop: train, evaluate, score, select, restart; a `Task` says what, a `Plan` says how.

    cycle 0      the dense network, trained already or now
    cycle 1...   prune; restart the weights; train with the cycle's learning rate; evaluate

A run is a folder. Each finished cycle is a file with weights and masks, so a kill loses the cycle in flight at
most, and the same call again goes on. A cycle's random numbers depend on the plan's seed and the cycle alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from pruning.criteria import CRITERIA, Batch, Evidence, Network
from pruning.distributed import agreed, averaged
from pruning.groups import Group, cuttable, find_groups
from pruning.lr_schedules import Schedule, make_schedule
from pruning.masks import Masks, apply, hold_at_zero, weight_masks
from pruning.select import Selection, drop_lowest
from pruning.shrink import restore, shrink
from pruning.tensor_files import read_tensors, write_tensors

KIND = "bttt pruning cycle"
Hold = Callable[[torch.optim.Optimizer], object]
"""To be called with the optimizer once it is made: it keeps pruned weights and their buffers at zero."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training brought, beside the weights of the network, which it changes in place.

    Attributes:
        metrics: Numbers to record, as losses.
        before: Weights an epoch before the end, by name.
    """

    metrics: dict[str, float]
    before: dict[str, Tensor]


class Task(Protocol):
    """What is pruned and on which data. A batch is tensors of samples, the first the network's input.

    Attributes:
        measure: The entry of `evaluate` that a plan compares; larger is better. Never of the test split.
        example: An input of the network.
    """

    measure: str
    example: Tensor

    def build(self, seed: int | None) -> nn.Module:
        """Returns an untrained network; None gives the initial weights of the dense one, to rewind to."""

    def dense(self) -> nn.Module | None:
        """Returns the trained network to begin with, None to train one in cycle 0."""

    def train(
        self, network: nn.Module, hold: Hold, lr: Callable[[float], float], seed: int, share: float = 1.0
    ) -> Trained:
        """Trains `network` in place, at learning rate `lr(progress)`; only the first `share` of the steps."""

    def evaluate(self, network: nn.Module) -> dict[str, float]:
        """Returns measurements on the validation split."""

    def batches(self) -> Iterable[Batch]:
        """Yields the training split, the same at each call, for scores."""

    def loss(self, network: Network, batch: Batch) -> Tensor:
        """Returns the mean loss of a batch."""


@dataclass(frozen=True)
class Plan:
    """How a network is pruned.

    Attributes:
        criterion: A name in `CRITERIA`.
        scope: Whether the lowest scores go over all layers together, or in each layer.
        fraction: Share of what is left that each cycle drops; 0 only trains.
        count: Entries that each cycle drops, instead of a share.
        cycles: Most cycles after the dense one.
        restart: Weights that a cycle starts from: "keep" those of the cycle before, "rewind" to early ones,
            "reinit" draws new ones.
        rewind_to: The weights to rewind to: those after this share of a dense training; 0 is the initial ones.
        schedule: A name in `lr_schedules.SCHEDULES`.
        schedule_options: Its options.
        floor: Entries that each layer keeps; None is 1 for units, so that they can be removed, and 0 for weights.
        exclude: Layers (groups of units, or weights) left whole; names with * and ?.
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
    coupled: bool = True
    until_density: float = 0.0
    kappa: float = 0.0
    grid: tuple[float, ...] = ()
    tolerance: float = 0.005
    seed: int = 0

    def __post_init__(self):
        if self.criterion not in CRITERIA:
            raise ValueError(f"criterion must be one of {', '.join(CRITERIA)}, got {self.criterion!r}")
        for name, known in (("scope", ("global", "layer")), ("restart", ("keep", "rewind", "reinit"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if not 0 <= self.fraction < 1:
            raise ValueError(f"fraction must be at least 0 and below 1, got {self.fraction}")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count must be at least 1, got {self.count}")
        for name in ("rewind_to", "until_density", "kappa"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be 0 to 1, got {getattr(self, name)}")
        for name in ("cycles", "floor", "seed", "tolerance"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ValueError(f"{name} must be at least 0, got {value}")
        if wrong := [lr for lr in self.grid if not 0 < lr < np.inf]:
            raise ValueError(f"grid must hold learning rates above 0, got {wrong[0]}")
        self.schedule_of(self.grid[0] if self.grid else None)

    @property
    def of(self) -> Literal["weights", "units"]:
        """What is pruned."""
        return CRITERIA[self.criterion].of

    @property
    def least(self) -> int:
        """Entries that each layer keeps."""
        return self.floor if self.floor is not None else int(self.of == "units")

    def schedule_of(self, lr: float | None = None) -> Schedule:
        """Returns the learning rate by progress and cycle, with the peak `lr` of the grid where there is one."""
        peak = {} if lr is None else {"lr": lr}
        return make_schedule(self.schedule, **self.schedule_options | peak)


@dataclass(frozen=True)
class Level:
    """A finished cycle.

    Attributes:
        cycle: Its number; 0 is dense.
        network: The network, whole, what is pruned at zero.
        groups: Its groups of coupled channels.
        masks: What is left: of units by group, or of weights by name.
        removable: Masks by group to `shrink` with; None where weights are pruned or a group is empty.
        result: What was asked and got, measurements, seconds.
    """

    cycle: int
    network: nn.Module
    groups: tuple[Group, ...]
    masks: Masks
    removable: Masks | None
    result: dict[str, Any]


def run(
    task: Task,
    plan: Plan,
    folder: Path,
    publish: Callable[[Level], None] = lambda level: None,
    progress: Callable[[dict[str, Any]], None] = lambda result: None,
) -> list[dict[str, Any]]:
    """Runs a plan, or the rest of it, and returns the results of all cycles.

    Args:
        task: What is pruned.
        plan: How.
        folder: Holds a file for each finished cycle; made where it is not there.
        publish: Called with each finished cycle before it counts as finished; may add to its result.
        progress: Called with the result of each cycle, finished before or now.

    Raises:
        ValueError: The plan does not fit the network, or a file of the folder is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    loop = _Loop(task, plan, folder)
    results: list[dict[str, Any]] = []
    while not loop.is_over(results):
        cycle = len(results)
        if not loop.path(cycle).exists():
            loop.run_cycle(cycle, results, publish)
        results.append(loop.load(cycle)[1])
        progress(results[-1])
    return results


def stored_results(folder: Path) -> list[dict[str, Any]]:
    """Returns the results of a run's finished cycles; ValueError where a file is damaged."""
    results: list[dict[str, Any]] = []
    while (path := cycle_file(folder, len(results))).exists():
        results.append(read_tensors(path, KIND)[1]["result"])
    return results


def cycle_file(folder: Path, cycle: int) -> Path:
    """Returns the file of a finished cycle."""
    return folder / f"cycle-{cycle:02}.safetensors"


class _Loop:
    """A run under way: what stays the same over its cycles."""

    def __init__(self, task: Task, plan: Plan, folder: Path):
        self.task, self.plan, self.folder = task, plan, folder
        self.initial = task.build(None)
        self.groups = find_groups(self.initial, task.example, coupled=plan.coupled)
        self.whole = self._all_alive()

    def path(self, cycle: int) -> Path:
        """Returns the file of a cycle."""
        return cycle_file(self.folder, cycle)

    def load(self, cycle: int) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Returns the tensors and the result of a finished cycle."""
        tensors, header = read_tensors(self.path(cycle), KIND)
        return tensors, header["result"]

    def is_over(self, results: list[dict[str, Any]]) -> bool:
        """Returns whether no cycle is left to run."""
        if not results:
            return False
        last = results[-1]
        if len(results) > self.plan.cycles or last["density"] <= self.plan.until_density:
            return True
        if self.plan.fraction and last["dropped next"] == 0 and self.plan.count != 0:
            return True  # nothing is left to drop
        floor = self.plan.kappa * results[0][self.task.measure]
        return self.plan.kappa > 0 and any(each[self.task.measure] <= floor for each in results[:-1])

    def run_cycle(self, cycle: int, results: list, publish: Callable[[Level], None]) -> None:
        """Runs one cycle and stores it."""
        start = perf_counter()
        masks, network = self._start(cycle)
        begun = perf_counter()
        trained, tried, trained_network = self._train(cycle, network, masks)
        seconds_training = perf_counter() - begun
        begun = perf_counter()
        measured = tried.pop("measured", None) or self.task.evaluate(trained_network)
        seconds_evaluating = perf_counter() - begun
        selection = self._select(cycle, trained_network, masks, trained)
        result = {
            "cycle": cycle,
            "density": masks.density(),
            "kept": masks.kept,
            "prunable": masks.size,
            "asked": 0,
            "got": 0,
            "layers": {name: [int(mask.sum()), mask.numel()] for name, mask in masks.items()},
            "masks": masks.digest(),
            **measured,
            "training": trained.metrics,
            **tried,
        }
        if results:
            result |= {"asked": results[-1]["asks next"], "got": results[-1]["dropped next"]}
        result |= {"asks next": selection.asked, "dropped next": selection.got}
        removable = masks if self.plan.of == "units" and self._removable(masks) else None
        publish(Level(cycle, trained_network, self.groups, masks, removable, result))
        seconds = perf_counter() - start
        result["seconds"] = {
            "training": seconds_training,
            "evaluation": seconds_evaluating,
            "rest": seconds - seconds_training - seconds_evaluating,
        }
        tensors = {f"network.{name}": tensor for name, tensor in trained_network.state_dict().items()}
        tensors |= {f"next.{name}": mask for name, mask in selection.masks.items()}
        write_tensors(self.path(cycle), tensors, KIND, {"result": result})

    def _all_alive(self) -> Masks:
        """Returns masks of all that may be pruned."""
        if self.plan.of == "units":
            sizes = {group.name: (group.size,) for group in cuttable(self.groups)}
        else:
            sizes = {
                f"{name}.weight": module.weight.shape
                for name, module in self.initial.named_modules()
                if isinstance(module, nn.Conv2d | nn.Linear)
            }
        for pattern in self.plan.exclude:
            if not any(fnmatchcase(name, pattern) for name in sizes):
                raise ValueError(f"exclude names no layer: {pattern!r}; layers are {', '.join(sizes)}")
        chosen = {
            name: shape
            for name, shape in sizes.items()
            if not any(fnmatchcase(name, pattern) for pattern in self.plan.exclude)
        }
        if not chosen:
            raise ValueError("nothing is left to prune: every layer is excluded")
        return Masks.ones(chosen)

    def _start(self, cycle: int) -> tuple[Masks, nn.Module]:
        """Returns the masks of a cycle and the network it starts from, pruned."""
        masks, kept = self.whole, None
        if cycle:
            tensors, _ = self.load(cycle - 1)
            masks = Masks({name: tensors[f"next.{name}"].bool() for name in self.whole})
            kept = {
                name.removeprefix("network."): tensor
                for name, tensor in tensors.items()
                if name.startswith("network.")
            }
        network = self._weights(cycle, kept)
        apply(network, self._enforced(masks))
        return masks, network

    def _weights(self, cycle: int, kept: Mapping[str, Tensor] | None) -> nn.Module:
        if kept is None:
            return copy.deepcopy(self.task.dense() or self.initial)
        if self.plan.restart == "reinit":
            return self.task.build(self._seed(cycle, 1))
        network = copy.deepcopy(self.initial)
        network.load_state_dict(kept if self.plan.restart == "keep" else self._early())
        return network

    def _early(self) -> dict[str, Tensor]:
        """Returns the weights to rewind to, those of a dense training interrupted; stored when first made."""
        if not self.plan.rewind_to:
            return self.initial.state_dict()
        path = self.folder / "rewind.safetensors"
        if not path.exists():
            network = copy.deepcopy(self.initial)
            self.task.train(
                network, lambda optimizer: None, self._lr(0), self._seed(0), share=self.plan.rewind_to
            )
            write_tensors(path, network.state_dict(), KIND, {})
        return read_tensors(path, KIND)[0]

    def _train(self, cycle: int, network: nn.Module, masks: Masks) -> tuple[Trained, dict, nn.Module]:
        """Returns what the training brought, what is to be recorded of a grid, and the trained network."""
        if cycle == 0 and self.task.dense() is not None:
            before = {name: tensor.detach().clone() for name, tensor in self._previous(network)}
            return Trained({}, before), {}, network.eval()
        if not self.plan.grid:
            return self._train_once(cycle, network, masks, self._lr(cycle)), {}, network.eval()
        tried: dict[float, tuple[Trained, nn.Module, dict[str, float]]] = {}
        for lr in self.plan.grid:
            one = copy.deepcopy(network)
            trained = self._train_once(cycle, one, masks, self._lr(cycle, lr))
            tried[lr] = trained, one.eval(), self.task.evaluate(one)
        measures = {lr: measured[self.task.measure] for lr, (_, _, measured) in tried.items()}
        best = max(measures, key=measures.__getitem__)
        within = [lr for lr, value in measures.items() if value >= measures[best] - self.plan.tolerance]
        trained, one, measured = tried[best]
        grid = {"grid": [[lr, value] for lr, value in measures.items()], "best lr": best}
        return trained, grid | {"interval": [min(within), max(within)], "measured": measured}, one

    def _previous(self, network: nn.Module) -> Iterable[tuple[str, Tensor]]:
        """Yields weights to compare with those of a network that was trained elsewhere: after no training.

        Scores that need a change of weights are taken after a training of one more cycle's steps.
        """
        if not CRITERIA[self.plan.criterion].before:
            return ()
        one = copy.deepcopy(network)
        self._train_once(0, one, self.whole, self._lr(0))
        return one.named_parameters()

    def _train_once(self, cycle: int, network: nn.Module, masks: Masks, lr: Callable[[float], float]) -> Trained:
        """Trains a network in place; without the channels that are cut, where they can be removed."""
        seed = self._seed(cycle)
        if self.plan.of == "units" and not CRITERIA[self.plan.criterion].before and self._removable(masks):
            small, param_map = shrink(network, self.groups, masks)
            trained = self.task.train(small, lambda optimizer: None, lr, seed)
            restore(small, network, param_map)
            return trained
        enforced = self._enforced(masks)
        trained = self.task.train(
            network, lambda optimizer: hold_at_zero(network, optimizer, enforced), lr, seed
        )
        weights = dict(network.named_parameters())
        for name, mask in enforced.items():
            if weights[name].detach().cpu()[~mask].any():
                raise ValueError(f"the task's training did not hold {name} at zero: it must call hold(optimizer)")
        return trained

    def _select(self, cycle: int, network: nn.Module, masks: Masks, trained: Trained) -> Selection:
        plan = self.plan
        amount = {"fraction": plan.fraction} if plan.count is None else {"count": plan.count}
        if plan.fraction == 0 and plan.count is None:
            scores = {name: torch.zeros(mask.shape) for name, mask in masks.items()}
        else:
            generator = torch.Generator().manual_seed(self._seed(cycle, 2))
            evidence = Evidence(
                network, masks, self.groups, self.task.batches, self.task.loss, trained.before, generator
            )
            scores = averaged(CRITERIA[plan.criterion].score(evidence))
        chosen = drop_lowest(scores, masks, **amount, scope=plan.scope, floor=plan.least)
        return Selection(agreed(chosen.masks), chosen.asked, chosen.got, chosen.per_layer)

    def _enforced(self, masks: Masks) -> Masks:
        """Returns the masks as masks of parameters."""
        if self.plan.of == "weights":
            return masks
        return weight_masks(self.groups, masks, self.initial)

    def _removable(self, masks: Masks) -> bool:
        tied = {group.name for group in self.groups if group.tied}
        return all(name not in tied and mask.any() for name, mask in masks.items())

    def _lr(self, cycle: int, peak: float | None = None) -> Callable[[float], float]:
        schedule = self.plan.schedule_of(peak)
        return lambda progress: schedule(progress, cycle)

    def _seed(self, *key: int) -> int:
        sequence = np.random.SeedSequence(self.plan.seed, spawn_key=key)
        return int(sequence.generate_state(1)[0])


def settings(plan: Plan) -> dict[str, Any]:
    """Returns a plan as JSON values."""
    return {**asdict(plan), "schedule_options": dict(plan.schedule_options)}
