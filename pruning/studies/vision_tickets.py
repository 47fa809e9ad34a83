"""Winning tickets: Frankle and Carbin (ICLR 2019), and the verdict of Ma et al. (NeurIPS 2021)."""

from __future__ import annotations

from typing import Any

from pruning.studies.vision_claims import Claim, ahead, near, not_behind
from pruning.studies.vision_experiment import Arm, Base, Recipe
from pruning.studies.vision_task import Training

PAPER = (
    "The Lottery Ticket Hypothesis (Frankle and Carbin, ICLR 2019); "
    "Sanity Checks for Lottery Tickets (Ma et al., NeurIPS 2021)"
)
LATE = 0.05
"""Share of the training after which late rewinding saves the weights."""
WEAK, TUNED = "weak", "tuned"
TICKET, REINIT, RANDOM, LATER, ONE_SHOT, KEPT = "imp", "reinit", "shuffled", "late", "one-shot", "lr-rewound"
NOTE = (
    "imp prunes the smallest weights of all layers together and rewinds to the initial weights; reinit trains its "
    "masks from new initial weights, shuffled its layers' numbers of weights at random places; late rewinds to the "
    "weights after a twentieth of the training; lr-rewound goes on with the trained weights; one-shot prunes the "
    "dense network once. The optimizer and the order of images begin anew."
)


def _arms(recipe: str, base: Base, fraction: float, shots: tuple[float, ...]) -> dict[str, Arm]:
    """Returns the ways of a recipe."""
    learning = {"schedule": base.schedule, "schedule_options": base.options}
    prune = {"criterion": "magnitude", "fraction": fraction, "restart": "rewind", **learning}

    def arm(plan: dict[str, Any] | None = None, **rest: Any) -> Arm:
        return Arm({**prune, **(plan or {})}, base=recipe, epochs=base.epochs, **rest)

    arms = {
        TICKET: arm(),
        REINIT: arm({"restart": "reinit"}, follows=f"{recipe}-{TICKET}"),
        RANDOM: arm(follows=f"{recipe}-{TICKET}", shuffled=True),
        LATER: arm({"rewind_to": LATE}),
        KEPT: arm({"restart": "keep"}),
        ONE_SHOT: arm(parts=shots),
    }
    return {f"{recipe}-{name}": each for name, each in arms.items()}


def _recipe(
    name: str, data: str, model: str, training: Training, weak: Base, tuned: Base, **rest: Any
) -> Recipe:
    fraction = 0.2
    shots = (1 - 0.8**6, 1 - 0.8**12)
    arms = _arms(TUNED, tuned, fraction, shots) | _arms(WEAK, weak, fraction, shots)
    return Recipe(
        name=name,
        paper=PAPER,
        data=data,
        model=model,
        training=training,
        arms=arms,
        bases={WEAK: weak, TUNED: tuned},
        note=NOTE,
        **rest,
    )


SPARSE = (0.0, 0.3)
_GAP = (f"{TUNED}-{TICKET}", f"{TUNED}-{REINIT}")
CLAIMS = (
    Claim(
        "initial weights matter under the weak recipe: its tickets beat their masks with new initial weights",
        ahead(f"{WEAK}-{TICKET}", f"{WEAK}-{REINIT}", densities=SPARSE),
    ),
    Claim("they matter under the tuned recipe too", ahead(*_GAP, densities=SPARSE)),
    Claim(
        "a ticket matches the tuned dense network's own retraining (learning rate rewound)",
        not_behind(f"{TUNED}-{TICKET}", f"{TUNED}-{KEPT}", densities=SPARSE, margin=0.003),
    ),
    Claim(
        "where the weights are matters: tickets beat shuffled masks",
        ahead(f"{TUNED}-{TICKET}", f"{TUNED}-{RANDOM}", densities=SPARSE),
    ),
    Claim(
        "late rewinding is no worse than rewinding to the initial weights",
        not_behind(f"{TUNED}-{LATER}", f"{TUNED}-{TICKET}", densities=SPARSE, margin=0.003),
    ),
)
RECIPES = (
    _recipe(
        "tickets/lenet-mnist",
        "mnist",
        "lenet:300-100",
        Training(epochs=20, batch=128),
        Base("constant", {"lr": 0.01}, epochs=0.2),
        Base("step", {"lr": 0.1, "drops": (0.5, 0.75)}),
        cycles=15,
        init="kaiming-normal",
        plan={"exclude": ("out.weight",)},
        small={"subset": 10_000, "cycles": 8, "plan": {}},
        claims=CLAIMS,
    ),
    _recipe(
        "tickets/resnet20-cifar10",
        "cifar10",
        "resnet20",
        Training(
            epochs=160, batch=64, momentum=0.9, weight_decay=1e-4, augmentation="crop-flip", normalise=True
        ),
        Base("step", {"lr": 0.01, "drops": (0.5, 0.75)}),
        Base("step", {"lr": 0.1, "drops": (0.5, 0.75)}),
        cycles=14,
        init="kaiming-normal",
        small={
            "model": "resnet8",
            "subset": 3000,
            "cycles": 7,
            "training": {"epochs": 12, "precision": "bfloat16"},
        },
        claims=CLAIMS,
    ),
)
