"""The pruning loop for all methods: a `Task` says what to prune, a `Plan` says how.

    cycle 0      the dense network, trained before or now
    cycle 1...   prune; restart the weights; train with the cycle's learning rate; evaluate

A run is a folder. Each finished cycle is a file with weights and masks. Killing the process therefore loses
at most the unfinished cycle, and the same call resumes the run. The random numbers of a cycle depend only on
the plan's seed and the cycle.

The masks of one run (`stored_masks`) can be given to another run. This trains the same masks from other
weights, or shuffled masks.

In a data-parallel run all processes make the same call, with one folder each or one shared folder. Scores and
measurements are averaged over the processes, and all use the same masks. The task must train identical
networks in all of them. If one process stops with an error, for example over a corrupt file, the others wait
until their timeout.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isnan, nan
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor, nn

from pruning.channels import Group
from pruning.criteria import fold
from pruning.loop.endings import ending
from pruning.loop.identity import fingerprint, with_dense
from pruning.loop.plan import Plan
from pruning.loop.prunable import LOG, density_of_all, enforced, groups_of, left_out, say_left_out, whole
from pruning.loop.results import Additions, Result
from pruning.loop.selection import Chosen, as_given, choose
from pruning.loop.stored import (
    KIND,
    cycle_file,
    drop_weights,
    finished_cycles,
    next_masks,
    read_cycle,
    stored_results,
    without_prefix,
    write_cycle,
)
from pruning.loop.summary import require_room, write_summary
from pruning.loop.task import Task, require_alike, require_task
from pruning.loop.training import CycleOutcome, CycleTraining
from pruning.masks import Masks, apply, averaged, of_first, read_tensors, write_tensors
from pruning.measures import macs
from pruning.sparse import COUNTED, Topology, stored_bytes, training_flops, weight_macs


@dataclass(frozen=True)
class Level:
    """The network after a finished cycle.

    Attributes:
        cycle: Number of the cycle; 0 is the dense network.
        network: The full-size network; pruned weights are zero.
        groups: The network's groups of coupled channels; () for a plan of weights, which needs none.
        masks: Unit masks by group, or weight masks by name.
        removable: Masks by group for `shrink`; None if weights are pruned or a group is empty.
        result: Counts and measurements, without the publisher's additions.
    """

    cycle: int
    network: nn.Module
    groups: tuple[Group, ...]
    masks: Masks
    removable: Masks | None
    result: Result


def run(
    task: Task,
    plan: Plan,
    folder: Path,
    publish: Callable[[Level], Additions | None] = lambda level: None,
    progress: Callable[[Result], None] = lambda result: None,
    *,
    given: Sequence[Masks] | None = None,
    thin: bool = False,
) -> list[Result]:
    """Runs a plan, or resumes it, and returns the results of all cycles.

    The folder also gets results.csv and README.txt, which says how to load a level. Cycles that are found
    finished are logged (logger "pruning", level INFO; `finished_cycles` counts them); weights and channels
    that the plan leaves out are logged as a warning.

    Args:
        task: What to prune.
        plan: How to prune it.
        folder: Folder with a file for each finished cycle; created if missing.
        publish: Called with each finished cycle before its file is written; may return additions to its
            result.
        progress: Called with the result of each cycle, whether it finished before this call or during it.
        given: Masks of each cycle, starting with the dense network, instead of masks that the criterion
            selects. The run ends after the last of them.
        thin: Whether only the last cycle's file keeps the weights of its network; all files keep the masks.

    Raises:
        ValueError: The plan or the given masks do not fit the network; or the folder holds cycles of another
            plan or task, cycles with other masks, a corrupt file, or no cycle but another results.csv or
            README.txt.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = finished_cycles([folder])
    if not found:
        require_room(folder)
    loop = _Loop(task, plan, folder, given)
    results: list[Result] = []
    while len(results) < len(given) if given is not None else not ending(plan, task.measure, results):
        cycle = len(results)
        if not _everywhere(cycle_file(folder, cycle).exists()):
            loop.run_cycle(cycle, results, publish)
            if thin and cycle:
                drop_weights(cycle_file(folder, cycle - 1))
        results.append(loop.load(cycle)[1])
        progress(results[-1])
        if cycle >= found:
            write_summary(folder, results, units=plan.scoring.of == "units")
    if found:
        anew = f"cycles {found} to {len(results) - 1} were run" if len(results) > found else "nothing was run"
        LOG.info("%s finished cycles found in %s; %s", found, folder, anew)
    return results


