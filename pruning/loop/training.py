"""The training run of one cycle: a pruned network, trained at one learning rate or at each of a grid."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal

import torch
from torch import Tensor, nn

from pruning.channels import Group, removable, restore, shrink
from pruning.criteria import CRITERIA
from pruning.loop.plan import Plan
from pruning.loop.prunable import enforced
from pruning.loop.results import GridSearch, Seconds
from pruning.loop.task import Hold, Task, Trained
from pruning.masks import Masks, apply, averaged, hold_at_zero
from pruning.sparse import SparseTraining, Topology
from pruning.words import kind_of


@dataclass(frozen=True)
class CycleOutcome:
    """The outcome of a cycle's training run.

    Attributes:
        network: The trained network at full size, in evaluation mode; pruned weights are zero.
        trained: The metrics of the training run, and the weights before its end.
        measured: The task's measurements of the network.
        masks: The masks at the end; they differ from the first ones if the plan has a changing topology.
        grid: The learning rates tried, if the plan has a grid.
    """

    network: nn.Module
    trained: Trained
    measured: Mapping[str, float]
    masks: Masks
    grid: GridSearch | None = None


class CycleTraining:
    """Trains and evaluates the networks of a run.

    Attributes:
        seconds: Wall time of training and evaluation so far.

    Args:
        task: What to train.
        plan: How to train it.
        groups: The network's groups.
        dense: Whether cycle 0 trains nothing: the task gave a trained network, or the plan prunes an
            untrained one.
    """

    def __init__(self, task: Task, plan: Plan, groups: tuple[Group, ...], dense: bool):
        self.task, self.plan, self.groups, self.dense = task, plan, groups, dense
        self.seconds = Seconds()

    def run(self, cycle: int, network: nn.Module, masks: Masks) -> CycleOutcome:
        """Trains and evaluates a pruned network, which is changed and may be part of the outcome.

        Raises:
            ValueError: The task's training did not keep pruned weights at zero.
        """
        if cycle == 0 and self.dense:
            trained = Trained({}, self._changed(network, masks))
            return CycleOutcome(network.eval(), trained, self._evaluate(network), masks)
        if self.plan.learning_rate.grid:
            return self._best(cycle, network, masks)
        return self._outcome(cycle, network, masks, self.plan.lr(cycle))

    def early(self, network: nn.Module, share: float) -> None:
        """Trains a dense network for a fraction of cycle 0."""
        self._task_trains(network, lambda optimizer: None, self.plan.lr(0), self.plan.seed_of(0), share)

    def removable(self, masks: Masks) -> bool:
        """Returns whether the pruned entries can be removed, not only masked."""
        return self.plan.scoring.of == "units" and removable(self.groups, masks)

    def _changed(self, network: nn.Module, masks: Masks) -> dict[str, Tensor]:
        """Returns substitute weights one epoch before the end, for a network that was trained elsewhere.

        A criterion that needs a change of weights gets the change in the last epoch of one extra training
        run. Nothing else of that run is kept.
        """
        if not CRITERIA[self.plan.scoring.criterion].before:
            return {}
        one = copy.deepcopy(network)
        before = self._train(0, one, masks, self.plan.lr(0))[0].before
        trained = dict(one.named_parameters(remove_duplicate=False))
        own = dict(network.named_parameters(remove_duplicate=False))
        return {
            name: own[name].detach() - (trained[name].detach() - early)
            for name, early in before.items()
            if name in own  # the criterion names those that it misses
        }

    def _best(self, cycle: int, network: nn.Module, masks: Masks) -> CycleOutcome:
        """Trains a copy at each learning rate of the grid, and returns the best outcome."""
        tried: dict[float, CycleOutcome] = {}
        for lr in self.plan.learning_rate.grid:
            tried[lr] = self._outcome(cycle, copy.deepcopy(network), masks, self.plan.lr(cycle, lr))
        values = {lr: outcome.measured[self.task.measure] for lr, outcome in tried.items()}
        if all(map(math.isnan, values.values())):
            raise ValueError(
                f"training diverged at every learning rate of the grid: {self.task.measure} is nan for all"
            )
        best = max(values, key=lambda lr: (not math.isnan(values[lr]), values[lr]))
        least = values[best] - self.plan.learning_rate.tolerance
        within = [lr for lr, value in values.items() if value >= least]
        grid = GridSearch(tuple(values.items()), best, (min(within), max(within)))
        return replace(tried[best], grid=grid)

    def _outcome(
        self, cycle: int, network: nn.Module, masks: Masks, lr: Callable[[float], float]
    ) -> CycleOutcome:
        trained, masks = self._train(cycle, network, masks, lr)
        return CycleOutcome(network.eval(), trained, self._evaluate(network), masks)

    def _train(
        self, cycle: int, network: nn.Module, masks: Masks, lr: Callable[[float], float]
    ) -> tuple[Trained, Masks]:
        """Trains a network in place, and returns its masks at the end.

        Pruned channels are removed during training if they can be.
        """
        seed = self.plan.seed_of(cycle)
        done = self.plan.start.rewind_to if cycle and self.plan.start.restart == "rewind" else 0.0
        if done:  # the remaining part of the training run that the early weights come from
            whole, lr = lr, lambda progress: whole(min(1.0, done + progress))
        # a criterion compares with weights of the names and shapes of the full-size network
        if self.removable(masks) and not CRITERIA[self.plan.scoring.criterion].before:
            small, param_map = shrink(network, self.groups, masks)
            trained = self._task_trains(small, lambda optimizer: None, lr, seed, 1 - done)
            restore(small, network, param_map)
            return trained, masks
        if cycle and self.plan.scoring.changing:
            return self._train_sparsely(cycle, network, masks, lr, share=1 - done)
        held = enforced(self.plan, self.groups, masks, network)
        trained = self._task_trains(
            network, lambda optimizer: hold_at_zero(network, optimizer, held), lr, seed, 1 - done
        )
        _require_zeros(network, held)
        return trained, masks

    def _train_sparsely(
        self, cycle: int, network: nn.Module, masks: Masks, lr: Callable[[float], float], *, share: float
    ) -> tuple[Trained, Masks]:
        """Trains a network in place with masks that change during training, and returns the last masks."""
        topology = self.plan.scoring.changing or Topology()
        sparse = SparseTraining(network, masks, topology, self.plan.seed_of(cycle, 3))
        trained = self._task_trains(network, sparse.hold, sparse.watch(lr), self.plan.seed_of(cycle), share)
        if not sparse.held:
            raise ValueError("the task's training did not attach the masks: it must call hold(optimizer)")
        # a task may leave averaged weights, which can be nonzero where the latest masks drop them
        apply(network, sparse.masks)
        return replace(trained, metrics={**trained.metrics, **sparse.metrics}), sparse.masks

    def _task_trains(
        self, network: nn.Module, hold: Hold, lr: Callable[[float], float], seed: int, share: float
    ) -> Trained:
        """Lets the task train a network in place; ValueError if it did something else."""
        before = _shapes(network)
        with self._timed("training"):
            trained = self.task.train(network, hold, lr, seed, share=share)
        after = _shapes(network)
        if changed := [name for name in {**before, **after} if before.get(name) != after.get(name)]:
            raise ValueError(
                f"the task's train must train the network in place, but {changed[0]} has another shape "
                f"afterwards: {before.get(changed[0], 'none')} became {after.get(changed[0], 'none')}"
            )
        return _checked(trained)

    def _evaluate(self, network: nn.Module) -> dict[str, float]:
        """Returns the task's measurements; in a data-parallel run their means over the processes."""
        with self._timed("evaluation"):
            measured = _numbers("evaluate", self.task.evaluate(network))
        if self.task.measure not in measured:
            raise ValueError(
                f"the task's evaluate must return {self.task.measure!r}, it returned {', '.join(measured)}"
            )
        values = {name: torch.tensor(float(value), dtype=torch.float64) for name, value in measured.items()}
        return {name: float(value) for name, value in averaged(values).items()}

    @contextmanager
    def _timed(self, what: Literal["training", "evaluation"]) -> Iterator[None]:
        start = perf_counter()
        yield
        before: float = getattr(self.seconds, what)
        self.seconds = replace(self.seconds, **{what: before + perf_counter() - start})


def _shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network.named_parameters()}


def _checked(trained: Trained) -> Trained:
    """Returns the result of a task's training; ValueError if it is none."""
    if not isinstance(trained, Trained):
        raise ValueError(
            f"the task's train must return Trained(metrics, before), it returned {kind_of(trained)}"
        )
    return replace(trained, metrics=_numbers("train", trained.metrics))


def _numbers(what: str, found: Mapping[str, float]) -> dict[str, float]:
    """Returns the numbers that a task measured, tensors of one entry as numbers; ValueError for others."""
    if not isinstance(found, Mapping):
        raise ValueError(f"the task's {what} must return numbers by name, it returned {kind_of(found)}")
    numbers: dict[str, float] = {}
    for name, value in found.items():
        try:
            numbers[str(name)] = value if isinstance(value, int | float) else float(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"the task's {what} must return numbers, {name!r} is {value!r:.60}") from error
    return numbers


def _require_zeros(network: nn.Module, enforced: Mapping[str, Tensor]) -> None:
    weights = dict(network.named_parameters(remove_duplicate=False))
    for name, mask in enforced.items():
        if weights[name].detach().cpu()[~mask].any():
            raise ValueError(f"the task's training did not keep {name} at zero: it must call hold(optimizer)")
