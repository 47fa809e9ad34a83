"""Selects which weights or units the next cycle keeps and which it drops."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from pruning.channels import Group, first_line
from pruning.criteria import CRITERIA, Evidence, Scores, checked, scales
from pruning.loop.plan import Plan
from pruning.loop.prunable import enforced
from pruning.loop.task import Task
from pruning.masks import (
    Masks,
    Scope,
    Selection,
    agreed,
    apply,
    averaged,
    drop_lowest,
    keep_highest,
    layer_counts,
)
from pruning.sparse import density_at_macs, weight_macs


@dataclass(frozen=True)
class Chosen:
    """A selection, with scales for criteria that scale units.

    Attributes:
        selection: The kept entries.
        scales: Group name -> factors of the kept units' outputs, `[size]`; empty for other criteria.
    """

    selection: Selection
    scales: Mapping[str, Tensor] = field(default_factory=dict)


def choose(
    task: Task,
    plan: Plan,
    network: nn.Module,
    groups: tuple[Group, ...],
    masks: Masks,
    *,
    before: Mapping[str, Tensor],
    seed: int,
) -> Chosen:
    """Returns what the next cycle keeps of a network; the same in all processes.

    Args:
        task: The task that the network belongs to.
        plan: How to prune the network.
        network: The network; its pruned weights are zero.
        groups: The network's groups.
        masks: The entries that this cycle keeps.
        before: Weights one epoch before the end of the training run, by name.
        seed: Seed of the criterion's random numbers.
    """
    evidence = Evidence(
        network=network,
        alive=masks,
        groups=groups,
        batches=checked(task.batches),
        loss=task.loss,
        before=before,
        generator=torch.Generator().manual_seed(seed),
        sample=checked(task.sample),
        example=task.example,
    )
    if plan.scoring.chooses and plan.amount.drops:
        return _chosen_units(plan, evidence)
    return Chosen(_in_rounds(plan, evidence))


def as_given(before: Masks, after: Masks) -> Chosen:
    """Returns given masks of the next cycle in the form of a selection."""
    dropped = before.kept - after.kept
    return Chosen(Selection(after, dropped, dropped, _per_layer(after)))


def _in_rounds(plan: Plan, evidence: Evidence) -> Selection:
    """Scores and drops in the plan's number of rounds; entries that a round drops are zero in the next."""
    alive = evidence.alive
    scores = _scores(evidence, plan) if plan.amount.drops and plan.scoring.rounds == 1 else _zeros(alive)
    if plan.amount.allocation:
        chosen = keep_highest(scores, alive, _allocated(plan, evidence))
    else:
        chosen = _drop_lowest(plan, scores, alive, plan.amount.scope)
    if plan.scoring.rounds == 1 or not plan.amount.drops:
        return replace(chosen, masks=agreed(chosen.masks))
    masks = _by_rounds(plan, evidence, chosen)
    return Selection(masks, chosen.asked, alive.kept - masks.kept, _per_layer(masks))


def _drop_lowest(plan: Plan, scores: Scores, alive: Masks, scope: Scope) -> Selection:
    """Drops the number of entries that the plan's amount sets."""
    amount, floor = plan.amount, plan.least
    fraction = amount.fraction if amount.count is None else None
    return drop_lowest(
        *(scores, alive),
        fraction=fraction,
        count=amount.count,
        scope=scope,
        floor=floor,
        round_to=amount.round_to,
    )


def _by_rounds(plan: Plan, evidence: Evidence, wanted: Selection) -> Masks:
    """Returns the masks after dropping, over several rounds, as many entries as `wanted` drops."""
    alive, network = evidence.alive, copy.deepcopy(evidence.network)
    now = alive
    for done in range(1, plan.scoring.rounds + 1):
        share = done / plan.scoring.rounds
        scores = _scores(replace(evidence, network=network, alive=now), plan)
        if plan.amount.allocation or plan.amount.scope == "layer":
            keep = {
                name: _between(int(mask.sum()), wanted.per_layer[name][0], share)
                for name, mask in alive.items()
            }
            now = keep_highest(scores, now, keep).masks
        else:
            count = now.kept - _between(alive.kept, wanted.masks.kept, share)
            now = drop_lowest(scores, now, count=count, floor=plan.least).masks
        now = agreed(now)
        apply(network, enforced(plan, evidence.groups, now, network))
    return now


def _between(start: int, end: int, share: float) -> int:
    """Returns how many entries remain after a fraction of the rounds, which all drop an equal fraction."""
    return end if share == 1 or not end else round(start * (end / start) ** share)


def _chosen_units(plan: Plan, evidence: Evidence) -> Chosen:
    """Returns the selection of a criterion that chooses units one by one."""
    wanted = _drop_lowest(plan, _zeros(evidence.alive), evidence.alive, "layer")
    keep = {name: kept for name, (kept, _) in wanted.per_layer.items()}
    options = plan.scoring.criterion_options
    choose_units = CRITERIA[plan.scoring.criterion].choose
    if choose_units is None:
        raise ValueError(f"criterion {plan.scoring.criterion!r} scores units and cannot choose them")
    with _named(plan, evidence):
        found = {n: torch.as_tensor(each) for n, each in choose_units(evidence, keep, **options).items()}
    shares = averaged(found)
    masks = agreed(Masks({name: share > 0 for name, share in shares.items()}))
    got = evidence.alive.kept - masks.kept
    selection = Selection(masks, wanted.asked, got, _per_layer(masks))
    return Chosen(selection, scales(shares, evidence.alive))


def _allocated(plan: Plan, evidence: Evidence) -> dict[str, int]:
    """Returns the plan's allocation: how many weights each layer keeps; may exceed those it has left."""
    shapes = evidence.alive.shapes
    density = evidence.alive.density() * (1 - plan.amount.fraction)
    if plan.amount.budget == "macs":
        macs = weight_macs(evidence.network, evidence.example)
        uniform = layer_counts(shapes, density, "uniform")
        wanted = sum(macs[name] * count for name, count in uniform.items())
        density = density_at_macs(shapes, macs, plan.amount.allocation, wanted)
    return layer_counts(shapes, density, plan.amount.allocation)


def _scores(evidence: Evidence, plan: Plan) -> Scores:
    score = CRITERIA[plan.scoring.criterion].score
    if score is None:
        raise ValueError(f"criterion {plan.scoring.criterion!r} chooses units and has no scores")
    with _named(plan, evidence):
        found = {name: torch.as_tensor(values) for name, values in score(evidence).items()}
    return averaged(found)


@contextmanager
def _named(plan: Plan, evidence: Evidence) -> Iterator[None]:
    """Turns any error of a criterion, which runs the user's network and loss, into one line."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(
            f"criterion {plan.scoring.criterion!r} failed on {type(evidence.network).__name__}: "
            f"{type(error).__name__}: {first_line(error)}"
        ) from error


def _zeros(masks: Masks) -> Scores:
    return {name: torch.zeros(mask.shape) for name, mask in masks.items()}


def _per_layer(masks: Masks) -> dict[str, tuple[int, int]]:
    return {name: (int(mask.sum()), mask.numel()) for name, mask in masks.items()}
