"""The cost of a pruned classifier if zeros are skipped: counted by the loop, not measured."""

from __future__ import annotations

from torch import nn

from pruning.loop import Level
from pruning.measures import macs
from pruning.models import make_model
from pruning.studies.vision.experiment import Arm, Recipe
from pruning.studies.vision.task import VisionTask

SPARSE_MACS, INFERENCE, TRAINING = "sparse macs", "inference cost", "training cost"
"""Metrics: multiply-adds per image; fractions of the dense network's inference and training costs."""


def relative_costs(recipe: Recipe, arm: Arm, part: int, task: VisionTask, level: Level) -> dict[str, float]:
    """Returns the multiply-adds of a cycle's network, and its costs as fractions of the dense network's.

    A dense network that the variant did not train itself costs as much as the training run of its base.

    Args:
        recipe: The experiment.
        arm: The variant.
        part: The part of the variant.
        task: The task of the network.
        level: The finished cycle.
    """
    dense, sparse = macs(level.network, task.example), level.result.sparse_macs
    width = recipe.width_of(None, part)
    reference = dense if width == task.width else macs(_network(task, width), task.example)
    rewound = recipe.plan_of(arm, part, task.seed).start.rewind_to if level.cycle else 0.0
    trained = arm.epochs * (1 - rewound) * level.result.training_cost
    if arm.base and not level.cycle:
        trained = recipe.bases[arm.base].epochs
    return {SPARSE_MACS: sparse, INFERENCE: sparse / reference, TRAINING: trained * dense / reference}


def _network(task: VisionTask, width: float) -> nn.Module:
    network = make_model(task.model, shape=task.shape, classes=task.classes, width=width, seed=0)
    return network.to(task.device)
