"""What a masked classifier would cost on hardware that skips its zeros; counted, not measured."""

from __future__ import annotations

from torch import nn

from pruning.cost import macs
from pruning.loop import Level
from pruning.models import make_model
from pruning.plan import Plan
from pruning.sparse_cost import sparse_macs, training_flops
from pruning.studies.vision_task import VisionTask

SPARSE_MACS, INFERENCE, TRAINING = "sparse macs", "inference cost", "training cost"
"""Metrics: multiply-adds of an image, and as shares of what the dense network needs in inference and training."""


def sparse_cost(
    task: VisionTask, plan: Plan, level: Level, *, whole: float = 1.0, epochs: float = 1.0
) -> dict[str, float]:
    """Returns the multiply-adds of a cycle's network, and its shares of the dense network's costs.

    Args:
        task: Whose network it is.
        plan: How weights were pruned; its topology decides what training costs.
        level: The finished cycle.
        whole: Factor from the network's width to the dense network's that it stands beside.
        epochs: Share of the dense network's training that the cycle took.
    """
    dense, sparse = macs(level.network, task.example), sparse_macs(level.network, task.example, level.masks)
    reference = dense if whole == 1 else macs(_network(task, task.width * whole), task.example)
    changing = plan.changing
    times = {} if changing is None else {"every": changing.every, "begin": changing.begin, "end": changing.end}
    step = training_flops(plan.topology or "static", dense, sparse, **times)
    return {
        SPARSE_MACS: sparse,
        INFERENCE: sparse / reference,
        TRAINING: epochs * step / training_flops("dense", reference, reference),
    }


def _network(task: VisionTask, width: float) -> nn.Module:
    network = make_model(task.model, shape=task.shape, classes=task.classes, width=width, seed=0)
    return network.to(task.device)
