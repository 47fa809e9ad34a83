"""The training of one cycle: of a pruned network at one learning rate, or at each of a grid."""

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
from pruning.loop.task import Task, Trained
from pruning.masks import Masks, apply, averaged, hold_at_zero
from pruning.sparse import SparseTraining, Topology


@dataclass(frozen=True)
class CycleOutcome:
    """What a cycle's training brought.

    Attributes:
        network: The trained network, whole, what is pruned at zero, in evaluation mode.
        trained: What the training told.
        measured: What the task measured of it.
        masks: What it keeps at the end: other weights than at the start where the plan's topology changes.
        grid: The learning rates tried, with a plan that tries several.
    """

    network: nn.Module
    trained: Trained
    measured: Mapping[str, float]
    masks: Masks
    grid: GridSearch | None = None


class CycleTraining:
    """Trains and evaluates the networks of a run.

    Attributes:
        seconds: Wall time of training and evaluation until now.

    Args:
        task: What is trained.
        plan: How.
        groups: The network's groups.
        dense: Whether cycle 0 trains nothing: the task gave a trained network, or the plan wants it
            untrained.
    """

    def __init__(self, task: Task, plan: Plan, groups: tuple[Group, ...], dense: bool):
        self.task, self.plan, self.groups, self.dense = task, plan, groups, dense
        self.seconds = Seconds()

    def run(self, cycle: int, network: nn.Module, masks: Masks) -> CycleOutcome:
        """Trains and evaluates a pruned network; it is changed, and may be that of the outcome.

        Raises:
            ValueError: The task's training did not hold what is pruned at zero.
        """
        if cycle == 0 and self.dense:
            trained = Trained({}, self._changed(network, masks))
            return CycleOutcome(network.eval(), trained, self._evaluate(network), masks)
        if self.plan.learning_rate.grid:
            return self._best(cycle, network, masks)
        return self._outcome(cycle, network, masks, self.plan.lr(cycle))

    def early(self, network: nn.Module, share: float) -> None:
        """Trains a dense network for a share of cycle 0."""
        with self._timed("training"):
            self.task.train(
                network, lambda optimizer: None, self.plan.lr(0), self.plan.seed_of(0), share=share
            )

    def removable(self, masks: Masks) -> bool:
        """Returns whether what is pruned can be removed, not only masked."""
        return self.plan.scoring.of == "units" and removable(self.groups, masks)

    def _changed(self, network: nn.Module, masks: Masks) -> dict[str, Tensor]:
        """Returns what stands for the weights of an epoch before the end of a training that was not ours.

        A criterion that needs a change of weights sees that of the last epoch of one more training, of which
        nothing else is kept.
        """
        if not CRITERIA[self.plan.scoring.criterion].before:
            return {}
        one = copy.deepcopy(network)
        before = self._train(0, one, masks, self.plan.lr(0))[0].before
        trained, own = dict(one.named_parameters()), dict(network.named_parameters())
        return {name: own[name].detach() - (trained[name].detach() - early) for name, early in before.items()}

    def _best(self, cycle: int, network: nn.Module, masks: Masks) -> CycleOutcome:
        """Trains a copy at each learning rate of the grid, and returns the outcome of the best."""
        tried: dict[float, CycleOutcome] = {}
        for lr in self.plan.learning_rate.grid:
            tried[lr] = self._outcome(cycle, copy.deepcopy(network), masks, self.plan.lr(cycle, lr))
        values = {lr: outcome.measured[self.task.measure] for lr, outcome in tried.items()}
        if all(map(math.isnan, values.values())):
            raise ValueError(f"no learning rate of the grid trained: {self.task.measure} is nan for all")
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
        """Trains a network in place, and returns what it keeps then.

        Channels that are cut are not there meanwhile, where they can be removed.
        """
        seed = self.plan.seed_of(cycle)
        done = self.plan.start.rewind_to if cycle and self.plan.start.restart == "rewind" else 0.0
        if done:  # the rest of the training that the early weights come from
            whole, lr = lr, lambda progress: whole(min(1.0, done + progress))
        # what a criterion compares with must have the names and shapes of the whole network
        if self.removable(masks) and not CRITERIA[self.plan.scoring.criterion].before:
            small, param_map = shrink(network, self.groups, masks)
            with self._timed("training"):
                trained = self.task.train(small, lambda optimizer: None, lr, seed, share=1 - done)
            restore(small, network, param_map)
            return trained, masks
        if cycle and self.plan.scoring.changing:
            return self._train_sparsely(cycle, network, masks, lr, share=1 - done)
        held = enforced(self.plan, self.groups, masks, network)
        with self._timed("training"):
            trained = self.task.train(
                network, lambda optimizer: hold_at_zero(network, optimizer, held), lr, seed, share=1 - done
            )
        _require_zeros(network, held)
        return trained, masks

    def _train_sparsely(
        self, cycle: int, network: nn.Module, masks: Masks, lr: Callable[[float], float], *, share: float
    ) -> tuple[Trained, Masks]:
        """Trains a network in place with masks that change meanwhile, and returns the last ones."""
        topology = self.plan.scoring.changing or Topology()
        sparse = SparseTraining(network, masks, topology, self.plan.seed_of(cycle, 3))
        with self._timed("training"):
            trained = self.task.train(
                network, sparse.hold, sparse.watch(lr), self.plan.seed_of(cycle), share=share
            )
        if not sparse.held:
            raise ValueError("the task's training did not hold the masks: it must call hold(optimizer)")
        # a task may leave an average of the weights, which trails the masks
        apply(network, sparse.masks)
        return replace(trained, metrics={**trained.metrics, **sparse.metrics}), sparse.masks

    def _evaluate(self, network: nn.Module) -> dict[str, float]:
        """Returns what the task measures, in a data-parallel run the mean over the processes."""
        with self._timed("evaluation"):
            measured = self.task.evaluate(network)
        if self.task.measure not in measured:
            raise ValueError(f"the task must measure {self.task.measure!r}, it has {', '.join(measured)}")
        values = {name: torch.tensor(float(value), dtype=torch.float64) for name, value in measured.items()}
        return {name: float(value) for name, value in averaged(values).items()}

    @contextmanager
    def _timed(self, what: Literal["training", "evaluation"]) -> Iterator[None]:
        start = perf_counter()
        yield
        before: float = getattr(self.seconds, what)
        self.seconds = replace(self.seconds, **{what: before + perf_counter() - start})


def _require_zeros(network: nn.Module, enforced: Mapping[str, Tensor]) -> None:
    weights = dict(network.named_parameters(remove_duplicate=False))
    for name, mask in enforced.items():
        if weights[name].detach().cpu()[~mask].any():
            raise ValueError(f"the task's training did not hold {name} at zero: it must call hold(optimizer)")
