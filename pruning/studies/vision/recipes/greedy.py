"""Greedy selection of units: Ye et al. (ICML 2020), Ye, Wu and Liu (NeurIPS 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pruning.studies.experiment import Claim, all_of
from pruning.studies.vision.claims import ahead, not_behind
from pruning.studies.vision.experiment import Arm, Base, Recipe
from pruning.studies.vision.points import Point
from pruning.studies.vision.recipes.curves import (
    CURVES,
    agreement,
    curve_table,
    draw_curves,
    layer_curves,
    lower_everywhere,
    screen_agrees,
    straight,
)
from pruning.studies.vision.task import Training

PAPER = (
    "Greedy Optimization Provably Wins the Lottery (Ye, Wu, Liu, NeurIPS 2020); forward: Good Subnetworks "
    "Provably Exist (Ye et al., ICML 2020)"
)
GREEDY = {"local": "greedy-local", "global": "greedy-global", "forward": "greedy-forward"}
CRITERIA = {**GREEDY, "l1": "l1", "dropnet": "dropnet", "taylor": "taylor", "random": "random"}
VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "uniform-step": ("greedy-local", {"step": "uniform"}),
    "forward-tolerance": ("greedy-forward", {"tolerance": 0.02}),
}
"""Criteria with options: local imitation without a line search; selection that stops at a given accuracy."""
TUNED = 0.5
"""Length of fine-tuning after pruning, as a fraction of the dense network's training."""
NOTE = (
    "Variants named raw are measured right after pruning, the others after fine-tuning. unscaled keeps "
    "local's units without their weights. uniform-step is local imitation without a line search. "
    "forward-tolerance stops at 98% of the accuracy on training images, as in the ICML 2020 paper, whatever "
    "fraction is requested. All other variants keep the same fraction of units in each layer. The papers "
    "stop at a tolerance, take the better of local and global in each layer, fine-tune briefly after each "
    "layer, and prune ImageNet networks. Normalisation layers keep the dense network's statistics until "
    "fine-tuning. The local discrepancy is measured on one layer's output, as a fraction of its mean square, "
    "on images not used for selection. The weights of a line-search path are corrected at each number of "
    "units."
)


def _arms(parts: tuple[float, ...], lr: float, whole: tuple[str, ...]) -> dict[str, Arm]:
    """Returns each criterion, both right after pruning and fine-tuned, and the control without weights."""
    plan: Mapping[str, Any] = {"scope": "layer", "schedule": "clr", "schedule_options": {"lr": lr}}

    def arm(criterion: str, epochs: float, **rest: Any) -> Arm:
        settings = {**plan, "criterion": criterion, "exclude": whole}
        return Arm(settings, base="dense", epochs=epochs, parts=parts, **rest)

    arms = {f"{name}-raw": arm(criterion, 0.0) for name, criterion in CRITERIA.items()}
    arms["unscaled-raw"] = arm("l1", 0.0, follows="local-raw")
    for name, (criterion, options) in VARIANTS.items():
        settings = {**plan, "criterion": criterion, "criterion_options": options, "exclude": whole}
        arms[f"{name}-raw"] = Arm(settings, base="dense", epochs=0.0, parts=parts)
    return arms | {name: arm(criterion, TUNED) for name, criterion in CRITERIA.items()}


def _claims(densities: tuple[float, float]) -> tuple[Claim[Point], ...]:
    at: dict[str, Any] = {"densities": densities}

    def beats(one: str, *others: str) -> Any:
        return all_of(*(ahead(one, other, **at) for other in others))

    return (
        Claim(
            "before fine-tuning, local imitation beats L1 and random units",
            beats("local-raw", "l1-raw", "random-raw"),
        ),
        Claim(
            "before fine-tuning, global imitation beats local imitation",
            ahead("global-raw", "local-raw", **at),
        ),
        Claim(
            "before fine-tuning, forward selection beats L1 and random units",
            beats("forward-raw", "l1-raw", "random-raw"),
        ),
        Claim(
            "before fine-tuning, imitation beats forward selection",
            all_of(ahead("local-raw", "forward-raw", **at), ahead("global-raw", "forward-raw", **at)),
        ),
        Claim(
            "the weights matter: local imitation beats the same units without weights",
            beats("local-raw", "unscaled-raw"),
        ),
        Claim(
            "after fine-tuning, local and global imitation beat L1 and random units",
            all_of(beats("local", "l1", "random"), beats("global", "l1", "random")),
        ),
        Claim(
            "after fine-tuning, global imitation is no worse than local imitation",
            not_behind("global", "local", margin=0.003, **at),
        ),
    )


LENET_PARTS = tuple(1 - kept / 300 for kept in (100, 60, 40, 20))
MNIST = Training(epochs=6, batch=64, momentum=0.9, weight_decay=1e-4)
CIFAR = Training(
    epochs=160, batch=64, momentum=0.9, weight_decay=1e-4, augmentation="crop-flip", normalise=True
)
_LENET_ARMS = _arms(LENET_PARTS, 0.03, whole=("hidden.1",))
RECIPES = (
    Recipe(
        name="greedy/lenet-mnist",
        paper=PAPER,
        data="mnist",
        model="lenet:300-100",
        training=MNIST,
        arms={**_LENET_ARMS, CURVES: Arm({"fraction": 0.0, "cycles": 0}, base="dense", epochs=0.0)},
        bases={"dense": Base("step", {"lr": 0.1, "drops": (0.5, 0.75)})},
        small={"subset": 10_000},
        claims=(
            Claim("(a) log discrepancy falls linearly with the number of units kept", straight),
            Claim(
                "(b) line-search steps give a lower discrepancy than uniform steps, with up to 100 units",
                lower_everywhere,
            ),
            *(
                replace(claim, text=f"(c) {claim.text}")
                for claim in _claims((20 / 300 - 1e-9, 60 / 300 + 1e-9))
            ),
            Claim("in most steps, the best unit is among the five steepest ones", screen_agrees),
        ),
        measure=layer_curves,
        sections={
            "local discrepancy of the first layer, by number of units kept": curve_table,
            "steps of global imitation in which the screening keeps the best unit": agreement,
        },
        pictures={"discrepancy.png": draw_curves},
        note=f"{NOTE} The first layer, of 300 units, is pruned.",
    ),
    Recipe(
        name="greedy/resnet20-cifar10",
        paper=PAPER,
        data="cifar10",
        model="resnet20",
        training=CIFAR,
        arms=_arms((0.5, 0.75), 0.05, whole=("stem", "blocks.*.conv2")),
        bases={"dense": Base("step", {"lr": 0.1, "drops": (0.5, 0.75)})},
        small={
            "model": "resnet8",
            "width": 0.5,
            "subset": 1500,
            "training": {"epochs": 20, "precision": "bfloat16"},
        },
        claims=_claims((0.0, 0.55)),
        note=f"{NOTE} The channels inside the blocks are pruned.",
    ),
)
