"""Pruning at initialisation: SNIP (Lee et al.), GraSP (Wang et al.) and SynFlow (Tanaka et al.)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pruning.studies.experiment import Claim, all_of
from pruning.studies.vision.claims import ahead, larger_gap, not_behind
from pruning.studies.vision.comparison import Range
from pruning.studies.vision.experiment import Arm, Base, Recipe
from pruning.studies.vision.points import Point
from pruning.studies.vision.task import Training

PAPER = (
    "Picking Winning Tickets Before Training by Preserving Gradient Flow (Wang, Zhang, Grosse, ICLR 2020); "
    "SNIP (Lee et al., ICLR 2019), SynFlow (Tanaka et al., NeurIPS 2020); controls of Frankle et al. "
    "(ICLR 2021)"
)
SCORED: Mapping[str, dict[str, Any]] = {"snip": {}, "grasp": {}, "synflow": {"rounds": 100}}
"""Criteria at initialisation, with the settings of their plans."""
DROPS = (0.5, 0.75)
CIFAR = Training(
    epochs=160, batch=128, momentum=0.9, weight_decay=1e-4, augmentation="crop-flip", normalise=True
)
SAMPLED = 0.005
"""Margin within which accuracies count as equal on MNIST: about the spread over seeds."""
NOTE = (
    "All variants except ticket prune untrained networks with one threshold for all layers, and train them "
    "once. random drops the same fraction of each layer. Scores use ten images of each class and the initial "
    "weights from which training then starts. The published codes of GraSP and SNIP draw new weights of the "
    "linear layers for scoring. SynFlow prunes in 100 rounds. X-shuffled keeps as many weights in each layer "
    "as X, at random positions. X-reinit has X's masks on new initial weights. ticket prunes the trained "
    "dense network once by magnitude, and retrains the remaining weights from their initial values."
)


def _arms(parts: tuple[float, ...], learning: Mapping[str, Any]) -> dict[str, Arm]:
    """Returns the criteria, their controls and their comparisons, at each pruned fraction."""

    def arm(criterion: str, plan: Mapping[str, Any] | None = None, **rest: Any) -> Arm:
        settings = {"untrained": True, "criterion": criterion, "cycles": 1, **learning, **(plan or {})}
        return Arm(settings, **{"parts": parts, **rest})

    arms = {
        "dense": arm("magnitude", {"fraction": 0.0}, parts=()),
        "random": arm("random-weights", {"scope": "layer"}),
        "random-global": arm("random-weights"),
        "magnitude": arm("magnitude"),
    }
    for name, settings in SCORED.items():
        arms[name] = arm(name, settings)
        arms[f"{name}-shuffled"] = arm(name, settings, follows=name, shuffled=True)
        arms[f"{name}-reinit"] = arm(name, {**settings, "restart": "reinit"}, follows=name)
    rewound = {"criterion": "magnitude", "restart": "rewind", **learning}
    return arms | {"ticket": Arm(rewound, base="dense", parts=parts)}


def _claims(*, densities: Range, lower: Range, margin: float) -> tuple[Claim[Point], ...]:
    """Returns the claims; `lower` are the densities at which GraSP works best, `densities` the other ones."""
    every = (lower[0], densities[1])
    beats = {"snip": "SNIP", "grasp": "GraSP", "synflow": "SynFlow"}
    return (
        *(
            Claim(
                f"{told} beats random masks of uniform density",
                ahead(name, "random", densities=every),
            )
            for name, told in beats.items()
        ),
        *(
            Claim(
                f"{told} only chooses how many weights each layer keeps: its shuffled masks are no worse",
                not_behind(f"{name}-shuffled", name, margin=margin, densities=every),
            )
            for name, told in beats.items()
        ),
        *(
            Claim(
                f"{told}'s masks are no worse with new initial weights",
                not_behind(f"{name}-reinit", name, margin=margin, densities=every),
            )
            for name, told in beats.items()
        ),
        Claim(
            "GraSP gains on SNIP as networks get sparser",
            larger_gap("grasp", "snip", densities=densities, lower=lower),
        ),
        Claim(
            "with the fewest weights kept, GraSP is no worse than SNIP",
            not_behind("grasp", "snip", densities=lower, margin=margin),
        ),
        Claim("with more weights kept, SNIP beats GraSP", ahead("snip", "grasp", densities=densities)),
        Claim("SNIP beats magnitude at initialisation", ahead("snip", "magnitude", densities=every)),
        Claim(
            "pruning after training is better: tickets beat SNIP, GraSP and SynFlow",
            all_of(*(ahead("ticket", name, densities=every) for name in SCORED)),
        ),
    )


def _step(lr: float) -> dict[str, Any]:
    return {"schedule": "step", "schedule_options": {"lr": lr, "drops": DROPS}}


def _recipe(name: str, parts: tuple[float, ...], *, margin: float, lr: float = 0.1, **rest: Any) -> Recipe:
    kept = [1 - part for part in parts]
    near_last = 1.2 * kept[-1]
    return Recipe(
        name=name,
        paper=PAPER,
        arms=_arms(parts, _step(lr)),
        bases={"dense": Base("step", {"lr": lr, "drops": DROPS})},
        claims=_claims(densities=(near_last, 1.2 * kept[0]), lower=(0.0, near_last), margin=margin),
        note=NOTE,
        **rest,
    )


SMALL_TRAINING = {"epochs": 10, "batch": 32, "precision": "bfloat16"}
SMALL_CIFAR = {
    "subset": 1500,
    "training": SMALL_TRAINING,
    "arms": (
        *("dense", "random", "snip", "snip-shuffled", "snip-reinit"),
        *("grasp", "grasp-shuffled", "grasp-reinit"),
    ),
}
RECIPES = (
    _recipe(
        "init/lenet-mnist",
        (0.9, 0.98, 0.99),
        margin=SAMPLED,
        data="mnist",
        model="lenet:300-100",
        init="kaiming-normal",
        training=Training(epochs=20, batch=100, momentum=0.9, weight_decay=1e-4),
        small={"subset": 10_000, "training": {"epochs": 15}},
    ),
    _recipe(
        "init/resnet32-cifar10",
        (0.9, 0.95, 0.98),
        margin=0.01,
        data="cifar10",
        model="resnet32",
        init="kaiming-normal",
        training=CIFAR,
        small={**SMALL_CIFAR, "model": "resnet8", "width": 0.5},
    ),
    _recipe(
        "init/vgg19-cifar10",
        (0.9, 0.95, 0.98),
        margin=0.01,
        data="cifar10",
        model="vgg19",
        init="kaiming-normal",
        training=replace(CIFAR, weight_decay=5e-4),
        small={**SMALL_CIFAR, "width": 0.125, "training": {**SMALL_TRAINING, "epochs": 8}},
    ),
)
