"""The training of one cycle: of a pruned network at one learning rate, or at each of a grid."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from pruning.criteria import CRITERIA
from pruning.distributed import averaged
from pruning.groups import Group
from pruning.masks import Masks, hold_at_zero, weight_masks
from pruning.plan import Plan, Task, Trained
from pruning.shrink import removable, restore, shrink


@dataclass(frozen=True)
class Outcome:
    """What a cycle's training brought.

    Attributes:
        network: The trained network, whole, what is pruned at zero, in evaluation mode.
        trained: What the training told.
        measured: What the task measured of it.
        grid: What is to be recorded of a grid: measure by learning rate, the best one, the interval.
    """

    network: nn.Module
    trained: Trained
    measured: dict[str, float]
    grid: dict[str, Any] = field(default_factory=dict)


class Training:
    """Trains and evaluates the networks of a run.

    Attributes:
        seconds: What that took until now: "training", "evaluation".

    Args:
        task: What is trained.
        plan: How.
        groups: The network's groups.
        dense: Whether the task gave a trained network, so that cycle 0 trains none.
    """

    def __init__(self, task: Task, plan: Plan, groups: tuple[Group, ...], dense: bool):
        self.task, self.plan, self.groups, self.dense = task, plan, groups, dense
        self.seconds = {"training": 0.0, "evaluation": 0.0}

    def run(self, cycle: int, network: nn.Module, masks: Masks) -> Outcome:
        """Trains and evaluates a pruned network; it is changed, and may be that of the outcome.

        Raises:
            ValueError: The task's training did not hold what is pruned at zero.
        """
        if cycle == 0 and self.dense:
            trained = Trained({}, self._changed(network, masks))
            return Outcome(network.eval(), trained, self._evaluate(network))
        if self.plan.grid:
            return self._best(cycle, network, masks)
        trained = self._train(cycle, network, masks, self.plan.lr(cycle))
        return Outcome(network.eval(), trained, self._evaluate(network))

    def early(self, network: nn.Module, share: float) -> None:
        """Trains a dense network for a share of cycle 0."""
        with self._timed("training"):
            self.task.train(
                network, lambda optimizer: None, self.plan.lr(0), self.plan.seed_of(0), share=share
            )

    def enforced(self, masks: Masks, network: nn.Module) -> Masks:
        """Returns the masks as masks of parameters."""
        return masks if self.plan.of == "weights" else weight_masks(self.groups, masks, network)

    def removable(self, masks: Masks) -> bool:
        """Returns whether what is pruned can be removed, not only masked."""
        return self.plan.of == "units" and removable(self.groups, masks)

    def _changed(self, network: nn.Module, masks: Masks) -> dict[str, Tensor]:
        """Returns what stands for the weights of an epoch before the end of a training that was not ours.

        A criterion that needs a change of weights sees that of the last epoch of one more training, of which
        nothing else is kept.
        """
        if not CRITERIA[self.plan.criterion].before:
            return {}
        one = copy.deepcopy(network)
        before = self._train(0, one, masks, self.plan.lr(0)).before
        trained, own = dict(one.named_parameters()), dict(network.named_parameters())
        return {name: own[name].detach() - (trained[name].detach() - early) for name, early in before.items()}

    def _best(self, cycle: int, network: nn.Module, masks: Masks) -> Outcome:
        """Trains a copy at each learning rate of the grid, and returns the outcome of the best."""
        tried: dict[float, Outcome] = {}
        for lr in self.plan.grid:
            one = copy.deepcopy(network)
            trained = self._train(cycle, one, masks, self.plan.lr(cycle, lr))
            tried[lr] = Outcome(one.eval(), trained, self._evaluate(one))
        values = {lr: outcome.measured[self.task.measure] for lr, outcome in tried.items()}
        if all(map(math.isnan, values.values())):
            raise ValueError(f"no learning rate of the grid trained: {self.task.measure} is nan for all")
        best = max(values, key=lambda lr: (not math.isnan(values[lr]), values[lr]))
        within = [lr for lr, value in values.items() if value >= values[best] - self.plan.tolerance]
        grid = {
            "grid": [[lr, value] for lr, value in values.items()],
            "best lr": best,
            "interval": [min(within), max(within)],
        }
        return Outcome(tried[best].network, tried[best].trained, tried[best].measured, grid)

    def _train(self, cycle: int, network: nn.Module, masks: Masks, lr: Callable[[float], float]) -> Trained:
        """Trains a network in place; without the channels that are cut, where they can be removed."""
        seed = self.plan.seed_of(cycle)
        done = self.plan.rewind_to if cycle and self.plan.restart == "rewind" else 0.0
        if done:  # the rest of the training that the early weights come from
            whole, lr = lr, lambda progress: whole(min(1.0, done + progress))
        # what a criterion compares with must have the names and shapes of the whole network
        if self.removable(masks) and not CRITERIA[self.plan.criterion].before:
            small, param_map = shrink(network, self.groups, masks)
            with self._timed("training"):
                trained = self.task.train(small, lambda optimizer: None, lr, seed, share=1 - done)
            restore(small, network, param_map)
            return trained
        enforced = self.enforced(masks, network)
        with self._timed("training"):
            trained = self.task.train(
                network,
                lambda optimizer: hold_at_zero(network, optimizer, enforced),
                lr,
                seed,
                share=1 - done,
            )
        _require_zeros(network, enforced)
        return trained

    def _evaluate(self, network: nn.Module) -> dict[str, float]:
        """Returns what the task measures, in a data-parallel run the mean over the processes."""
        with self._timed("evaluation"):
            measured = self.task.evaluate(network)
        if self.task.measure not in measured:
            raise ValueError(f"the task must measure {self.task.measure!r}, it has {', '.join(measured)}")
        values = {name: torch.tensor(float(value), dtype=torch.float64) for name, value in measured.items()}
        return {name: float(value) for name, value in averaged(values).items()}

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.seconds[what] += perf_counter() - start


def _require_zeros(network: nn.Module, enforced: Mapping[str, Tensor]) -> None:
    weights = dict(network.named_parameters(remove_duplicate=False))
    for name, mask in enforced.items():
        if weights[name].detach().cpu()[~mask].any():
            raise ValueError(f"the task's training did not hold {name} at zero: it must call hold(optimizer)")