def _everywhere(flag: bool) -> bool:
    """Returns whether the flag is set in all processes: after a kill, only some folders may have a file."""
    return averaged({"flag": torch.tensor(float(flag))})["flag"].item() == 1


class _Loop:
    """A run in progress: the state that all its cycles share."""

    def __init__(self, task: Task, plan: Plan, folder: Path, given: Sequence[Masks] | None):
        self.task, self.plan, self.folder, self.given = task, plan, folder, given
        require_task(task)
        own = fingerprint(task)  # before `build` and `dense`, which may make attributes
        self.initial = task.build(None)
        self.trained = None if plan.start.untrained else task.dense()
        self.fingerprint = of_first(with_dense(own, self.trained))
        self.groups = groups_of(plan, self.initial, task.example)
        self.whole = whole(plan, self.initial, self.groups)
        if self.trained is not None:
            require_alike(self.trained, self.initial)
        self.left_out = left_out(plan, self.initial, self.groups)
        if begun := stored_results(folder)[:1]:
            self._follow(begun[0])
        if given is not None and not all(each.shapes == self.whole.shapes for each in given):
            raise ValueError(
                "the given masks do not fit: expected the names and shapes of the layers that the plan prunes"
            )
        if given is not None and plan.scoring.topology:
            raise ValueError(
                "the given masks would change in training: use a plan without a topology, "
                f"got {plan.scoring.topology}"
            )
        if given and given[0] != self.whole:
            raise ValueError("the first of the given masks must keep everything: cycle 0 is dense")

    def _follow(self, first: Result) -> None:
        """Prunes the layers of a run that an earlier version began, which knew fewer kinds of layers."""
        later = [name for name in self.whole if name not in first.layers]
        if self.plan.scoring.of == "weights" and isnan(first.density_of_all) and first.layers:
            self.whole = Masks({name: mask for name, mask in self.whole.items() if name not in later})
            self.left_out |= dict.fromkeys(later, "left out by the version that began this run")

    def load(self, cycle: int) -> tuple[dict[str, Tensor], Result]:
        """Returns the tensors and the result of a finished cycle; ValueError if another run wrote it."""
        tensors, result = read_cycle(self.folder, cycle, self.plan, self.fingerprint)
        if self.given is not None and result.masks != self.given[cycle].digest():
            raise ValueError(
                f"{cycle_file(self.folder, cycle)} has other masks than the given ones: use another folder"
            )
        return tensors, result

    def run_cycle(
        self, cycle: int, results: list[Result], publish: Callable[[Level], Additions | None]
    ) -> None:
        """Runs one cycle and stores it."""
        start = perf_counter()
        say_left_out(self.left_out)
        dense = self.plan.start.untrained or self.trained is not None
        training = CycleTraining(self.task, self.plan, self.groups, dense)
        masks, network = self._start(cycle, training)
        outcome = training.run(cycle, network, masks)
        chosen = self._choose(cycle, outcome)
        result = self._result(cycle, results, outcome, chosen)
        removable = outcome.masks if training.removable(outcome.masks) else None
        added = publish(Level(cycle, outcome.network, self.groups, outcome.masks, removable, result))
        rest = perf_counter() - start - training.seconds.total
        result = result.finished(added or Additions(), replace(training.seconds, rest=rest))
        tensors = {f"network.{name}": tensor for name, tensor in outcome.network.state_dict().items()}
        tensors |= {f"next.{name}": mask for name, mask in chosen.selection.masks.items()}
        tensors |= {f"scale.{name}": scale for name, scale in chosen.scales.items()}
        if outcome.masks != masks:
            tensors |= {f"last.{name}": mask for name, mask in outcome.masks.items()}
        after = of_first(with_dense(fingerprint(self.task), self.trained))
        write_cycle(cycle_file(self.folder, cycle), tensors, result, self.plan, (self.fingerprint, after))

    def _start(self, cycle: int, training: CycleTraining) -> tuple[Masks, nn.Module]:
        """Returns the masks of a cycle and the pruned network that it starts from."""
        if not cycle:
            return self.whole, copy.deepcopy(self.initial if self.trained is None else self.trained)
        tensors, _ = self.load(cycle - 1)
        masks = next_masks(cycle_file(self.folder, cycle - 1), tensors, self.whole.shapes)
        if self.given is not None:  # the last cycle of a shorter run could not store the next masks
            masks = self.given[cycle]
        if self.plan.start.restart == "reinit":
            network = self.task.build(self.plan.seed_of(cycle, 1))
        else:
            network = copy.deepcopy(self.initial)
            rewinds = self.plan.start.restart == "rewind"
            state = self._early(training) if rewinds else without_prefix(tensors, "network.")
            try:
                network.load_state_dict(state)
            except RuntimeError as error:
                raise ValueError(
                    f"{self.folder} holds cycles of another network: use another folder"
                ) from error
        if not (self.plan.scoring.changing and self.plan.scoring.changing.starts_whole):
            apply(network, enforced(self.plan, self.groups, masks, network))
        if self.plan.start.restart == "keep":
            fold(network, self.groups, without_prefix(tensors, "scale."))
        return masks, network

    def _early(self, training: CycleTraining) -> dict[str, Tensor]:
        """Returns the weights to rewind to, from the start of a dense training run; stored at first use."""
        if not self.plan.start.rewind_to:
            return self.initial.state_dict()
        path = self.folder / "rewind.safetensors"
        if not _everywhere(path.exists()):
            network = copy.deepcopy(self.initial)
            training.early(network, self.plan.start.rewind_to)
            write_tensors(path, network.state_dict(), KIND, {})
        return read_tensors(path, KIND)[0]

    def _choose(self, cycle: int, outcome: CycleOutcome) -> Chosen:
        """Returns the selection for the next cycle; the same in all processes."""
        if self.given is not None:
            return as_given(outcome.masks, self.given[min(cycle + 1, len(self.given) - 1)])
        return choose(
            self.task,
            self.plan,
            outcome.network,
            self.groups,
            outcome.masks,
            before=outcome.trained.before,
            seed=self.plan.seed_of(cycle, 2),
        )

    def _result(self, cycle: int, results: list[Result], outcome: CycleOutcome, chosen: Chosen) -> Result:
        masks, selection = outcome.masks, chosen.selection
        got = results[-1].kept - masks.kept if results else 0
        asked = results[-1].asks_next if results and self.given is None else got
        held = enforced(self.plan, self.groups, masks, self.initial)
        sparse_macs, training_cost = self._costs(cycle, held)
        of_weights = self.plan.scoring.of == "weights"
        return Result(
            cycle=cycle,
            sparse_macs=sparse_macs,
            training_cost=training_cost,
            density=masks.density(),
            density_of_all=density_of_all(self.initial, held),
            left_out=self.left_out,
            dense_macs=self._dense_macs[0],
            dense_bytes=stored_bytes(self.initial),
            sparse_bytes=stored_bytes(self.initial, held) if of_weights else nan,
            kept=masks.kept,
            prunable=masks.size,
            asked=asked,
            got=got,
            layers={name: (int(mask.sum()), mask.numel()) for name, mask in masks.items()},
            masks=masks.digest(),
            measures=outcome.measured,
            training=outcome.trained.metrics,
            grid=outcome.grid,
            asks_next=selection.asked,
            dropped_next=selection.got,
        )

    @cached_property
    def _dense_macs(self) -> tuple[int, dict[str, int]]:
        """The multiply-adds of one input of the dense network, and of one entry of each of its weights."""
        return macs(self.initial, self.task.example), weight_macs(self.initial, self.task.example)

    def _costs(self, cycle: int, held: Masks) -> tuple[float, float]:
        """Returns the multiply-adds of one input and the relative training cost (see `Result`).

        If layers exchange weights during training, the weights at the end of the cycle count.
        """
        dense, each = self._dense_macs
        sparse = dense - sum(each[name] * int((~mask).sum()) for name, mask in held.items() if name in each)
        if not cycle and (self.plan.start.untrained or self.trained is not None):
            return sparse, 0.0
        topology = self.plan.scoring.topology or "static"
        if topology not in COUNTED:
            return sparse, nan  # a user's own topology: how often it reads dense gradients is unknown
        changing = self.plan.scoring.changing or Topology()
        flops = training_flops(
            topology,
            dense,
            sparse,
            every=changing.every,
            begin=changing.begin,
            end=changing.end,
        )
        return sparse, (len(self.plan.learning_rate.grid) or 1) * flops / (3 * dense) if dense else nan
